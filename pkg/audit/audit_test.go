package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/policy"
)

func TestRecordedBeforeAnnounced(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.onSend = func(f drift.Finding, a drift.Announcement) error {
		if row := w.row(); len(row.Pending) != 1 || row.Pending[0].ID != a.ID || row.ID != f.ID {
			t.Errorf("announced %s before it was recorded: %+v", a.ID, row.Pending)
		}
		return nil
	}
	r := w.audit(added(t, "e1", public))
	w.wantAnnounced("opened public")
	if len(r.Findings) != 1 || r.Findings[0].Severity != drift.Critical || len(w.row().Pending) != 0 {
		t.Errorf("got %+v and the row %+v", r.Findings, w.row())
	}
}

func TestRedeliveryAnnouncesNothing(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.audit(added(t, "e1", public))
	version := w.row().Version
	w.audit(added(t, "e1", public))
	w.wantAnnounced("opened public")
	if got := w.row().Version; got != version {
		t.Errorf("a redelivery wrote version %d over %d", got, version)
	}
}

func TestCrashBetweenSaveAndSend(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	if _, err := w.Audit(t.Context(), added(t, "e1", public)); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	w.onSend = nil
	lost := w.row().Pending[0].ID
	_, err := w.Audit(t.Context(), added(t, "e1", public))
	if pending := wantError[*PendingError](t, err); pending.After != AnnounceLease {
		t.Errorf("comes back after %s", pending.After)
	}
	w.wantAnnounced() // somebody may be sending it right now
	w.at = w.at.Add(AnnounceLease)
	w.audit(added(t, "e1", public))
	w.audit(added(t, "e1", public))
	w.wantAnnounced("opened public")
	if w.ids[0] != lost {
		t.Errorf("announced under the id %s, was recorded under %s", w.ids[0], lost)
	}
}

func TestCrashBetweenSendAndClearing(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.onSave = func(f drift.Finding) error {
		if len(f.Pending) == 0 {
			return errOutage
		}
		return nil
	}
	if _, err := w.Audit(t.Context(), added(t, "e1", public)); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	w.onSave, w.at = nil, w.at.Add(time.Minute)
	w.audit(added(t, "e1", public))
	w.wantAnnounced("opened public", "opened public")
	if w.ids[0] != w.ids[1] {
		t.Errorf("the same announcement went out under %s and %s", w.ids[0], w.ids[1])
	}
}

// A crash before the announcement of the opening, and the removal meanwhile:
// both are announced, in order.
func TestLateAnnouncementsKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	_, _ = w.Audit(t.Context(), added(t, "e1", public))
	w.onSend, w.live = nil, nil
	w.audit(swept)
	w.wantAnnounced("opened public", "resolved public")
}

// A crash before the announcement that a finding is resolved: the message that
// resolved it comes back until it is announced.
func TestCrashBeforeResolvedIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.audit(swept)
	w.live = nil
	w.onSend = func(drift.Finding, drift.Announcement) error { return errOutage }
	removed := drift.Change{Subject: orders, Operation: drift.RemoveStatement, Sid: "public", Event: drift.Event{ID: "e2", Time: noon}}
	if _, err := w.Audit(t.Context(), removed); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	w.onSend = nil
	_, err := w.Audit(t.Context(), removed)
	wantError[*PendingError](t, err)
	w.at = w.at.Add(AnnounceLease)
	w.audit(removed)
	w.wantAnnounced("opened public", "resolved public")
}

func TestAnnouncedOldestFirst(t *testing.T) {
	w := newWorld(t)
	for i := range 9 {
		w.live = append(w.live, fmt.Sprintf(statement, fmt.Sprint("s", i), fmt.Sprintf(`{"AWS":"44445555666%d"}`, i)))
	}
	w.audit(swept)
	rows, _ := w.Findings(t.Context(), orders)
	for i, row := range rows { // the store orders them by id
		if w.ids[i] != row.ID+"-1" {
			t.Fatalf("announced %q", w.ids)
		}
	}
}

