package policy

import (
	"slices"
	"strings"
)

// Deputy is a service whose documentation asks for conditions in the trust
// policies of the roles that it takes.
type Deputy struct {
	Principal string // as in a policy: states.amazonaws.com
	ARN       string // the shape of aws:SourceArn, names in capitals
	Page      string // the documentation that says so
}

// Deputies lists the services whose documentation asks for aws:SourceAccount or
// aws:SourceArn in trust policies. A service that is not listed is one of which
// no page was seen that says so: lambda.amazonaws.com and ec2.amazonaws.com
// send neither key when they take a role.
func Deputies() []Deputy { return slices.Clone(deputies) }

// deputyOf is what is known of a service principal, with or without a region.
func deputyOf(principal string) (Deputy, bool) {
	name := strings.TrimSuffix(principal, ".cn")
	if parts := strings.Split(name, "."); len(parts) == 4 && isRegion(parts[1]) {
		name = parts[0] + "." + parts[2] + "." + parts[3]
	}
	i := slices.IndexFunc(deputies, func(d Deputy) bool { return d.Principal == name })
	if i < 0 {
		return Deputy{}, false
	}
	return deputies[i], true
}

var deputies = []Deputy{
	{Principal: "appstream.amazonaws.com", ARN: "arn:aws:appstream:REGION:ACCOUNT:fleet/FLEET", Page: "WorkSpaces Applications Administration Guide, Cross-service confused deputy prevention"},
	{Principal: "bedrock.amazonaws.com", ARN: "arn:aws:bedrock:REGION:ACCOUNT:agent/AGENT", Page: "Bedrock User Guide, Create a service role for Amazon Bedrock Agents"},
	{Principal: "ecs-tasks.amazonaws.com", ARN: "arn:aws:ecs:REGION:ACCOUNT:*", Page: "ECS Developer Guide, Amazon ECS task IAM role"},
	{Principal: "fis.amazonaws.com", ARN: "arn:aws:fis:REGION:ACCOUNT:experiment/*", Page: "FIS User Guide, IAM roles for AWS FIS experiments"},
	{Principal: "frauddetector.amazonaws.com", ARN: "arn:aws:frauddetector:REGION:ACCOUNT:*", Page: "Fraud Detector User Guide, Confused deputy prevention"},
	{Principal: "iot.amazonaws.com", ARN: "arn:aws:iot:REGION:ACCOUNT:rule/RULE", Page: "IoT Core Developer Guide, Cross-service confused deputy prevention"},
	{Principal: "personalize.amazonaws.com", ARN: "arn:aws:personalize:REGION:ACCOUNT:*", Page: "Personalize Developer Guide, Cross-service confused deputy prevention"},
	{Principal: "sagemaker.amazonaws.com", ARN: "arn:aws:sagemaker:REGION:ACCOUNT:*", Page: "SageMaker Developer Guide, Cross-service confused deputy prevention"},
	{Principal: "scheduler.amazonaws.com", ARN: "arn:aws:scheduler:REGION:ACCOUNT:schedule-group/GROUP", Page: "EventBridge Scheduler User Guide, Confused deputy prevention"},
	{Principal: "states.amazonaws.com", ARN: "arn:aws:states:REGION:ACCOUNT:stateMachine:*", Page: "Step Functions Developer Guide, Prevent cross-service confused deputy issue"},
	{Principal: "transfer.amazonaws.com", ARN: "arn:aws:transfer:REGION:ACCOUNT:user/*", Page: "Transfer Family User Guide, Cross-service confused deputy prevention"},
	{Principal: "vpc-flow-logs.amazonaws.com", ARN: "arn:aws:ec2:REGION:ACCOUNT:vpc-flow-log/FLOWLOG", Page: "VPC User Guide, IAM role for publishing flow logs to CloudWatch Logs"},
}
