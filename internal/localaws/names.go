package localaws

import (
	"fmt"
	"regexp"
	"strings"
)

const latest = "$LATEST"

const (
	sidPattern       = `([a-zA-Z0-9-_]+)`
	qualifierPattern = `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`
	urlPattern       = `((?!^\d+$)^[0-9a-zA-Z-_]+$)`
	layerPattern     = `(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`
	actionPattern    = `(lambda:[*]|lambda:[a-zA-Z]+|[*])`
	namePattern      = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
)

var (
	sidExpr       = whole(`[a-zA-Z0-9\-_]+`)
	qualifierExpr = whole(`\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9\-_$]+`)
	actionExpr    = whole(actionPattern)
	versionExpr   = whole(`[0-9]+`)
	aliasExpr     = whole(`[a-zA-Z0-9\-_]+`)
	accountExpr   = whole(`[0-9]{12}`)
	nameExpr      = whole(`[a-zA-Z0-9\-_.]+`)
)

func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// isAlias says whether a qualifier is spelled as an alias: not a number only.
func isAlias(qualifier string) bool {
	return aliasExpr.MatchString(qualifier) && !versionExpr.MatchString(qualifier)
}

// partition is the partition of a region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// functionARN is the ARN of a function, or of one qualifier of it.
func functionARN(account, region, name, qualifier string) string {
	arn := fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", partition(region), region, account, name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn
}

// name is a function's name as a caller may spell it, taken apart. What the
// spelling does not say is empty.
type name struct {
	region, account, function, qualifier string
}

// parseName takes apart name, name:qualifier, account:function:name and the
// full ARN, each with and without qualifier.
func parseName(text string) (name, *apiError) {
	n, p := name{}, strings.Split(text, ":")
	switch {
	case len(p) == 1:
		n.function = p[0]
	case len(p) == 2 && p[0] == "function":
		n.function = p[1]
	case len(p) == 2:
		n.function, n.qualifier = p[0], p[1]
	case (len(p) == 3 || len(p) == 4) && accountExpr.MatchString(p[0]) && p[1] == "function":
		n.account, n.function = p[0], p[2]
		if len(p) == 4 {
			n.qualifier = p[3]
		}
	default:
		arn, err := splitARN(text)
		if err != nil {
			return n, constraint("functionName", text, namePattern)
		}
		n = arn
	}
	if !nameExpr.MatchString(n.function) {
		return n, constraint("functionName", text, namePattern)
	}
	return n, nil
}

// splitARN takes apart a function's ARN.
func splitARN(arn string) (name, error) {
	p := strings.Split(arn, ":")
	if len(p) < 7 || len(p) > 8 || p[0] != "arn" || p[2] != "lambda" || p[5] != "function" {
		return name{}, fmt.Errorf("%q is not the ARN of a function", arn)
	}
	n := name{region: p[3], account: p[4], function: p[6]}
	if len(p) == 8 {
		n.qualifier = p[7]
	}
	return n, nil
}
