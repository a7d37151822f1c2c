package policy

import (
	"slices"
	"strings"
)

// Service is what is documented of a service that may call functions: what its
// calls carry, and so what pins them. Where a page does not say that a key is
// sent, the key counts as not sent, because a condition on it would stop the
// calls in silence.
type Service struct {
	Principal    string // as in a policy: s3.amazonaws.com
	Regional     bool   // the name may hold a region: logs.us-east-1.amazonaws.com
	Source       string // whose event it is: "bucket"
	Calls        string // what the source's owner does to have the function called: "points its notifications here"
	ARN          string // the shape of aws:SourceArn, names in capitals; empty: not documented to send the key
	SendsAccount bool   // documented to send aws:SourceAccount
	Token        string // what lambda:EventSourceToken holds; empty: not documented to send the key
	Instead      string // by what it calls, where that is not the function's policy; then it sends nothing
	Page         string // the documentation that says so
}

// BearsAccount reports whether the service's source ARN names an account. That
// of an S3 bucket does not.
func (s Service) BearsAccount() bool { return strings.Contains(s.ARN, ":ACCOUNT:") }

// Services lists the services that are known, by principal.
func Services() []Service { return slices.Clone(services) }

// ServiceOf is what is known of a service principal. A region in the name is
// read over where the service is documented to have one, and so is the suffix
// of China's regions.
func ServiceOf(principal string) (Service, bool) {
	name := strings.TrimSuffix(principal, ".cn")
	if s, ok := serviceIndex[name]; ok {
		return s, true
	}
	parts := strings.Split(name, ".")
	if len(parts) == 4 && isRegion(parts[1]) {
		s, ok := serviceIndex[parts[0]+"."+parts[2]+"."+parts[3]]
		return s, ok && s.Regional
	}
	return Service{}, false
}

// isRegion reports whether a text has the form of a region's name: us-gov-west-1.
func isRegion(text string) bool {
	parts := strings.Split(text, "-")
	if len(parts) < 3 || parts[len(parts)-1] == "" {
		return false
	}
	for _, c := range parts[len(parts)-1] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return !strings.ContainsFunc(strings.Join(parts[:len(parts)-1], ""), func(c rune) bool { return c < 'a' || c > 'z' })
}

var serviceIndex = func() map[string]Service {
	m := make(map[string]Service, len(services))
	for _, s := range services {
		m[s.Principal] = s
	}
	return m
}()

// polled is how Lambda gets at queues and streams.
const polled = "an event source mapping, which reads with the function's execution role"

const mappingPage = "Lambda Developer Guide, How Lambda processes records from stream and queue-based event sources"