func TestConflictWithAnotherAuditor(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public, foreign}
	other := newWorld(t)
	other.Bolt, other.live = w.Bolt, w.live
	saves := 0
	w.onSave = func(drift.Finding) error {
		if saves++; saves == 2 { // the first row is written, then the other one comes
			_, err := other.Audit(t.Context(), swept)
			wantError[*PendingError](t, err) // of the first row, which is not his
		}
		return nil
	}
	_, err := w.Audit(t.Context(), swept)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.announced) != 1 || len(other.announced) != 1 || w.announced[0] == other.announced[0] {
		t.Errorf("announced %q and %q, want each finding once", w.announced, other.announced)
	}
}

// Somebody writes the row all the time: the call gives up, but announces what
// it could write.
func TestEndlessConflict(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public, foreign}
	tries := 0
	w.onSave = func(f drift.Finding) error {
		if strings.Join(f.Sids, "") == "foreign" {
			tries++
			return drift.ErrConflict
		}
		return nil
	}
	_, err := w.Audit(t.Context(), swept)
	if !errors.Is(err, drift.ErrConflict) || tries != 8 {
		t.Errorf("got %v after %d tries", err, tries)
	}
	w.wantAnnounced("opened public")
}

// A person approves while the auditor decides: the approval that is there by
// the time of the second decision counts.
func TestApprovedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.audit(swept)
	w.onSave = func(f drift.Finding) error {
		w.onSave = nil
		w.mu.Lock()
		w.approved = []string{public}
		w.mu.Unlock()
		_, err := w.Bolt.Save(t.Context(), drift.Approve(w.row(), w.at))
		return err
	}
	w.at = w.at.Add(time.Hour)
	w.audit(swept)
	w.wantAnnounced("opened public")
	if row := w.row(); row.Status != drift.Accepted {
		t.Errorf("the approved finding is %s", row.Status)
	}
}

// One row that cannot be written, whatever the reason, neither hides the
// others nor keeps them from being announced.
func TestOneBadRow(t *testing.T) {
	w := newWorld(t)
	w.live = []string{own, public, foreign}
	w.onSave = func(f drift.Finding) error {
		if strings.Join(f.Sids, "") == "public" {
			return errOutage
		}
		return nil
	}
	_, err := w.Audit(t.Context(), swept)
	if !errors.Is(err, errOutage) || len(w.announced) != 2 {
		t.Errorf("got %v, announced %q", err, w.announced)
	}
	_, _ = w.Audit(t.Context(), swept)
	if len(w.announced) != 2 {
		t.Errorf("announced again: %q", w.announced)
	}
}

func TestOneBadAnnouncement(t *testing.T) {
	w := newWorld(t)
	w.live = []string{own, public, foreign}
	w.onSend = func(f drift.Finding, _ drift.Announcement) error {
		if f.Sids[0] == "public" {
			return errOutage
		}
		return nil
	}
	_, err := w.Audit(t.Context(), swept)
	if !errors.Is(err, errOutage) || len(w.announced) != 2 {
		t.Errorf("got %v, announced %q", err, w.announced)
	}
}

// A statement of 16 KB whose principals and pins multiply to megabytes.
func TestManyPrincipalsFitIntoARow(t *testing.T) {
	var services, accounts []string
	for i := range 300 {
		services = append(services, fmt.Sprintf(`"service%03d.amazonaws.com"`, i))
		accounts = append(accounts, fmt.Sprintf(`"444455556%03d"`, i))
	}
	wide := strings.Replace(fmt.Sprintf(statement, "wide", `{"Service":[`+strings.Join(services, ",")+`]}`), `"Resource"`,
		`"Condition":{"StringEquals":{"aws:SourceAccount":[`+strings.Join(accounts, ",")+`]}},"Resource"`, 1)
	w := newWorld(t)
	w.live = []string{wide}
	w.audit(swept)
	w.wantAnnounced("opened wide")
	if f := w.row(); f.Exposure != policy.External || len(f.Counterparties) > 51 {
		t.Errorf("got %s and %d counterparties", f.Exposure, len(f.Counterparties))
	}
}

