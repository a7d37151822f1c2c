package line_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	trustAnybody   = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"},"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"sts:ExternalId":"shop"}}}`
	trustAnyRepo   = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}}`
	trustEC2       = `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`
	trustBatch     = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/batch"},"Action":"sts:AssumeRole"}`
	butOrganize    = `{"Effect":"Allow","NotAction":"organizations:*","Resource":"*"}`
	passAny        = `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`
	makeFunctions  = `{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"arn:aws:lambda:us-east-1:111122223333:function:*"}`
	writeRoles     = `{"Effect":"Allow","Action":"IAM:putrolepolicy","Resource":"*"}`
	denyPrivate    = `{"Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::amzn-s3-demo-bucket/private/*"}`
	foreignInTrust = "another account, " + foreign
)

// roleEvasion is what somebody does to become a role, or to have it do more, unseen.
type roleEvasion struct {
	name    string
	before  []step // the owner's, approved
	attack  []step
	record  func(map[string]any)
	reverse bool // the records come in reverse
	want    []string
	says    string
	later   []string // what the next sweep adds
	late    []string // what is told where IAM shows late; nil: the same
}

func trustEvasions() []roleEvasion {
	widened := func(exposure, where string) []string {
		return []string{"opened trust-widened critical " + exposure + " " + where + ":trust"}
	}
	transient := []string{"transient trust-widened critical external orders:trust"}
	deploy := []step{silently(createProvider(githubARN, "sts.amazonaws.com"), saml("Create", "people")), createRole("deploy", trustGitHub), createRole("staff", trustSAML)}
	batch := []step{createRole("batch", trustLambda), createRole("reports", trustLambda, trustBatch)}
	wide, narrow := trust("orders", trustLambda, trustForeign), trust("orders", trustLambda)
	return []roleEvasion{
		{name: "trust to a foreign root as a bare id", attack: []step{wide}, want: widened("external", "orders"), says: foreignInTrust},
		{name: "the functions that run as the role", attack: []step{wide}, want: widened("external", "orders"), says: "the function orders runs as the role"},
		{name: "trust to anybody under conditions that pin nothing", attack: []step{trust("orders", trustLambda, trustAnybody)}, want: widened("public", "orders"), says: "anyone"},
		{name: "trust to everybody but one", attack: []step{trust("orders", trustLambda, strings.Replace(trustForeign, "Principal", "NotPrincipal", 1))}, want: widened("public", "orders")},
		{name: "a provider's token without subject", before: deploy, attack: []step{trust("deploy", trustAnyRepo)}, want: widened("public", "deploy")},
		{name: "a new role for a provider's token without subject", before: deploy, attack: []step{createRole("team/deploy-too", trustAnyRepo)}, want: widened("public", "deploy-too")},
		{name: "a provider's client id", before: deploy, attack: []step{addClient(githubARN, "https://github.com/attacker")}, want: []string{"transient trust-widened high external deploy:trust"}, says: githubARN},
		{name: "a SAML provider's metadata", before: deploy, attack: []step{saml("Update", "people")}, want: []string{"transient trust-widened high external staff:trust"}, says: "saml-provider/people"},
		{name: "a profile of Roles Anywhere", attack: []step{anchor("Create"), handOut("Create", "orders", "batch")}, before: batch[:1], want: []string{"transient trust-widened high external orders:trust", "transient trust-widened high external batch:trust"}, says: "certificate"},
		{name: "a trust anchor of a role that trusts Roles Anywhere", before: []step{createRole("machines", trustAnywhere)}, attack: []step{anchor("Create")}, want: []string{"transient trust-widened high external machines:trust"}},
		{name: "an instance profile", before: batch[:1], attack: []step{intoProfile("batch", "web")}, want: []string{"transient trust-widened informational internal batch:trust"}, says: "instance profile web"},
		{name: "an instance profile, of a role that functions run as", attack: []step{intoProfile("orders", "web")}, want: []string{"transient trust-widened medium internal orders:trust"}, says: "the function orders runs as the role"},
		{
			name: "a role deleted and made again for another", before: batch, attack: []step{deleteRole("batch"), createRole("batch", trustForeign)},
			want:  append(widened("external", "batch"), "opened trust-narrowed medium nobody batch:trust"),
			later: []string{"opened trust-narrowed low nobody reports:trust"}, // it names the old role by its id now
		},
		{
			name: "padded trust policy", attack: []step{wide}, record: omitAll,
			want: append(widened("external", "orders"), "opened unreadable-change medium unknown account"),
		},
		{name: "two changes in one second, in reverse, and wide at the end", attack: []step{steps(narrow, wide)}, reverse: true, want: widened("external", "orders")},
		{name: "two changes in one second, in reverse, and narrow at the end", attack: []step{steps(wide, narrow)}, reverse: true, want: transient},
		{name: "trust widened and reverted within seconds", attack: []step{wide, narrow}, want: transient, says: "it stood for 1s, until " + mallory.caller.ARN + " took it away (UpdateAssumeRolePolicy)"},
		{name: "a role for strangers made and deleted within seconds", attack: []step{createRole("batch", trustForeign), deleteRole("batch")}, want: []string{"transient trust-widened critical external batch:trust"}, says: foreignInTrust},
	}
}

