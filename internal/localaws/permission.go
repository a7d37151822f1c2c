package localaws

import "strings"

// permission is the body of AddPermission.
type permission struct {
	StatementID           string `json:"StatementId"`
	Action                string
	Principal             string
	SourceArn             string
	SourceAccount         string
	PrincipalOrgID        string
	EventSourceToken      string
	FunctionURLAuthType   string `json:"FunctionUrlAuthType"`
	InvokedViaFunctionURL *bool  `json:"InvokedViaFunctionUrl"`
	RevisionID            string `json:"RevisionId"`
}

func (s *Server) addPermission(q *request) (any, *apiError) {
	var p permission
	if err := q.decode(&p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	n, err := s.target(q)
	if err != nil {
		return nil, err
	}
	principal, err := p.principal(n.region)
	if err != nil {
		return nil, err
	}
	f, err := q.st.grantee(n)
	if err != nil {
		return nil, err
	}
	line, failure := encode(p.statement(principal, n.arn()))
	if failure != nil {
		return nil, fault("ServiceException", "writing the statement: %v", failure)
	}
	pol := f.policies[n.qualifier].clone()
	if pol == nil {
		pol = newPolicy()
	}
	if pol.index(p.StatementID) >= 0 {
		return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", p.StatementID)
	}
	if !isLatest(p.RevisionID, s.policyRevision(f, n.qualifier)) {
		return nil, s.stalePolicy()
	}
	pol.statements, pol.text = append(pol.statements, line), ""
	if size := len(pol.document()); size > maxPolicy {
		return nil, fault("PolicyLengthExceededException", "The final policy size (%d) is bigger than the limit (%d).", size, maxPolicy)
	}
	q.st.save(n.function)
	s.setPolicy(f, n.qualifier, pol, !s.options.PermissionKeepsRevision)
	return object{"Statement": string(line)}, nil
}

func (p *permission) check() *apiError {
	switch {
	case !sidExpr.MatchString(p.StatementID):
		return constraint("statementId", p.StatementID, sidPattern)
	case !actionExpr.MatchString(p.Action):
		return constraint("action", p.Action, actionPattern)
	case p.FunctionURLAuthType != "" && p.Action != "lambda:InvokeFunctionUrl":
		return invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
	}
	return nil
}

// principal is how the statement spells the caller's Principal.
func (p *permission) principal(region string) (any, *apiError) {
	service := strings.HasSuffix(p.Principal, ".amazonaws.com") || strings.HasSuffix(p.Principal, ".amazonaws.com.cn") || strings.HasSuffix(p.Principal, ".amazon.com")
	switch {
	case p.Principal == "*":
		return "*", nil
	case accountExpr.MatchString(p.Principal):
		return object{"AWS": rootARN(region, p.Principal)}, nil
	case strings.HasPrefix(p.Principal, "arn:"):
		return object{"AWS": p.Principal}, nil
	case service:
		return object{"Service": p.Principal}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

func rootARN(region, account string) string {
	return "arn:" + partition(region) + ":iam::" + account + ":root"
}

func (p *permission) statement(principal any, arn string) statement {
	st := statement{Sid: p.StatementID, Effect: "Allow", Principal: principal, Action: p.Action, Resource: arn}
	var c condition
	if eq := (stringEquals{p.SourceAccount, p.FunctionURLAuthType, p.PrincipalOrgID, p.EventSourceToken}); eq != (stringEquals{}) {
		c.StringEquals = &eq
	}
	if p.InvokedViaFunctionURL != nil {
		value := "false"
		if *p.InvokedViaFunctionURL {
			value = "true"
		}
		c.Bool = map[string]string{"lambda:InvokedViaFunctionUrl": value}
	}
	if p.SourceArn != "" {
		c.ArnLike = map[string]string{"AWS:SourceArn": p.SourceArn}
	}
	if c.StringEquals != nil || c.Bool != nil || c.ArnLike != nil {
		st.Condition = &c
	}
	return st
}

// grantee is the function whose place may get a policy.
func (st *store) grantee(n name) (*function, *apiError) {
	if n.qualifier == latest {
		return nil, invalid("We currently do not support adding policies for $LATEST.")
	}
	f := st.functions[n.function]
	switch {
	case f == nil:
		return nil, notFound("Function not found: %s", n.arn())
	case f.place(n.qualifier) == nil && isAlias(n.qualifier):
		return nil, notFound("Cannot find alias arn: %s", n.arn())
	case f.place(n.qualifier) == nil:
		return nil, notFound("Function not found: %s", n.arn())
	}
	return f, nil
}

func (s *Server) removePermission(q *request) (any, *apiError) {
	n, err := s.target(q)
	if err != nil {
		return nil, err
	}
	if q.st.functions[n.function] == nil {
		return nil, notFound("No policy found for: %s", n.arn())
	}
	f, err := q.st.grantee(n)
	if err != nil {
		return nil, err
	}
	pol := f.policies[n.qualifier].clone()
	if pol == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	sid := q.params["StatementId"]
	i := pol.index(sid)
	if i < 0 {
		return nil, notFound("Statement %s is not found in resource policy.", sid)
	}
	if !isLatest(q.query.Get("RevisionId"), s.policyRevision(f, n.qualifier)) {
		return nil, s.stalePolicy()
	}
	pol.statements, pol.text = append(pol.statements[:i], pol.statements[i+1:]...), ""
	q.st.save(n.function)
	if len(pol.statements) == 0 {
		pol = nil
	}
	s.setPolicy(f, n.qualifier, pol, !s.options.PermissionKeepsRevision)
	return nil, nil
}

func (s *Server) getPolicy(q *request) (any, *apiError) {
	n, err := s.target(q)
	if err != nil {
		return nil, err
	}
	f := q.st.function(n.function, q.stale)
	if f == nil || f.policies[n.qualifier] == nil {
		return nil, missing()
	}
	pol := f.policies[n.qualifier]
	document := pol.document()
	if !s.options.GetPolicyShowsJSON {
		shown := pol.plain()
		if len(shown) == 0 {
			return nil, missing()
		}
		if len(shown) < len(pol.statements) {
			document = render(pol.version, pol.id, shown)
		}
	}
	return object{"Policy": document, "RevisionId": s.policyRevision(f, n.qualifier)}, nil
}

// policyRevision is the RevisionId that AddPermission, RemovePermission and
// GetPolicy go by.
func (s *Server) policyRevision(f *function, qualifier string) string {
	if p := f.policies[qualifier]; p != nil && !s.options.SharedRevisions {
		return p.revision
	}
	return text(f.place(qualifier), "RevisionId")
}

func (s *Server) stalePolicy() *apiError {
	if s.options.SharedRevisions {
		return stale("GetFunction/GetAlias")
	}
	return stale("GetPolicy")
}

// setPolicy puts, replaces or (nil) removes the policy of a place.
func (s *Server) setPolicy(f *function, qualifier string, p *policy, bump bool) {
	if bump || s.options.SharedRevisions {
		f.place(qualifier)["RevisionId"] = newID()
	}
	if p == nil {
		delete(f.policies, qualifier)
		return
	}
	p.revision = newID()
	f.policies[qualifier] = p
}

// resourceTarget finds the function of a JSON policy's ResourceArn.
func (s *Server) resourceTarget(q *request) (name, *apiError) {
	n, err := splitARN(q.params["ResourceArn"])
	if err != nil {
		return n, fault("ValidationException", "1 validation error detected: %v", err)
	}
	return n, s.reach(q, &n)
}

func (s *Server) putResourcePolicy(q *request) (any, *apiError) {
	n, err := s.resourceTarget(q)
	if err != nil {
		return nil, err
	}
	f, err := q.st.grantee(n)
	if err != nil {
		return nil, err
	}
	document := text(q.body, "Policy")
	if len(document) > maxPolicy {
		return nil, fault("PolicyLengthExceededException", "The final policy size (%d) is bigger than the limit (%d).", len(document), maxPolicy)
	}
	pol, failure := parsePolicy(document)
	if failure != nil {
		return nil, invalid("%v", failure)
	}
	if err := jsonLatest(f, n.qualifier, text(q.body, "RevisionId")); err != nil {
		return nil, err
	}
	q.st.save(n.function)
	s.putPolicy(f, n.qualifier, pol)
	return object{"Policy": document, "RevisionId": pol.revision}, nil
}

// putPolicy is setPolicy for a JSON policy, which keeps RevisionIds as
// PutChangesRevision says.
func (s *Server) putPolicy(f *function, qualifier string, p *policy) {
	if s.options.PutChangesRevision {
		f.place(qualifier)["RevisionId"] = newID()
	}
	if p == nil {
		delete(f.policies, qualifier)
		return
	}
	p.revision = newID()
	f.policies[qualifier] = p
}

// jsonLatest checks the RevisionId of the JSON policies' API, which is the
// policy's own.
func jsonLatest(f *function, qualifier, given string) *apiError {
	current := text(f.place(qualifier), "RevisionId")
	if p := f.policies[qualifier]; p != nil {
		current = p.revision
	}
	if !isLatest(given, current) {
		return stale("GetResourcePolicy")
	}
	return nil
}

func (s *Server) getResourcePolicy(q *request) (any, *apiError) {
	n, err := s.resourceTarget(q)
	if err != nil {
		return nil, err
	}
	f := q.st.function(n.function, q.stale)
	if f == nil || f.policies[n.qualifier] == nil {
		return nil, missing()
	}
	p := f.policies[n.qualifier]
	return object{"Policy": p.document(), "RevisionId": p.revision}, nil
}

func (s *Server) deleteResourcePolicy(q *request) (any, *apiError) {
	n, err := s.resourceTarget(q)
	if err != nil {
		return nil, err
	}
	f, err := q.st.grantee(n)
	if err != nil {
		return nil, err
	}
	if f.policies[n.qualifier] == nil {
		return nil, missing()
	}
	if err := jsonLatest(f, n.qualifier, q.query.Get("RevisionId")); err != nil {
		return nil, err
	}
	q.st.save(n.function)
	s.putPolicy(f, n.qualifier, nil)
	return nil, nil
}