// What is too large for the ledger is recorded and announced without its text.
func TestTooLargeFindingIsKeptInBrief(t *testing.T) {
	w := newWorld(t)
	huge := added(t, "e1", fmt.Sprintf(statement, "huge", `{"AWS":["`+strings.Repeat(`444455556666","`, 40_000)+`444455556666"]}`))
	huge.Event.Time = noon.Add(-time.Hour)
	w.audit(huge)
	w.wantAnnounced("transient")
	if f := w.row(); f.Statement != nil || !strings.HasPrefix(f.Reason, "too large") || f.Severity != drift.High {
		t.Errorf("got %s: %s", f.Severity, f.Reason)
	}
}

// A function that is deleted takes its findings along; one of the same name
// starts anew, with the rows that are there.
func TestFunctionDeletedAndMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.audit(swept)
	w.live = nil
	w.audit(drift.Change{Subject: orders, Whole: true, Operation: drift.DeleteSubject, Event: drift.Event{ID: "e2", Time: noon}})
	w.audit(drift.Change{Subject: orders, Whole: true, Operation: drift.CreateSubject, Event: drift.Event{ID: "e3", Time: noon}})
	w.wantAnnounced("opened public", "resolved public")
	w.live = []string{public}
	w.audit(added(t, "e4", public))
	w.wantAnnounced("opened public", "resolved public", "reopened public")
}

func TestNotAudited(t *testing.T) {
	w := newWorld(t)
	r := w.audit(drift.Change{Subject: "arn:aws:iam::111122223333:user/ana", Operation: drift.PutBoundary})
	if r.NotAudited != "put-boundary of a user is not audited yet" || w.reads != 0 {
		t.Errorf("got %q after %d reads", r.NotAudited, w.reads)
	}
}

func TestFailingReads(t *testing.T) {
	for name, fail := range map[string]func(*world){
		"live":     func(w *world) { w.liveErr = errOutage },
		"baseline": func(w *world) { w.baseErr = errOutage },
	} {
		w := newWorld(t)
		w.live = []string{public}
		w.audit(swept)
		w.live = nil
		fail(w)
		if _, err := w.Audit(t.Context(), swept); !errors.Is(err, errOutage) {
			t.Errorf("%s: got %v", name, err)
		}
		w.wantAnnounced("opened public") // nothing was resolved
	}
}

// An unreadable change of a function that cannot be read, perhaps because it
// is somebody else's, is a finding all the same.
func TestUnreadableChangeOfUnreadableFunction(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	w.audit(swept)
	w.liveErr = errOutage
	change := drift.Change{Subject: orders, Whole: true, Operation: drift.Unreadable, Problem: "omitted", Event: drift.Event{ID: "e1"}}
	for range 2 {
		if _, err := w.Audit(t.Context(), change); !errors.Is(err, errOutage) {
			t.Errorf("got %v", err)
		}
	}
	w.wantAnnounced("opened public", "opened")
	w.liveErr = nil
	w.audit(swept) // a whole read resolves it
	w.audit(change)
	w.wantAnnounced("opened public", "opened", "resolved")
}

// Hundreds of findings take a fixed number of calls each.
func TestManyFindingsTakeLinearCalls(t *testing.T) {
	w := newWorld(t)
	const n = 300
	for i := range n {
		w.live = append(w.live, fmt.Sprintf(statement, fmt.Sprint("s", i), fmt.Sprintf(`{"AWS":"444455556%03d"}`, i)))
	}
	w.audit(swept)
	if len(w.announced) != n || w.saves != 2*n || w.reads != 1 || w.asked != 1 {
		t.Errorf("%d announcements, %d writes, %d reads, %d of the baseline", len(w.announced), w.saves, w.reads, w.asked)
	}
}

