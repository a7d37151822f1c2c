package localaws

import (
	"fmt"
	"strconv"
)

// The methods below write state directly: no call is logged, no quota used,
// no record made. They count as a write for Stale. They panic on an ARN that
// does not name what they need, since that is a mistake in the test.

// AddFunction makes a function, Active, with the execution role of its name,
// and returns its ARN.
func (s *Server) AddFunction(account, region, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.store(account, region)
	st.save(name)
	st.functions[name] = newFunction(s.configuration(home{account, region}, name))
	return functionARN(account, region, name, "")
}

// DeleteFunction removes a function with all that hangs on it, but for its
// event source mappings.
func (s *Server) DeleteFunction(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _, st := s.seeded(arn)
	st.save(n.function)
	delete(st.functions, n.function)
}

// AddVersion publishes $LATEST, changed or not, and returns the version.
func (s *Server) AddVersion(arn string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	st.save(n.function)
	f.changed = true
	return text(s.publish(f, ""), "Version")
}

// AddAlias points an alias, new or not, to a version, and returns its ARN.
func (s *Server) AddAlias(arn, alias, version string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	if err := f.versioned(n, version); err != nil {
		panic(fmt.Sprintf("localaws: adding alias %s to %s: %v", alias, arn, err))
	}
	st.save(n.function)
	n.qualifier = alias
	f.aliases[alias] = object{"AliasArn": n.arn(), "Name": alias, "FunctionVersion": version, "Description": "", "RevisionId": newID()}
	return n.arn()
}

// SetRole replaces the execution role of $LATEST.
func (s *Server) SetRole(arn, role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	st.save(n.function)
	f.latest["Role"], f.latest["RevisionId"], f.changed = role, newID(), true
}

// SetTag sets one tag of a function.
func (s *Server) SetTag(arn, key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	st.save(n.function)
	f.setTags(map[string]any{key: value})
}

// Policy is the document at a place of a function, "" if it has none. The
// qualifier is "" for the function itself.
func (s *Server) Policy(arn, qualifier string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := splitARN(arn)
	if err != nil {
		panic("localaws: " + err.Error())
	}
	f := s.store(n.account, n.region).functions[n.function]
	if f == nil || f.policies[qualifier] == nil {
		return ""
	}
	return f.policies[qualifier].document()
}

// SetPolicy puts a document at a place of a function, as PutResourcePolicy
// would; "" removes it. The RevisionId of the place changes too.
func (s *Server) SetPolicy(arn, qualifier, document string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	if f.place(qualifier) == nil || qualifier == latest {
		panic(fmt.Sprintf("localaws: %s has no place for a policy at %q", arn, qualifier))
	}
	var p *policy
	if document != "" {
		var err error
		if p, err = parsePolicy(document); err != nil {
			panic(fmt.Sprintf("localaws: setting the policy of %s: %v", arn, err))
		}
	}
	st.save(n.function)
	s.setPolicy(f, qualifier, p, true)
}

// SetURL gives a place a function URL with AuthType NONE or AWS_IAM; ""
// removes it.
func (s *Server) SetURL(arn, qualifier, authType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, f, st := s.seeded(arn)
	st.save(n.function)
	if n.qualifier = qualifier; authType == "" {
		delete(f.urls, qualifier)
		return
	}
	s.addURL(f, n, object{"AuthType": authType})
}

// AddMapping maps an event source to a function and returns the UUID.
func (s *Server) AddMapping(functionARN, sourceARN string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _, _ := s.seeded(functionARN)
	m := s.newMapping(home{n.account, n.region}, functionARN, object{"EventSourceArn": sourceARN})
	return text(m, "UUID")
}

// SetMappingState puts a mapping of any account and region into a state such as
// Disabling or Deleting, where AWS may show it for a while.
func (s *Server) SetMappingState(uuid, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.stores {
		if m := st.mappings[uuid]; m != nil {
			st.saveMapping(uuid)
			m["State"] = state
			return
		}
	}
	panic("localaws: there is no event source mapping " + uuid)
}

// AddLayer publishes the next version of a layer and returns its ARN.
func (s *Server) AddLayer(account, region, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return text(s.newLayer(home{account, region}, name).content, "LayerVersionArn")
}

// LayerPolicy is the document of a layer version, "" if it has none.
func (s *Server) LayerPolicy(account, region, name string, version int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.store(account, region).layers[name+":"+strconv.Itoa(version)]
	if l == nil || l.policy == nil {
		return ""
	}
	return l.policy.document()
}

// seeded is the function of an ARN; it must exist.
func (s *Server) seeded(arn string) (name, *function, *store) {
	n, err := splitARN(arn)
	if err != nil {
		panic("localaws: " + err.Error())
	}
	st := s.store(n.account, n.region)
	f := st.functions[n.function]
	if f == nil {
		panic("localaws: there is no function " + arn)
	}
	n.qualifier = ""
	return n, f, st
}
