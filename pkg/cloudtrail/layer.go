package cloudtrail

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/permdrift/permdrift/pkg/drift"
)

// addLayerVersionPermission decodes AddLayerVersionPermission.
func addLayerVersionPermission(r *record) ([]drift.Change, error) {
	_, resource := statementText(r.response)
	subject, err := r.layerVersion(resource)
	if err != nil {
		return nil, err
	}
	return r.added(subject, drift.Unqualified)
}

// removeLayerVersionPermission decodes RemoveLayerVersionPermission.
func removeLayerVersionPermission(r *record) ([]drift.Change, error) {
	subject, err := r.layerVersion("")
	if err != nil {
		return nil, err
	}
	return r.removed(subject, drift.Unqualified)
}

// publishLayerVersion decodes PublishLayerVersion: a version without a policy.
func publishLayerVersion(r *record) ([]drift.Change, error) {
	arn := first(r.response.str("layerVersionArn"), r.response.str("layerArn")+":"+r.response.str("version"))
	subject, err := layerVersionARN(arn)
	if err != nil {
		return nil, err
	}
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.CreateSubject}}, nil
}

// deleteLayerVersion decodes DeleteLayerVersion.
func deleteLayerVersion(r *record) ([]drift.Change, error) {
	subject, err := r.layerVersion("")
	if err != nil {
		return nil, err
	}
	return []drift.Change{{Subject: subject, Whole: true, Operation: drift.DeleteSubject}}, nil
}

// layerVersion is the layer version that a call was about: by the ARN in the
// response, else by layerName, a name or an ARN, and versionNumber.
func (r *record) layerVersion(arn string) (drift.Subject, error) {
	if subject, err := layerVersionARN(arn); err == nil {
		return subject, nil
	}
	name := r.request.str("layerName")
	number, err := versionNumber(r.request.str("versionNumber"))
	switch {
	case name == "":
		return "", fmt.Errorf("layerName is missing")
	case strings.Count(name, ":") == 7 && number == "":
		return layerVersionARN(name)
	case err != nil:
		return "", err
	case strings.HasPrefix(name, "arn:"):
		return layerVersionARN(strings.TrimSuffix(name, ":"+number) + ":" + number)
	}
	return layerVersionARN("arn:" + r.partition + ":lambda:" + r.event.Region + ":" + r.event.Account + ":layer:" + name + ":" + number)
}

// layerVersionARN is the subject of a layer version's ARN.
func layerVersionARN(arn string) (drift.Subject, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 8 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "layer" {
		return "", fmt.Errorf("%q is not the ARN of a layer version", clip(arn))
	}
	for _, part := range parts {
		if part == "" || clean(part) != part {
			return "", fmt.Errorf("%q is not the ARN of a layer version", clip(arn))
		}
	}
	return drift.Subject(arn), nil
}

// versionNumber is a version's number in digits. CloudTrail has it as a number,
// which some tools rewrite to 3.0, or as a string.
func versionNumber(text string) (string, error) {
	if text == "" {
		return "", fmt.Errorf("versionNumber is missing")
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && number > 0 {
		return strconv.FormatInt(number, 10), nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 1 && f < 1<<53 && f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10), nil
	}
	return "", fmt.Errorf("versionNumber %q is not a number of a version", clip(text))
}