func TestCanceledAuditStops(t *testing.T) {
	w := newWorld(t)
	w.live = []string{own, public, foreign}
	ctx, cancel := context.WithCancel(t.Context())
	w.onSave = func(drift.Finding) error { cancel(); return ctx.Err() }
	if _, err := w.Audit(ctx, swept); !errors.Is(err, context.Canceled) || w.saves != 1 {
		t.Errorf("got %v after %d writes", err, w.saves)
	}
}

func TestLearning(t *testing.T) {
	for _, c := range []struct {
		until time.Time
		want  []string
	}{
		{noon.Add(time.Hour), nil},
		{noon.Add(-time.Hour), []string{"opened own"}},
		{noon.Add(drift.MaxLearn + time.Hour), []string{"opened own"}},
		{time.Time{}, []string{"opened own"}},
	} {
		w := newWorld(t)
		w.Context.Unknown, w.Context.LearnUntil = drift.Learn, c.until
		w.live = []string{own}
		w.audit(swept)
		w.wantAnnounced(c.want...)
	}
}

// An alias may be called like a place of a role; it is a place of its own.
func TestOddAliases(t *testing.T) {
	w := newWorld(t)
	w.live = []string{public}
	for _, place := range []drift.Place{"", "unqualified", "trust", "identity"} {
		change := added(t, "e"+string(place), public)
		change.Place = place
		w.audit(change)
	}
	if len(w.announced) != 4 {
		t.Errorf("announced %q", w.announced)
	}
}

// A reader without the key, and without the auditor's settings, reopens nothing
// that the auditor adopted.
func TestReaderWithoutTheKeyTrustsAdoptions(t *testing.T) {
	w := newWorld(t)
	w.Context.Unknown, w.Context.LearnUntil = drift.Learn, noon.Add(time.Hour)
	w.live = []string{own}
	w.audit(swept)
	if row := w.row(); row.Status != drift.Accepted || row.Adoption == nil {
		t.Fatalf("not adopted: %+v", row)
	}
	w.Context.Unknown, w.Context.LearnUntil = drift.Strict, time.Time{}
	w.Seals, w.TrustAdoptions = nil, true
	w.audit(swept)
	w.wantAnnounced()
	w.TrustAdoptions = false
	w.audit(swept)
	w.wantAnnounced("reopened own")
}

// A trust anchor that a record does not name is one of each role that trusts
// Roles Anywhere, and its findings name the functions that run as the role.
func TestChangeOfSomeTrustAnchorIsOfEachRole(t *testing.T) {
	w := newWorld(t)
	w.hanging = []drift.Subject{"arn:aws:iam::111122223333:role/machines", "arn:aws:iam::111122223333:role/robots"}
	report, err := w.Audit(t.Context(), drift.Change{
		Subject: drift.AccountSubject("", "111122223333"), Whole: true, Operation: drift.PutProvider, Event: drift.Event{ID: "e1", Name: "CreateTrustAnchor"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var subjects []drift.Subject
	for _, f := range report.Findings {
		if subjects = append(subjects, f.Subject); f.Kind != drift.TrustWidened || f.Status != drift.Transient || len(f.Functions) != 1 {
			t.Errorf("%s is %s, %s, with the functions %v", f.Subject, f.Kind, f.Status, f.Functions)
		}
	}
	if !slices.Equal(subjects, w.hanging) {
		t.Errorf("found of %v, not audited: %q", subjects, report.NotAudited)
	}
}

// A call about a role or a user as a whole is judged at once: no execution role
// is waited for.
func TestCallsAboutRolesAndUsersAreJudgedAtOnce(t *testing.T) {
	w := newWorld(t)
	for _, subject := range []drift.Subject{"arn:aws:iam::111122223333:role/machines", "arn:aws:iam::111122223333:user/ann"} {
		change := drift.Change{Subject: subject, Whole: true, Operation: drift.Configure, Event: drift.Event{ID: "e1", Name: "UpdateRole", Time: w.clock()}}
		if subject.Kind() == drift.User {
			change.Event.Name = "RemoveUserFromGroup"
		}
		if _, err := w.Audit(t.Context(), change); err != nil {
			t.Errorf("%s: %v", subject, err)
		}
	}
}
