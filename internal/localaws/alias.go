package localaws

import "maps"

func (s *Server) createAlias(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	alias := text(q.body, "Name")
	if !isAlias(alias) {
		return nil, constraint("name", alias, `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`)
	}
	n.qualifier = alias
	if f.aliases[alias] != nil {
		return nil, conflict("Alias already exists: %s", n.arn())
	}
	version := text(q.body, "FunctionVersion")
	if err := f.versioned(n, version); err != nil {
		return nil, err
	}
	a := object{"AliasArn": n.arn(), "Name": alias, "FunctionVersion": version, "Description": text(q.body, "Description"), "RevisionId": newID()}
	setRouting(a, q.body)
	q.st.save(n.function)
	f.aliases[alias] = a
	return maps.Clone(a), nil
}

// versioned says whether an alias may point to a version.
func (f *function) versioned(n name, version string) *apiError {
	if version == latest || f.versions[version] != nil {
		return nil
	}
	n.qualifier = version
	return notFound("Function not found: %s", n.arn())
}

// setRouting takes a RoutingConfig; an empty one removes it.
func setRouting(a, body object) {
	routing, ok := body["RoutingConfig"].(map[string]any)
	if !ok {
		return
	}
	if weights, _ := routing["AdditionalVersionWeights"].(map[string]any); len(weights) > 0 {
		a["RoutingConfig"] = routing
		return
	}
	delete(a, "RoutingConfig")
}

func (s *Server) getAlias(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	n.qualifier = q.params["Name"]
	if a := f.aliases[n.qualifier]; a != nil {
		return a, nil
	}
	return nil, notFound("Cannot find alias arn: %s", n.arn())
}

func (s *Server) updateAlias(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	n.qualifier = q.params["Name"]
	a := f.aliases[n.qualifier]
	if a == nil {
		return nil, notFound("Alias not found: %s", n.arn())
	}
	if !isLatest(text(q.body, "RevisionId"), text(a, "RevisionId")) {
		return nil, stale("GetFunction/GetAlias")
	}
	version := text(q.body, "FunctionVersion")
	if version != "" {
		if err := f.versioned(n, version); err != nil {
			return nil, err
		}
	}
	q.st.save(n.function)
	if version != "" {
		a["FunctionVersion"] = version
	}
	if d := q.body["Description"]; d != nil {
		a["Description"] = d
	}
	setRouting(a, q.body)
	a["RevisionId"] = newID()
	return maps.Clone(a), nil
}

func (s *Server) deleteAlias(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	alias := q.params["Name"]
	q.st.save(n.function)
	delete(f.aliases, alias)
	if isAlias(alias) {
		delete(f.policies, alias)
		delete(f.urls, alias)
	}
	return nil, nil
}