func rightsEvasions() []roleEvasion {
	widened := func(severity string, names ...string) (list []string) {
		for _, name := range names {
			list = append(list, "opened permissions-widened "+severity+" "+name+":identity")
		}
		return list
	}
	shared := []step{
		createPolicy("base", logging), createParty("user/ann"), createParty("group/staff"), attach("role/orders", policyARN+"base"),
		attach("role/ingest", policyARN+"base"), attach("user/ann", policyARN+"base"), attach("group/staff", policyARN+"base"),
	}
	const critical = "critical"
	gone := []string{"transient permissions-widened critical orders:identity"}
	return []roleEvasion{
		{
			name: "a new default version of a shared policy", before: shared, attack: []step{newVersion("base", true, logging, invokeAll)},
			want: append(widened("medium", "orders", "ingest"), widened("informational", "ann", "staff")...), says: "can invoke every function",
		},
		{name: "a version that becomes the default later", before: shared[:4], attack: []step{newVersion("base", false, anything), setDefault("base", "v2")}, want: widened(critical, "orders"), says: "administrator"},
		{name: "a version that becomes the default in the same second, in reverse", before: shared[:4], attack: []step{steps(newVersion("base", false, anything), setDefault("base", "v2"))}, reverse: true, want: widened(critical, "orders")},
		{name: "everything but a little", attack: []step{inline("role/orders", "x", butOrganize)}, want: widened(critical, "orders")},
		{name: "an inline policy under a name that says little", attack: []step{inline("role/orders", "AWSLambdaBasicExecutionRole", writeRoles)}, want: widened(critical, "orders"), says: "can write any policy into any role"},
		{name: "the approved policy under its name, with more", attack: []step{inline("role/orders", "rights", readBucket, anything)}, want: widened(critical, "orders")},
		{name: "an administrator", attack: []step{attach("role/orders", adminARN)}, want: widened(critical, "orders"), says: "the function orders runs as the role"},
		{
			name: "a Deny taken out of a policy", before: []step{inline("role/orders", "rights", useBuckets, denyPrivate)}, attack: []step{inline("role/orders", "rights", useBuckets)},
			want: widened("medium", "orders"), says: "a Deny of the baseline is gone",
		},
		{
			name: "the right to pass a role in one policy, to make functions in another", attack: []step{inline("role/orders", "a", passAny), attach("role/orders", policyARN+"make")},
			before: []step{createPolicy("make", makeFunctions)}, want: widened(critical, "orders", "orders"), says: "as a role that it passes to a new function",
		},
		{name: "padded policy", attack: []step{inline("role/orders", "x", anything)}, record: omitAll, want: append(widened(critical, "orders"), "opened unreadable-change medium unknown account")},
		{name: "a policy of AWS that AWS changed", before: []step{attach("role/orders", basicARN)}, attack: []step{changedByAWS(basicARN, logging, anything)}, later: widened(critical, "orders")},
		{name: "a user who is an administrator", before: shared[1:2], attack: []step{attach("user/ann", adminARN)}, want: widened("informational", "ann"), says: "the user may do more with functions"},
		{
			name: "a user who joins a group", before: []step{createParty("user/ann"), createParty("group/callers")}, attack: []step{inline("group/callers", "call", invokeAll), join("ann", "callers")},
			want: widened("informational", "ann", "callers"),
		},
		{name: "a user of another name", before: shared[1:2], attack: []step{attach("user/ann", adminARN), rename("user/ann", "bea")}, want: append(widened("informational", "bea"), "transient permissions-widened informational ann:identity")},
		{
			name: "a Deny that was gone for seconds", before: []step{inline("role/orders", "rights", useBuckets), inline("role/orders", "no", denyPrivate)}, attack: []step{uninline("role/orders", "no"), inline("role/orders", "no", denyPrivate)},
			want: []string{"transient permissions-widened medium orders:identity"}, says: "a Deny of the baseline is gone",
		},
		{
			name: "a role made, made an administrator, and deleted within seconds", attack: []step{createRole("batch", trustForeign), inline("role/batch", "x", anything), uninline("role/batch", "x"), deleteRole("batch")},
			want: []string{"transient trust-widened critical external batch:trust", "transient permissions-widened critical batch:identity"}, says: "administrator",
			late: []string{
				"opened trust-widened critical external batch:trust", "resolved trust-widened critical external batch:trust",
				"opened permissions-widened critical batch:identity", "resolved permissions-widened critical batch:identity",
			},
		},
		{name: "an inline policy that came and went", attack: []step{inline("role/orders", "x", anything), uninline("role/orders", "x")}, want: gone, says: "it stood for 1s"},
		{name: "an administrator for seconds", attack: []step{attach("role/orders", adminARN), detach("role/orders", adminARN)}, want: gone},
		{
			name: "a policy for seconds", before: []step{createPolicy("make", anything)}, attack: []step{attach("role/orders", policyARN+"make"), detach("role/orders", policyARN+"make")},
			want: []string{"transient permissions-widened medium orders:identity"}, says: "it stood for 1s",
		},
		{name: "a default version for seconds", before: shared[:4], attack: []step{newVersion("base", true, anything), setDefault("base", "v1")}, want: gone},
		{name: "an older version for seconds", before: append(slices.Clip(shared[:4]), newVersion("base", false, anything)), attack: []step{setDefault("base", "v2"), setDefault("base", "v1")}, want: []string{"transient permissions-widened medium orders:identity"}, says: "in no event"},
	}
}

