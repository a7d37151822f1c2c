package localaws

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"reflect"
	"strconv"
)

// configurable are the members of a configuration that Create and
// UpdateFunctionConfiguration take as they are.
var configurable = []string{
	"DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler", "ImageConfig",
	"KMSKeyArn", "LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig", "VpcConfig",
}

func (s *Server) createFunction(q *request) (any, *apiError) {
	n, err := s.resolve(q, text(q.body, "FunctionName"), "")
	if err != nil {
		return nil, err
	}
	if q.st.functions[n.function] != nil {
		return nil, conflict("Function already exist: %s", n.function)
	}
	if text(q.body, "Role") == "" {
		return nil, invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	c := s.configuration(q.home, n.function)
	take(c, q.body)
	code, _ := q.body["Code"].(map[string]any)
	setCode(c, code)
	if a := q.body["Architectures"]; a != nil {
		c["Architectures"] = a
	}
	q.st.save(n.function)
	f := newFunction(c)
	f.setTags(q.body["Tags"])
	q.st.functions[n.function] = f

	answer := maps.Clone(c)
	answer["State"], answer["StateReason"], answer["StateReasonCode"] = "Pending", "The function is being created.", "Creating"
	delete(answer, "LastUpdateStatus")
	c["RevisionId"] = newID() // becoming Active is a change
	if q.body["Publish"] == true {
		answer = s.publish(f, "")
	}
	return answer, nil
}

// configuration is that of a new function: Active, with what Lambda fills in.
func (s *Server) configuration(h home, function string) object {
	return object{
		"FunctionName": function, "FunctionArn": functionARN(h.account, h.region, function, ""),
		"Version": latest, "RevisionId": newID(), "LastModified": s.modified(),
		"State": "Active", "LastUpdateStatus": "Successful",
		"Role":    "arn:" + partition(h.region) + ":iam::" + h.account + ":role/" + function,
		"Runtime": "provided.al2023", "Handler": "bootstrap", "Description": "", "Timeout": 3, "MemorySize": 128,
		"CodeSize": 0, "CodeSha256": hash(nil), "PackageType": "Zip", "Architectures": []string{"x86_64"},
		"EphemeralStorage":     object{"Size": 512},
		"TracingConfig":        object{"Mode": "PassThrough"},
		"SnapStart":            object{"ApplyOn": "None", "OptimizationStatus": "Off"},
		"LoggingConfig":        object{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + function},
		"RuntimeVersionConfig": object{"RuntimeVersionArn": "arn:" + partition(h.region) + ":lambda:" + h.region + "::runtime:0cdcfbdefbc5e7d3343f73c2e2dd3cba17d61dea0686b404502a0c9ce83931b9"},
	}
}

// modified is the time now, as configurations spell it.
func (s *Server) modified() string { return s.now().UTC().Format("2006-01-02T15:04:05.000-0700") }

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// take copies what the caller configures.
func take(c, body object) {
	for _, key := range configurable {
		if v := body[key]; v != nil {
			c[key] = v
		}
	}
	arns, ok := body["Layers"].([]any)
	if !ok {
		return
	}
	var used []object
	for _, arn := range arns {
		used = append(used, object{"Arn": arn, "CodeSize": 0})
	}
	c["Layers"] = used
}

// setCode takes the code of a zip file or, by its address only, of S3 and ECR.
func setCode(c, code object) {
	zip, err := base64.StdEncoding.DecodeString(text(code, "ZipFile"))
	if err != nil || len(zip) == 0 {
		zip = []byte(text(code, "S3Bucket") + "/" + text(code, "S3Key") + text(code, "S3ObjectVersion") + text(code, "ImageUri"))
	}
	c["CodeSize"], c["CodeSha256"] = len(zip), hash(zip)
}

func (f *function) setTags(tags any) {
	given, _ := tags.(map[string]any)
	if f.tags == nil {
		f.tags = map[string]string{}
	}
	for k, v := range given {
		f.tags[k], _ = v.(string)
	}
}

// configurationAt is the configuration that a qualifier shows: an alias shows
// its version's, under its own ARN. Nil if there is none.
func (f *function) configurationAt(n name) object {
	qualifier := n.qualifier
	if alias := f.aliases[qualifier]; alias != nil {
		qualifier = text(alias, "FunctionVersion")
	}
	c := f.versions[qualifier]
	if qualifier == "" || qualifier == latest {
		c = f.latest
	}
	if c == nil {
		return nil
	}
	c = maps.Clone(c)
	c["FunctionArn"] = n.arn()
	return c
}

func (s *Server) getFunctionConfiguration(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	if c := f.configurationAt(n); c != nil {
		return c, nil
	}
	return nil, notFound("Function not found: %s", n.arn())
}

func (s *Server) getFunction(q *request) (any, *apiError) {
	c, err := s.getFunctionConfiguration(q)
	if err != nil {
		return nil, err
	}
	_, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	answer := object{
		"Configuration": c,
		"Code":          object{"RepositoryType": "S3", "Location": "https://code.example.com/" + newID()},
	}
	if len(f.tags) > 0 {
		answer["Tags"] = f.tags
	}
	return answer, nil
}

func (s *Server) updateFunctionCode(q *request) (any, *apiError) {
	n, f, err := s.updatable(q)
	if err != nil {
		return nil, err
	}
	c := maps.Clone(f.latest)
	setCode(c, q.body)
	if a := q.body["Architectures"]; a != nil {
		c["Architectures"] = a
	}
	if q.body["DryRun"] == true {
		return c, nil
	}
	answer := s.update(q, n, f, c)
	if q.body["Publish"] == true {
		answer = s.publish(f, "")
	}
	return answer, nil
}

func (s *Server) updateFunctionConfiguration(q *request) (any, *apiError) {
	n, f, err := s.updatable(q)
	if err != nil {
		return nil, err
	}
	c := maps.Clone(f.latest)
	take(c, q.body)
	return s.update(q, n, f, c), nil
}

// updatable is the function whose $LATEST the call may change.
func (s *Server) updatable(q *request) (name, *function, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return n, nil, err
	}
	if !isLatest(text(q.body, "RevisionId"), text(f.latest, "RevisionId")) {
		return n, nil, stale("GetFunction/GetAlias")
	}
	return n, f, nil
}

