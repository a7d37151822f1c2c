package line_test

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// scene is a call to Lambda, made over the wire, and what is concluded from it.
type scene struct {
	before []step // the owner's, approved
	ground []step // made after that, and told to nobody
	step   step
	want   string
}

// row is a call in the scenes in which it takes effect. Refused it is nothing;
// unknown and omitted are what the first scene comes to then.
type row struct {
	service            string // empty: lambda
	call               string
	events             []string // as CloudTrail spells it; nil: as the API does
	differs, same, own scene
	unknown, omitted   string
}

// steps makes one call of several; only the last one's record is looked at.
func steps(list ...step) step {
	return func(ctx context.Context, c actor) error {
		for _, s := range list {
			if err := s(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

const permdriftAuditor = "permdrift-auditor"

func lambdaRows() []row {
	apiGrant := grant("orders", "api", api, source(ourAPI))
	liveGrant := grant("orders", "api", api, source(ourAPI), at("live"))
	const (
		narrowed = "policy-narrowed medium"
		blinded  = "audit-blinded critical"
		omission = "unreadable-change medium"
	)
	return []row{
		{
			call: "AddPermission", events: []string{"AddPermission20150331v2", "AddPermission20150331", "AddPermission"},
			differs: scene{step: grant("orders", "open", "*"), want: "policy-widened critical"},
			same:    scene{before: []step{apiGrant}, step: grant("orders", "api2", api, source(ourAPI)), want: nothing},
			own:     scene{step: grant(permdriftAuditor, "api", api, source(ourAPI)), want: blinded + ", policy-widened low"},
			unknown: "policy-widened critical", omitted: "policy-widened critical, " + omission,
		},
		{
			call: "RemovePermission", events: []string{"RemovePermission20150331v2", "RemovePermission20150331", "RemovePermission"},
			differs: scene{before: []step{apiGrant}, step: revoke("orders", "", "api"), want: narrowed},
			same:    scene{before: []step{apiGrant, grant("orders", "api2", api, source(ourAPI))}, step: revoke("orders", "", "api2"), want: nothing},
			own:     scene{before: []step{grant(permdriftAuditor, "api", api, source(ourAPI))}, step: revoke(permdriftAuditor, "", "api"), want: blinded + ", " + narrowed},
			unknown: narrowed, omitted: omission,
		},
		{
			call: "PutResourcePolicy", events: []string{"PutResourcePolicy", "PutResourcePolicy20260709"},
			differs: scene{before: []step{put(ordersARN, allowOurRoot)}, step: put(ordersARN, allowOurRoot, allowAnyone), want: "policy-widened critical"},
			same:    scene{before: []step{put(ordersARN, allowOurRoot)}, step: put(ordersARN, allowOurRoot), want: nothing},
			own:     scene{step: put(auditorARN, allowOurRoot), want: blinded + ", policy-widened low"},
			unknown: "policy-widened critical", omitted: omission,
		},
		{
			call: "DeleteResourcePolicy", events: []string{"DeleteResourcePolicy", "DeleteResourcePolicy20260709"},
			differs: scene{before: []step{put(ordersARN, allowOurRoot)}, step: clearPolicy(ordersARN), want: "policy-narrowed low"},
			same:    scene{ground: []step{put(ordersARN, allowOurRoot)}, step: clearPolicy(ordersARN), want: nothing},
			own:     scene{ground: []step{put(auditorARN, allowOurRoot)}, step: clearPolicy(auditorARN), want: blinded},
			unknown: "policy-narrowed low", omitted: omission,
		},
		{
			call: "CreateFunction", events: []string{"CreateFunction20150331", "CreateFunction"},
			differs: scene{step: steps(deleteFunction("orders"), createFunction("orders", "administrator")), want: "role-replaced critical"},
			same:    scene{step: createFunction("reports", "reports"), want: nothing},
			own:     scene{step: createFunction("permdrift-other", "reports"), want: blinded},
			unknown: "role-replaced critical", omitted: "role-replaced critical, " + omission,
		},
		{
			call: "DeleteFunction", events: []string{"DeleteFunction20150331", "DeleteFunction"},
			differs: scene{before: []step{apiGrant}, step: deleteFunction("orders"), want: narrowed},
			same:    scene{step: deleteFunction("orders"), want: nothing},
			own:     scene{step: deleteFunction(permdriftAuditor), want: blinded},
			unknown: narrowed, omitted: omission,
		},
		{
			call: "UpdateFunctionConfiguration", events: []string{"UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration20150331", "UpdateFunctionConfiguration"},
			differs: scene{step: setRole("orders", "administrator"), want: "role-replaced critical"},
			same:    scene{step: setTimeout("orders", 30), want: nothing},
			own:     scene{step: setTimeout(permdriftAuditor, 30), want: blinded},
			unknown: "role-replaced critical", omitted: "role-replaced critical, " + omission,
		},
		{
			call: "UpdateFunctionCode", events: []string{"UpdateFunctionCode20150331v2", "UpdateFunctionCode20150331", "UpdateFunctionCode"},
			same:    scene{step: deployCode("orders", "v2"), want: nothing},
			own:     scene{step: deployCode(permdriftAuditor, "v2"), want: blinded},
			unknown: nothing, omitted: omission,
		},
		{
			call: "PublishVersion", events: []string{"PublishVersion20150331", "PublishVersion"},
			same:    scene{ground: []step{deployCode("orders", "v2")}, step: publish("orders"), want: nothing},
			own:     scene{ground: []step{deployCode(permdriftAuditor, "v2")}, step: publish(permdriftAuditor), want: nothing},
			unknown: nothing, omitted: omission,
		},
		{
			call: "CreateAlias", events: []string{"CreateAlias20150331", "CreateAlias"},
			same:    scene{step: createAlias("orders", "canary", "1"), want: nothing},
			own:     scene{step: createAlias(permdriftAuditor, "canary", "1"), want: nothing},
			unknown: nothing, omitted: omission,
		},
		{
			call: "UpdateAlias", events: []string{"UpdateAlias20150331", "UpdateAlias"},
			differs: scene{before: []step{grant("orders", "partner", foreign, at("live"))}, step: pointAlias("orders", "live", "1"), want: "alias-repointed informational (transient)"},
			same:    scene{before: []step{liveGrant}, step: pointAlias("orders", "live", "1"), want: nothing},
			own:     scene{step: pointAlias(permdriftAuditor, "live", "1"), want: nothing},
			unknown: nothing, omitted: omission,
		},
		{
			call: "DeleteAlias", events: []string{"DeleteAlias20150331", "DeleteAlias"},
			differs: scene{before: []step{liveGrant}, step: deleteAlias("orders", "live"), want: narrowed},
			same:    scene{step: deleteAlias("orders", "live"), want: nothing},
			own:     scene{step: deleteAlias(permdriftAuditor, "live"), want: nothing},
			unknown: narrowed, omitted: omission,
		},
		{
			call: "PutFunctionConcurrency", events: []string{"PutFunctionConcurrency20171031", "PutFunctionConcurrency"},
			same:    scene{step: reserve("orders", 0), want: nothing},
			own:     scene{step: reserve(permdriftAuditor, 0), want: blinded},
			unknown: nothing, omitted: omission,
		},
		{
			call:    "CreateFunctionUrlConfig",
			differs: scene{step: createURL("orders", "", "NONE"), want: "url-opened medium"},
			same:    scene{before: []step{createURL("orders", "", "AWS_IAM")}, ground: []step{deleteURL("orders", "")}, step: createURL("orders", "", "AWS_IAM"), want: nothing},
			own:     scene{step: createURL(permdriftAuditor, "", "AWS_IAM"), want: "url-opened low"},
			unknown: "url-opened medium", omitted: omission + ", url-opened medium",
		},
		{
			call:    "UpdateFunctionUrlConfig",
			differs: scene{before: []step{createURL("orders", "", "AWS_IAM")}, step: updateURL("orders", "", "NONE", nil), want: "url-opened medium"},
			same:    scene{before: []step{createURL("orders", "", "NONE")}, step: updateURL("orders", "", "NONE", &types.Cors{}), want: nothing},
			own:     scene{before: []step{createURL(permdriftAuditor, "", "AWS_IAM")}, step: updateURL(permdriftAuditor, "", "NONE", nil), want: "url-opened medium"},
			unknown: "url-opened medium", omitted: omission + ", url-opened medium",
		},
		{
			call:    "DeleteFunctionUrlConfig",
			differs: scene{before: []step{createURL("orders", "", "AWS_IAM")}, step: deleteURL("orders", ""), want: narrowed},
			same:    scene{ground: []step{createURL("orders", "", "AWS_IAM")}, step: deleteURL("orders", ""), want: nothing},
			own:     scene{ground: []step{createURL(permdriftAuditor, "", "AWS_IAM")}, step: deleteURL(permdriftAuditor, ""), want: nothing},
			unknown: narrowed, omitted: omission,
		},
		{
			call: "CreateEventSourceMapping", events: []string{"CreateEventSourceMapping20150331", "CreateEventSourceMapping"},
			differs: scene{step: feed("orders", farQueue), want: "event-source-added high"},
			same:    scene{before: []step{feed("orders", ourQueue)}, ground: []step{unfeed(ourQueue)}, step: feed("orders", ourQueue), want: nothing},
			own:     scene{step: feed(permdriftAuditor, ourQueue), want: blinded + ", event-source-added low"},
			unknown: "event-source-added high", omitted: "event-source-added high, " + omission,
		},
		{
			call: "UpdateEventSourceMapping", events: []string{"UpdateEventSourceMapping20150331", "UpdateEventSourceMapping"},
			differs: scene{before: []step{feed("ingest", farQueue)}, step: repoint(farQueue, "orders"), want: "event-source-added high"},
			same:    scene{before: []step{feed("orders", ourQueue)}, step: enable(ourQueue, true), want: nothing},
			own:     scene{before: []step{feed(permdriftAuditor, ourQueue)}, step: enable(ourQueue, false), want: blinded + ", " + narrowed},
			unknown: "event-source-added high", omitted: "event-source-added high, " + omission,
		},
		{
			call: "DeleteEventSourceMapping", events: []string{"DeleteEventSourceMapping20150331", "DeleteEventSourceMapping"},
			differs: scene{before: []step{feed("orders", ourQueue)}, step: unfeed(ourQueue), want: narrowed},
			same:    scene{ground: []step{feed("orders", ourQueue)}, step: unfeed(ourQueue), want: nothing},
			own:     scene{before: []step{feed(permdriftAuditor, ourQueue)}, step: unfeed(ourQueue), want: blinded + ", " + narrowed},
			unknown: omission, omitted: narrowed + ", " + omission,
		},
		{
			call: "AddLayerVersionPermission", events: []string{"AddLayerVersionPermission20181031", "AddLayerVersionPermission"},
			differs: scene{step: share("all", "*", ""), want: "layer-shared high"},
			same:    scene{before: []step{share("all", "*", "")}, step: share("all2", "*", ""), want: nothing},
			unknown: "layer-shared high", omitted: omission,
		},
		{
			call: "RemoveLayerVersionPermission", events: []string{"RemoveLayerVersionPermission20181031", "RemoveLayerVersionPermission"},
			differs: scene{before: []step{share("all", "*", "")}, step: unshare("all"), want: "policy-narrowed low"},
			same:    scene{before: []step{share("all", "*", ""), share("all2", "*", "")}, step: unshare("all2"), want: nothing},
			unknown: "policy-narrowed low", omitted: omission,
		},
		{
			call: "PublishLayerVersion", events: []string{"PublishLayerVersion20181031", "PublishLayerVersion"},
			same:    scene{step: publishLayer, want: nothing},
			unknown: omission + died, omitted: omission,
		},
		{
			call: "DeleteLayerVersion", events: []string{"DeleteLayerVersion20181031", "DeleteLayerVersion"},
			differs: scene{before: []step{share("all", "*", "")}, step: deleteLayer, want: "policy-narrowed low"},
			same:    scene{step: deleteLayer, want: nothing},
			unknown: "policy-narrowed low", omitted: omission,
		},
	}
}

// cellsOf are the cells of the calls to a service.
func cellsOf(service string, rows []row) []cell {
	var cells []cell
	for _, row := range rows {
		if row.service != "" {
			service = row.service
		}
		main := row.differs
		if main.step == nil {
			main = row.same
		}
		events := row.events
		if events == nil {
			events = []string{row.call}
		}
		for _, event := range events {
			for _, form := range []struct {
				column string
				scene  scene
				want   string
			}{
				{differs, row.differs, row.differs.want},
				{same, row.same, row.same.want},
				{own, row.own, row.own.want},
				{refused, main, nothing},
				{unknown, main, row.unknown},
				{omitted, main, row.omitted},
			} {
				if form.scene.step == nil {
					continue
				}
				cells = append(cells, cell{call: service + " " + row.call, event: event, column: form.column, want: form.want, record: form.scene.play})
			}
		}
	}
	return cells
}

// play makes the calls of a scene and returns the record of the last.
func (s scene) play(w *world) json.RawMessage {
	w.t.Helper()
	w.do(owner, s.before...)
	w.capture()
	w.do(owner, s.ground...)
	records := w.do(mallory, s.step)
	return records[len(records)-1]
}