func boundaryEvasions() []roleEvasion {
	removed := func(severity string) []string {
		return []string{"opened boundary-removed " + severity + " orders:boundary"}
	}
	admin := []step{createPolicy("edge", useBuckets), bound("role/orders", policyARN+"edge"), inline("role/orders", "rights", anything)}
	wide := createPolicy("wide", strings.Replace(useBuckets, `"s3:*"`, `["s3:*","sqs:*"]`, 1))
	return []roleEvasion{
		{name: "boundary deleted", before: bounded("orders"), attack: []step{unbound("role/orders")}, want: removed("medium"), says: "sqs:SendMessage"},
		{name: "boundary of an administrator deleted", before: admin, attack: []step{unbound("role/orders")}, want: removed("critical"), says: "administrator"},
		{name: "a wider boundary", before: append(bounded("orders"), wide), attack: []step{bound("role/orders", policyARN+"wide")}, want: removed("medium"), says: "wider than approved"},
		{name: "a new version of the boundary", before: bounded("orders"), attack: []step{newVersion("edge", true, anything)}, want: removed("medium"), says: "wider than approved"},
		{name: "a boundary for seconds that is none", before: admin, attack: []step{bound("role/orders", adminARN), bound("role/orders", policyARN+"edge")}, want: []string{"transient boundary-removed critical orders:boundary"}},
		{name: "a wider boundary for seconds", before: append(slices.Clip(admin), wide), attack: []step{bound("role/orders", policyARN+"wide"), bound("role/orders", policyARN+"edge")}, want: []string{"transient boundary-removed medium orders:boundary"}},
		{name: "a boundary that was gone for seconds", before: admin, attack: []step{unbound("role/orders"), bound("role/orders", policyARN+"edge")}, want: []string{"transient boundary-removed critical orders:boundary"}},
	}
}

// Each way to become a role unseen, or to have it do more, is announced exactly
// once, whether IAM shows at once what was done or two seconds later.
func TestRoleEvasionsAreAnnounced(t *testing.T) {
	all := slices.Concat(trustEvasions(), rightsEvasions(), boundaryEvasions())
	for _, lag := range []time.Duration{0, 2 * time.Second} {
		for _, c := range all {
			name := c.name
			if lag > 0 {
				name += ", shown late"
			}
			t.Run(name, func(t *testing.T) { c.run(t, lag) })
		}
	}
	if len(all) < 46 {
		t.Errorf("only %d evasions ran", len(all))
	}
}

func (c roleEvasion) run(t *testing.T, lag time.Duration) {
	t.Helper()
	w := newWorld(t)
	w.begin(c.before...)
	if w.iam.stale(lag); lag > 0 && c.late != nil {
		c.want = c.late
	}
	records := w.do(mallory, c.attack...)
	if c.reverse {
		slices.Reverse(records)
	}
	for _, record := range records {
		if c.record != nil {
			record = edit(t, record, c.record)
		}
		w.deliver(record)
	}
	w.settle()
	w.wantSent(c.want...)
	if len(c.want) > 0 {
		w.wantTold(mallory, c.says)
	}
	w.sweep()
	w.wantSent(append(c.later, c.want...)...) // nothing is told twice
	if len(w.dead) > 0 {
		t.Errorf("%d messages died", len(w.dead))
	}
}