// services are the services that are known to call functions, or to be granted
// it by mistake. Each row names the page that says so, by what its example grants:
// --source-arn, --source-account, --event-source-token or a role. What no
// example shows counts as not sent.
var services = []Service{
	// By the function's policy.
	{Principal: "s3.amazonaws.com", Source: "bucket", Calls: "points its notifications here", ARN: "arn:aws:s3:::BUCKET", SendsAccount: true, Page: "Lambda Developer Guide, Process Amazon S3 event notifications with Lambda"},
	{Principal: "sns.amazonaws.com", Source: "topic", Calls: "subscribes the function", ARN: "arn:aws:sns:REGION:ACCOUNT:TOPIC", Page: "Lambda Developer Guide, Invoking Lambda functions with Amazon SNS notifications"},
	{Principal: "events.amazonaws.com", Source: "rule", Calls: "makes the function its target", ARN: "arn:aws:events:REGION:ACCOUNT:rule/RULE", Page: "EventBridge User Guide, Using resource-based policies for Amazon EventBridge"},
	{Principal: "apigateway.amazonaws.com", Source: "API", Calls: "integrates the function", ARN: "arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH", Page: "Lambda Developer Guide, Invoking a Lambda function using an Amazon API Gateway endpoint"},
	{Principal: "cognito-idp.amazonaws.com", Source: "user pool", Calls: "makes the function its trigger", ARN: "arn:aws:cognito-idp:REGION:ACCOUNT:userpool/POOL", SendsAccount: true, Page: "Cognito Developer Guide, Customizing user pool workflows with Lambda triggers"},
	{Principal: "cognito-sync.amazonaws.com", Source: "identity pool", Calls: "makes the function its trigger", ARN: "arn:aws:cognito-identity:REGION:ACCOUNT:identitypool/POOL", SendsAccount: true, Page: "Cognito Developer Guide, Amazon Cognito Events"},
	{Principal: "alexa-appkit.amazon.com", Source: "skill", Calls: "makes the function its endpoint", Token: "the skill's id", Page: "Alexa Skills Kit, Host a Custom Skill as an AWS Lambda Function"},
	{Principal: "alexa-connectedhome.amazon.com", Source: "smart home skill", Calls: "makes the function its endpoint", Token: "the skill's id", Page: "Lambda API Reference, AddPermission, EventSourceToken"},
	{Principal: "config.amazonaws.com", Source: "Config rule", Calls: "runs the function", SendsAccount: true, Page: "Config Developer Guide, Creating custom Lambda rules"},
	{Principal: "logs.amazonaws.com", Regional: true, Source: "log group", Calls: "subscribes the function", ARN: "arn:aws:logs:REGION:ACCOUNT:log-group:GROUP:*", SendsAccount: true, Page: "CloudWatch Logs User Guide, Subscription filters with AWS Lambda"},
	{Principal: "iot.amazonaws.com", Source: "IoT rule", Calls: "makes the function its action", ARN: "arn:aws:iot:REGION:ACCOUNT:rule/RULE", SendsAccount: true, Page: "IoT Core Developer Guide, Lambda rule action"},
	{Principal: "iotevents.amazonaws.com", Source: "detector model", Calls: "makes the function its action", Page: "Lambda Developer Guide, Using AWS Lambda with AWS IoT Events"},
	{Principal: "ses.amazonaws.com", Source: "receipt rule", Calls: "makes the function its action", ARN: "arn:aws:ses:REGION:ACCOUNT:receipt-rule-set/SET:receipt-rule/RULE", SendsAccount: true, Page: "SES Developer Guide, Giving permissions to Amazon SES for email receiving"},
	{Principal: "elasticloadbalancing.amazonaws.com", Source: "target group", Calls: "registers the function", ARN: "arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID", SendsAccount: true, Page: "Elastic Load Balancing, Use Lambda functions as targets of an Application Load Balancer"},
	{Principal: "secretsmanager.amazonaws.com", Source: "secret", Calls: "rotates it with the function", SendsAccount: true, Page: "Secrets Manager User Guide, Lambda rotation function permissions"},
	{Principal: "lex.amazonaws.com", Source: "intent", Calls: "hooks the function in", ARN: "arn:aws:lex:REGION:ACCOUNT:intent:INTENT:VERSION", Page: "Lex V1 Developer Guide, Add a Lambda Function (AWS CLI)"},
	{Principal: "lexv2.amazonaws.com", Source: "bot", Calls: "hooks the function in", ARN: "arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS", Page: "Lex V2 Developer Guide, Attach an AWS Lambda function to a bot using API operations"},
	{Principal: "codecommit.amazonaws.com", Source: "repository", Calls: "makes the function its trigger", ARN: "arn:aws:codecommit:REGION:ACCOUNT:REPOSITORY", SendsAccount: true, Page: "CodeCommit User Guide, Create a trigger in AWS CodeCommit for an existing AWS Lambda function"},
	{Principal: "cloudfront.amazonaws.com", Source: "distribution", Calls: "makes the function's URL its origin", ARN: "arn:aws:cloudfront::ACCOUNT:distribution/DISTRIBUTION", Page: "CloudFront Developer Guide, Restrict access to an AWS Lambda function URL origin"},
	{Principal: "replicator.lambda.amazonaws.com", Source: "distribution", Calls: "has the function replicated", Page: "CloudFront Developer Guide, Set up IAM permissions and roles for Lambda@Edge"},
	{Principal: "vpc-lattice.amazonaws.com", Source: "target group", Calls: "registers the function", ARN: "arn:aws:vpc-lattice:REGION:ACCOUNT:targetgroup/GROUP", Page: "VPC Lattice User Guide, Lambda functions as targets in VPC Lattice"},
	{Principal: "bedrock.amazonaws.com", Source: "agent", Calls: "makes the function its action", ARN: "arn:aws:bedrock:REGION:ACCOUNT:agent/AGENT", SendsAccount: true, Page: "Bedrock User Guide, Resource-based policy to allow Amazon Bedrock to invoke an action group Lambda function"},
	{Principal: "connect.amazonaws.com", Source: "instance", Calls: "calls the function from a flow", ARN: "arn:aws:connect:REGION:ACCOUNT:instance/INSTANCE", SendsAccount: true, Page: "Connect Administrator Guide, Invoke AWS Lambda functions"},
	{Principal: "lambda.alarms.cloudwatch.amazonaws.com", Source: "alarm", Calls: "makes the function its action", ARN: "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:ALARM", SendsAccount: true, Page: "CloudWatch User Guide, Invoke a Lambda function from an alarm"},
	{Principal: "transfer.amazonaws.com", Source: "server", Calls: "makes the function its identity provider", ARN: "arn:aws:transfer:REGION:ACCOUNT:server/SERVER", Page: "Transfer Family User Guide, Using AWS Lambda to integrate your identity provider"},
	{Principal: "pinpoint.amazonaws.com", Regional: true, Source: "project", Calls: "hooks the function in", ARN: "arn:aws:mobiletargeting:REGION:ACCOUNT:apps/PROJECT", SendsAccount: true, Page: "Pinpoint Developer Guide, Customizing segments with AWS Lambda"},
	{Principal: "workmail.amazonaws.com", Regional: true, Source: "mail organization", Calls: "runs the function in a rule", ARN: "arn:aws:workmail:REGION:ACCOUNT:organization/ORGANIZATION", Page: "WorkMail Administrator Guide, Configuring AWS Lambda for Amazon WorkMail"},
	{Principal: "appsync.amazonaws.com", Source: "API", Calls: "makes the function its authorizer", Page: "AppSync API Reference, LambdaAuthorizerConfig (data sources use a role)"},
	{Principal: "voiceconnector.chime.amazonaws.com", Source: "SIP media application", Calls: "makes the function its endpoint", Page: "Chime SDK Developer Guide, Debugging unexpected hangups in the PSTN audio service"},

	// Not by the function's policy: a grant does nothing for them.
	{Principal: "edgelambda.amazonaws.com", Instead: "the trust policy of the function's execution role", Page: "CloudFront Developer Guide, Set up IAM permissions and roles for Lambda@Edge"},
	{Principal: "scheduler.amazonaws.com", Instead: "the execution role of the schedule", Page: "EventBridge Scheduler User Guide, Setting up EventBridge Scheduler"},
	{Principal: "pipes.amazonaws.com", Instead: "the execution role of the pipe", Page: "EventBridge User Guide, Amazon EventBridge Pipes permissions"},
	{Principal: "states.amazonaws.com", Regional: true, Instead: "the role of the state machine", Page: "Step Functions Developer Guide, IAM policies for calling AWS Lambda"},
	{Principal: "firehose.amazonaws.com", Instead: "the role of the Firehose stream", Page: "Data Firehose Developer Guide, Controlling access with Amazon Data Firehose"},
	{Principal: "batchoperations.s3.amazonaws.com", Instead: "the role of the batch job", Page: "S3 User Guide, Granting permissions for Batch Operations"},
	{Principal: "codepipeline.amazonaws.com", Instead: "the service role of the pipeline", Page: "CodePipeline User Guide, Invoke an AWS Lambda function in a pipeline"},
	{Principal: "codedeploy.amazonaws.com", Instead: "the service role of the deployment group", Page: "CodeDeploy User Guide, Create a service role for CodeDeploy"},
	{Principal: "cloudformation.amazonaws.com", Instead: "the credentials of who works on the stack, or its service role", Page: "CloudFormation User Guide, AWS CloudFormation service role"},
	{Principal: "rds.amazonaws.com", Instead: "the role of the database cluster", Page: "Aurora User Guide, Invoking a Lambda function from an Amazon Aurora DB cluster"},
	{Principal: "lambda.amazonaws.com", Instead: "the execution role of the calling function", Page: "Lambda Developer Guide, Defining Lambda function permissions with an execution role"},
	{Principal: "sqs.amazonaws.com", Instead: polled, Page: mappingPage},
	{Principal: "dynamodb.amazonaws.com", Instead: polled, Page: mappingPage},
	{Principal: "kinesis.amazonaws.com", Instead: polled, Page: mappingPage},
	{Principal: "kafka.amazonaws.com", Instead: polled, Page: mappingPage},
	{Principal: "mq.amazonaws.com", Instead: polled, Page: mappingPage},
}
