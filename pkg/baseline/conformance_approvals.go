package baseline

import (
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func approvalTests() []ConformanceTest {
	return []ConformanceTest{
		{"an approved configuration is read", configIsRead},
		{"what could not be read again is not written", notReadable},
		{"an approval is of exactly one thing", oneThing},
	}
}

func configIsRead(t T, h Harness) {
	a := approvedBy(0, "upload")
	by := a.Approvals[0]
	by.Statement = policy.Statement{}
	for _, c := range []drift.Config{
		{URL: &drift.URL{
			Address: "https://abc.lambda-url.eu-central-1.on.aws/", AuthType: "NONE", InvokeMode: "RESPONSE_STREAM",
			CORS: &drift.CORS{AllowCredentials: true, AllowHeaders: []string{"date"}, AllowMethods: []string{"GET"}, AllowOrigins: []string{"https://*"}, ExposeHeaders: []string{"etag"}, MaxAge: 60},
		}},
		{URL: &drift.URL{}}, // approved: none
		{Mapping: &drift.Mapping{UUID: "u1", Source: "arn:aws:sqs:eu-central-1:444455556666:orders", Enabled: true}},
		{Role: string(role)},
	} {
		by.Config = &c
		a.Approvals = append(a.Approvals, by)
	}
	stored := put(t, h.Store, ingest, drift.Unqualified, a)
	got := get(t, h.Store, ingest).Places[drift.Unqualified]
	same(t, "place", got, stored)
	if len(got.Approvals) != 5 || got.Approvals[0].Config != nil {
		t.Fatalf("%d approvals, want 5: %+v", len(got.Approvals), got.Approvals)
	}
	if u := got.Approvals[1].Config.URL; u == nil || u.AuthType != "NONE" || u.CORS == nil || u.CORS.MaxAge != 60 {
		t.Errorf("URL %+v", u)
	}
	if u := got.Approvals[2].Config.URL; u == nil || u.AuthType != "" {
		t.Errorf("no URL: %+v", u)
	}
	if m := got.Approvals[3].Config.Mapping; m == nil || !m.Enabled || m.UUID != "u1" {
		t.Errorf("mapping %+v", m)
	}
	if c := got.Approvals[4].Config; c.Role != string(role) || c.URL != nil || c.Mapping != nil {
		t.Errorf("role %+v", c)
	}
	history, err := h.Store.History(t.Context(), ingest, drift.Unqualified)
	if err != nil {
		t.Fatalf("history: %v", err)
	}
	same(t, "history", history, []drift.Approved{stored})
}

// notReadable: one statement that nobody can read would hide the whole subject.
func notReadable(t T, h Harness) {
	broken := approvedBy(0, "well", "broken")
	broken.Approvals[1].Statement.Action = nil
	if _, err := h.Store.Put(t.Context(), ingest, "live", broken); err == nil {
		t.Errorf("a statement without an action was stored")
	}
	broken.Approvals[1].Statement = policy.Statement{Sid: "no effect, no action"}
	if _, err := h.Store.Put(t.Context(), ingest, "live", broken); err == nil {
		t.Errorf("a statement without an effect was stored")
	}
	if get(t, h.Store, ingest).Known() {
		t.Errorf("the refused place is known")
	}
}

// oneThing: who reads an approval of two things may see one of them only.
func oneThing(t T, h Harness) {
	url, mapping := &drift.URL{AuthType: "NONE"}, &drift.Mapping{Source: "arn:aws:sqs:eu-central-1:111122223333:orders"}
	statement := approvedBy(0, "upload").Approvals[0].Statement
	for name, approval := range map[string]drift.Approval{
		"nothing":                       {},
		"an empty configuration":        {Config: &drift.Config{}},
		"a statement and a URL":         {Statement: statement, Config: &drift.Config{URL: url}},
		"a statement and nothing":       {Statement: statement, Config: &drift.Config{}},
		"half a statement and a URL":    {Statement: policy.Statement{Sid: "upload"}, Config: &drift.Config{URL: url}},
		"a URL and a role":              {Config: &drift.Config{URL: url, Role: string(role)}},
		"a mapping and a role":          {Config: &drift.Config{Mapping: mapping, Role: string(role)}},
		"a URL, a mapping and a role":   {Config: &drift.Config{URL: url, Mapping: mapping, Role: string(role)}},
		"a statement of another effect": {Statement: policy.Statement{Effect: "Permit", Action: []string{"lambda:InvokeFunction"}, Resource: []string{"*"}}},
	} {
		a := approvedBy(0, "upload")
		approval.By, approval.At = a.UpdatedBy, a.UpdatedAt
		a.Approvals = append(a.Approvals, approval)
		if _, err := h.Store.Put(t.Context(), ingest, "live", a); err == nil {
			t.Errorf("an approval of %s was stored", name)
		}
	}
	if get(t, h.Store, ingest).Known() || len(historyOf(t, h.Store, ingest, "live")) != 0 {
		t.Errorf("something of the refused approvals is there")
	}
}