// update puts a new configuration of $LATEST. The answer still says
// InProgress; the next read, under one more RevisionId, Successful.
func (s *Server) update(q *request, n name, f *function, c object) object {
	q.st.save(n.function)
	if !reflect.DeepEqual(c, f.latest) {
		f.changed = true
	}
	c["LastModified"] = s.modified()
	c["RevisionId"] = newID()
	answer := maps.Clone(c)
	answer["LastUpdateStatus"] = "InProgress"
	answer["LastUpdateStatusReason"], answer["LastUpdateStatusReasonCode"] = "The function is being created.", "Creating"
	c["RevisionId"] = newID()
	f.latest = c
	return answer
}

func (s *Server) deleteFunction(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	switch n.qualifier {
	case latest:
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	case "":
		q.st.save(n.function)
		delete(q.st.functions, n.function)
		return nil, nil
	}
	for _, alias := range f.aliases {
		if text(alias, "FunctionVersion") == n.qualifier {
			return nil, conflict("Version cannot be deleted because it is referenced by alias: %s", text(alias, "Name"))
		}
	}
	q.st.save(n.function)
	delete(f.versions, n.qualifier)
	delete(f.policies, n.qualifier)
	return nil, nil
}

func (s *Server) publishVersion(q *request) (any, *apiError) {
	n, f, err := s.function(q)
	if err != nil {
		return nil, err
	}
	if !isLatest(text(q.body, "RevisionId"), text(f.latest, "RevisionId")) {
		return nil, stale("GetFunction/GetAlias")
	}
	if sha := text(q.body, "CodeSha256"); !isLatest(sha, text(f.latest, "CodeSha256")) {
		return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", sha, text(f.latest, "CodeSha256"))
	}
	q.st.save(n.function)
	return s.publish(f, text(q.body, "Description")), nil
}

// publish makes a version of $LATEST, or returns the last one if nothing
// changed since.
func (s *Server) publish(f *function, description string) object {
	if last := f.versions[strconv.Itoa(f.last)]; !f.changed && last != nil {
		return maps.Clone(last)
	}
	f.last++
	version := strconv.Itoa(f.last)
	v := maps.Clone(f.latest)
	v["Version"], v["FunctionArn"], v["RevisionId"] = version, text(f.latest, "FunctionArn")+":"+version, newID()
	if description != "" {
		v["Description"] = description
	}
	f.versions[version], f.changed = v, false
	f.latest["RevisionId"] = newID()
	return maps.Clone(v)
}
