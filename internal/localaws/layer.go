package localaws

import (
	"maps"
	"strconv"
	"strings"
)

// layer is one version of a layer.
type layer struct {
	name    string
	version int
	content object // the answer of PublishLayerVersion
	policy  *policy
}

func (l *layer) clone() *layer {
	if l == nil {
		return nil
	}
	c := *l
	c.policy = l.policy.clone()
	return &c
}

// layerARN is the ARN of a layer, or of one version of it.
func layerARN(h home, layer, version string) string {
	arn := "arn:" + partition(h.region) + ":lambda:" + h.region + ":" + h.account + ":layer:" + layer
	if version != "" {
		arn += ":" + version
	}
	return arn
}

// layerName is a layer's name as a caller may spell it: name or ARN.
func layerName(spelled string) string {
	if p := strings.Split(spelled, ":"); len(p) >= 7 {
		return p[6]
	}
	return spelled
}

func (s *Server) publishLayer(q *request) (any, *apiError) {
	content, _ := q.body["Content"].(map[string]any)
	l := s.newLayer(q.home, layerName(q.params["LayerName"]))
	c := object{}
	setCode(c, content)
	c["Location"] = "https://code.example.com/" + newID()
	l.content["Content"] = c
	for _, key := range []string{"CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"} {
		if q.body[key] != nil {
			l.content[key] = q.body[key]
		}
	}
	return l.content, nil
}

// newLayer publishes the next version of a layer.
func (s *Server) newLayer(h home, layerName string) *layer {
	st := s.store(h.account, h.region)
	st.published[layerName]++
	version := st.published[layerName] // never used again, even if deleted
	number := strconv.Itoa(version)
	l := &layer{name: layerName, version: version, content: object{
		"LayerArn": layerARN(h, layerName, ""), "LayerVersionArn": layerARN(h, layerName, number),
		"Version": version, "Description": "", "CreatedDate": s.modified(),
		"Content": object{"CodeSize": 0, "CodeSha256": hash(nil), "Location": "https://code.example.com/" + newID()},
	}}
	st.saveLayer(layerName + ":" + number)
	st.layers[layerName+":"+number] = l
	return l
}

// layer is the layer version that the call names; it must exist.
func (s *Server) layer(q *request) (key string, l *layer, failure *apiError) {
	spelled := q.params["LayerName"]
	if strings.Count(spelled, ":") > 6 {
		return "", nil, constraint("layerName", spelled, layerPattern)
	}
	if strings.HasPrefix(spelled, "arn:") && !strings.HasPrefix(spelled, layerARN(q.home, layerName(spelled), "")) {
		return "", nil, fault("AccessDeniedException", "User: %s is not authorized to perform: lambda:%s on resource: %s:%s because no resource-based policy allows the lambda:%s action",
			q.caller.ARN, q.op.name, spelled, q.params["VersionNumber"], q.op.name)
	}
	key = layerName(spelled) + ":" + q.params["VersionNumber"]
	l = q.st.layers[key]
	if old, ok := q.st.beforeLayers[key]; q.stale && ok {
		l = old
	}
	if l == nil {
		return key, nil, notFound("Layer version %s does not exist.", layerARN(q.home, layerName(spelled), q.params["VersionNumber"]))
	}
	return key, l, nil
}

func (s *Server) getLayer(q *request) (any, *apiError) {
	_, l, err := s.layer(q)
	if err != nil {
		return nil, err
	}
	return l.content, nil
}

// deleteLayer deletes a version with its policy; one that is not there is no error.
func (s *Server) deleteLayer(q *request) (any, *apiError) {
	key, l, err := s.layer(q)
	if l == nil {
		if err != nil && err.code != "ResourceNotFoundException" {
			return nil, err
		}
		return nil, nil
	}
	q.st.saveLayer(key)
	delete(q.st.layers, key)
	return nil, nil
}

func (s *Server) listLayerVersions(q *request) (any, *apiError) {
	var all []item
	for _, l := range q.st.layers {
		if l.name == layerName(q.params["LayerName"]) {
			// Newest first, as at AWS.
			all = append(all, item{versionKey(strconv.Itoa(500_000_000 - l.version)), l.listed()})
		}
	}
	return q.page("LayerVersions", all, 50)
}

func (s *Server) listLayers(q *request) (any, *apiError) {
	newest := map[string]*layer{}
	for _, l := range q.st.layers {
		if old := newest[l.name]; old == nil || old.version < l.version {
			newest[l.name] = l
		}
	}
	var all []item
	for n, l := range newest {
		all = append(all, item{n, object{"LayerName": n, "LayerArn": l.content["LayerArn"], "LatestMatchingVersion": l.listed()}})
	}
	return q.page("Layers", all, 50)
}

// listed is a layer version as lists show it.
func (l *layer) listed() object {
	c := maps.Clone(l.content)
	delete(c, "Content")
	delete(c, "LayerArn")
	return c
}

func (s *Server) addLayerPermission(q *request) (any, *apiError) {
	p := permission{StatementID: text(q.body, "StatementId"), Action: text(q.body, "Action"), Principal: text(q.body, "Principal"), PrincipalOrgID: text(q.body, "OrganizationId")}
	if p.Action != "lambda:GetLayerVersion" {
		return nil, constraint("action", p.Action, "lambda:GetLayerVersion")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	key, l, err := s.layer(q)
	if err != nil {
		return nil, err
	}
	principal, err := p.principal(q.region)
	if err != nil {
		return nil, err
	}
	line, failure := encode(p.statement(principal, text(l.content, "LayerVersionArn")))
	if failure != nil {
		return nil, fault("ServiceException", "writing the statement: %v", failure)
	}
	pol := l.policy.clone()
	if pol == nil {
		pol = newPolicy()
	}
	if pol.index(p.StatementID) >= 0 {
		return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", p.StatementID)
	}
	if !isLatest(q.query.Get("RevisionId"), pol.revision) {
		return nil, stale("GetLayerPolicy")
	}
	q.st.saveLayer(key)
	pol.statements, pol.revision = append(pol.statements, line), newID()
	l.policy = pol
	return object{"Statement": string(line), "RevisionId": pol.revision}, nil
}

func (s *Server) removeLayerPermission(q *request) (any, *apiError) {
	key, l, err := s.layer(q)
	if err != nil {
		return nil, err
	}
	if l.policy == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	sid := q.params["StatementId"]
	i := l.policy.index(sid)
	if i < 0 {
		return nil, notFound("Statement %s is not found in resource policy.", sid)
	}
	if !isLatest(q.query.Get("RevisionId"), l.policy.revision) {
		return nil, stale("GetLayerPolicy")
	}
	q.st.saveLayer(key)
	pol := l.policy.clone()
	pol.statements, pol.revision = append(pol.statements[:i], pol.statements[i+1:]...), newID()
	l.policy = pol
	if len(pol.statements) == 0 {
		l.policy = nil
	}
	return nil, nil
}

func (s *Server) getLayerPolicy(q *request) (any, *apiError) {
	_, l, err := s.layer(q)
	if err != nil {
		return nil, err
	}
	if l.policy == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	return object{"Policy": l.policy.document(), "RevisionId": l.policy.revision}, nil
}
