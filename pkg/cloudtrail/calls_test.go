package cloudtrail

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// calls has a row for every call that is decoded: request, response, and the
// change with its details.
var calls = []struct{ source, name, request, response, want string }{
	{lambdaAPI, addName, addOrders, `null`, "add-statement " + orders + " #s"},
	{lambdaAPI, "RemovePermission20150331v2", `{"functionName":"orders","statementId":"s","qualifier":"live"}`, `null`, "remove-statement " + orders + " @live #s"},
	{lambdaAPI, "PutResourcePolicy20260709", `{"resourceArn":"` + orders + `:live","policy":"{\"Statement\":[]}"}`, `{"revisionId":"r"}`, "put-policy " + orders + " @live"},
	{lambdaAPI, "PutResourcePolicy", `{"resourceArn":"arn:aws:lambda:us-east-1:111122223333:layer:pricing:3","policy":"{\"Statement\":[]}"}`, `null`, "put-policy arn:aws:lambda:us-east-1:111122223333:layer:pricing:3"},
	{lambdaAPI, "PutResourcePolicy", `{"resourceArn":"arn:aws:lambda:us-east-1:111122223333:capacity-provider:c","policy":"{}"}`, `null`, "unreadable " + accountID + " whole"},
	{lambdaAPI, "DeleteResourcePolicy20260709", `{"resourceArn":"` + orders + `"}`, `null`, "delete-policy " + orders},
	{lambdaAPI, "DeleteResourcePolicy", `{"functionName":"orders","qualifier":"2"}`, `null`, "delete-policy " + orders + " @2"},

	{lambdaAPI, "CreateFunction20150331", `{"functionName":"orders","role":"asked"}`, `{"functionArn":"` + orders + `:1","role":"answered"}`, "create-subject " + orders + " whole role=answered"},
	{lambdaAPI, "CreateFunction20150331", `{"functionName":"orders","role":"asked"}`, `null`, "create-subject " + orders + " whole role=asked"},
	{lambdaAPI, "DeleteFunction", `{"functionName":"orders"}`, `null`, "delete-subject " + orders + " whole"},
	{lambdaAPI, "UpdateFunctionConfiguration20150331v2", `{"functionName":"orders","role":"new"}`, `{"role":"new"}`, "configure " + orders + " role=new"},
	{lambdaAPI, "UpdateFunctionConfiguration20150331v2", `{"functionName":"orders:live","layers":["a","b"],"timeout":1}`, `{"functionArn":"` + orders + `","role":"old"}`, "update-code " + orders + " layers=a,b timeout=1"},
	{lambdaAPI, "UpdateFunctionCode20150331v2", `{"functionName":"orders","s3Bucket":"b","s3Key":"k","dryRun":false,"publish":true}`, `{"functionArn":"` + orders + `:7","version":"7"}`, "update-code " + orders + " publish=true s3Bucket=b s3Key=k"},
	{lambdaAPI, "UpdateFunctionCode20150331v2", `{"functionName":"orders","imageUri":"i"}`, `null`, "update-code " + orders + " imageUri=i"},
	{lambdaAPI, "UpdateFunctionCode20150331v2", `{"functionName":"orders","dryRun":true}`, `null`, "skip: a dry run: the code is unchanged"},
	{lambdaAPI, "PublishVersion20150331", `{"functionName":"orders"}`, `{"functionArn":"` + orders + `","version":"8"}`, "create-place " + orders + " @8"},
	{lambdaAPI, "PublishVersion20150331", `{"functionName":"orders"}`, `null`, "create-place " + orders + " whole"},
	{lambdaAPI, "CreateAlias20150331", `{"functionName":"orders","name":"live","functionVersion":"8"}`, `{"aliasArn":"` + orders + `:live"}`, "create-place " + orders + " @live functionVersion=8"},
	{lambdaAPI, "UpdateAlias20150331", `{"functionName":"orders","name":"live","functionVersion":"9","routingConfig":{"additionalVersionWeights":{"8":0.5}}}`, `null`, `repoint-place ` + orders + ` @live functionVersion=9 routingConfig={"additionalVersionWeights":{"8":0.5}}`},
	{lambdaAPI, "DeleteAlias20150331", `{"functionName":"orders","name":"live"}`, `null`, "delete-place " + orders + " @live"},
	{lambdaAPI, "PutFunctionConcurrency20171031", `{"functionName":"auditor","reservedConcurrentExecutions":0}`, `null`, "blind " + accountID + " whole functionArn=arn:aws:lambda:us-east-1:111122223333:function:auditor functionName=auditor reservedConcurrentExecutions=0"},
	{lambdaAPI, "PutFunctionConcurrency20171031", `{"functionName":"auditor","reservedConcurrentExecutions":5}`, `null`, "skip: the function keeps running: reservedConcurrentExecutions is not 0"},
	{lambdaAPI, "CreateFunctionUrlConfig", `{"functionName":"orders","qualifier":"live","authType":"NONE"}`, `{"functionUrl":"https://u/","functionArn":"` + orders + `:live"}`, "put-url " + orders + " @live authType=NONE functionUrl=https://u/"},
	{lambdaAPI, "UpdateFunctionUrlConfig", `{"functionName":"orders","qualifier":"live"}`, `{"functionArn":"` + orders + `","authType":"AWS_IAM"}`, "put-url " + orders + " @live authType=AWS_IAM"},
	{lambdaAPI, "DeleteFunctionUrlConfig", `{"functionName":"orders"}`, `null`, "delete-url " + orders},
	{lambdaAPI, "CreateEventSourceMapping20150331", `{"functionName":"orders:live","eventSourceArn":"q"}`, `{"uUID":"u","functionArn":"` + orders + `:live"}`, "put-mapping " + orders + " @live eventSourceArn=q uuid=u"},
	{lambdaAPI, "UpdateEventSourceMapping20150331", `{"uUID":"u","enabled":false}`, `{"uUID":"u","functionArn":"` + orders + `"}`, "put-mapping " + orders + " enabled=false uuid=u"},
	{lambdaAPI, "DeleteEventSourceMapping20150331", `{"uUID":"u"}`, `{"uUID":"u","functionArn":"` + orders + `"}`, "delete-mapping " + orders + " uuid=u"},
	{lambdaAPI, "DeleteEventSourceMapping20150331", `{"uUID":"u"}`, `null`, "unreadable " + accountID + " whole uuid=u"},

	{lambdaAPI, "AddLayerVersionPermission20181031", `{"layerName":"pricing","versionNumber":3,"statementId":"s","action":"lambda:GetLayerVersion","principal":"*"}`, `null`, "add-statement arn:aws:lambda:us-east-1:111122223333:layer:pricing:3 #s"},
	{lambdaAPI, "AddLayerVersionPermission", `{"layerName":"arn:aws:lambda:eu-west-1:444455556666:layer:pricing","versionNumber":"3","statementId":"s","action":"lambda:GetLayerVersion","principal":"*"}`, `null`, "add-statement arn:aws:lambda:eu-west-1:444455556666:layer:pricing:3 #s"},
	{lambdaAPI, "RemoveLayerVersionPermission20181031", `{"layerName":"arn:aws:lambda:us-east-1:111122223333:layer:pricing:3","versionNumber":3.0,"statementId":"s"}`, `null`, "remove-statement arn:aws:lambda:us-east-1:111122223333:layer:pricing:3 #s"},
	{lambdaAPI, "PublishLayerVersion20181031", `{"layerName":"pricing"}`, `{"layerArn":"arn:aws:lambda:us-east-1:111122223333:layer:pricing","version":4}`, "create-subject arn:aws:lambda:us-east-1:111122223333:layer:pricing:4 whole"},
	{lambdaAPI, "DeleteLayerVersion20181031", `{"layerName":"pricing","versionNumber":4}`, `null`, "delete-subject arn:aws:lambda:us-east-1:111122223333:layer:pricing:4 whole"},

	{iamAPI, "CreateRole", `{"roleName":"r","path":"/a/","permissionsBoundary":"b","assumeRolePolicyDocument":"{\"Statement\":[]}"}`, `null`, "create-subject arn:aws:iam::111122223333:role/r @trust whole path=/a/ permissionsBoundary=b"},
	{iamAPI, "CreateRole", `{"roleName":"r","assumeRolePolicyDocument":"{\"Statement\":[]}","tags":[{"key":"team","value":"shop"}]}`, `{"role":{"path":"/a/","roleId":"AROAEXAMPLEEXAMPLEAB","arn":"arn:aws:iam::111122223333:role/a/r"}}`, "create-subject arn:aws:iam::111122223333:role/r @trust whole path=/a/ roleId=AROAEXAMPLEEXAMPLEAB"},
	{iamAPI, "CreateServiceLinkedRole", `{"awsServiceName":"lambda.amazonaws.com"}`, `{"role":{"arn":"arn:aws:iam::111122223333:role/aws-service-role/lambda.amazonaws.com/R","assumeRolePolicyDocument":"%7B%22Statement%22%3A%5B%5D%7D"}}`, "create-subject arn:aws:iam::111122223333:role/R @trust whole awsServiceName=lambda.amazonaws.com"},
	{iamAPI, "UpdateAssumeRolePolicy", `{"roleName":"r","policyDocument":"{\"Statement\":[]}"}`, `null`, "put-policy arn:aws:iam::111122223333:role/r @trust"},
	{iamAPI, "UpdateRole", `{"roleName":"r","maxSessionDuration":43200}`, `null`, "configure arn:aws:iam::111122223333:role/r whole maxSessionDuration=43200"},
	{iamAPI, "DeleteRole", `{"roleName":"r"}`, `null`, "delete-subject arn:aws:iam::111122223333:role/r whole"},
	{iamAPI, "DeleteServiceLinkedRole", `{"roleName":"r"}`, `{"deletionTaskId":"t"}`, "delete-subject arn:aws:iam::111122223333:role/r whole"},
	{iamAPI, "PutRolePolicy", `{"roleName":"r","policyName":"p","policyDocument":"{\"Statement\":[]}"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:role/r @identity policyName=p"},
	{iamAPI, "AttachRolePolicy", `{"roleName":"r","policyArn":"p"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:role/r @identity policyArn=p"},
	{iamAPI, "DeleteRolePolicy", `{"roleName":"r","policyName":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:role/r @identity policyName=p"},
	{iamAPI, "DetachRolePolicy", `{"roleName":"r","policyArn":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:role/r @identity policyArn=p"},
	{iamAPI, "PutUserPolicy", `{"userName":"u","policyName":"p"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:user/u @identity policyName=p"},
	{iamAPI, "AttachUserPolicy", `{"userName":"u","policyArn":"p"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:user/u @identity policyArn=p"},
	{iamAPI, "DeleteUserPolicy", `{"userName":"u","policyName":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:user/u @identity policyName=p"},
	{iamAPI, "DetachUserPolicy", `{"userName":"u","policyArn":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:user/u @identity policyArn=p"},
	{iamAPI, "PutGroupPolicy", `{"groupName":"g","policyName":"p"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:group/g @identity policyName=p"},
	{iamAPI, "AttachGroupPolicy", `{"groupName":"g","policyArn":"p"}`, `null`, "put-identity-policy arn:aws:iam::111122223333:group/g @identity policyArn=p"},
	{iamAPI, "DeleteGroupPolicy", `{"groupName":"g","policyName":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:group/g @identity policyName=p"},
	{iamAPI, "DetachGroupPolicy", `{"groupName":"g","policyArn":"p"}`, `null`, "remove-identity-policy arn:aws:iam::111122223333:group/g @identity policyArn=p"},
	{iamAPI, "AddUserToGroup", `{"userName":"u","groupName":"g"}`, `null`, "configure arn:aws:iam::111122223333:user/u @identity groupName=g"},
	{iamAPI, "RemoveUserFromGroup", `{"userName":"u","groupName":"g"}`, `null`, "configure arn:aws:iam::111122223333:user/u @identity groupName=g"},
	{iamAPI, "UpdateUser", `{"userName":"u","newUserName":"v"}`, `null`, "delete-subject arn:aws:iam::111122223333:user/u whole newUserName=v | configure arn:aws:iam::111122223333:user/v whole userName=u"},
	{iamAPI, "UpdateUser", `{"userName":"u","newPath":"/a/"}`, `null`, "skip: only the path was changed: what the user may do is unchanged"},
	{iamAPI, "UpdateGroup", `{"groupName":"g","newGroupName":"h"}`, `null`, "delete-subject arn:aws:iam::111122223333:group/g whole newGroupName=h | configure arn:aws:iam::111122223333:group/h whole groupName=g"},
	{iamAPI, "DeleteUser", `{"userName":"u"}`, `null`, "delete-subject arn:aws:iam::111122223333:user/u whole"},
	{iamAPI, "DeleteGroup", `{"groupName":"g"}`, `null`, "delete-subject arn:aws:iam::111122223333:group/g whole"},
	{iamAPI, "PutRolePermissionsBoundary", `{"roleName":"r","permissionsBoundary":"b"}`, `null`, "put-boundary arn:aws:iam::111122223333:role/r @boundary permissionsBoundary=b"},
	{iamAPI, "DeleteRolePermissionsBoundary", `{"roleName":"r"}`, `null`, "remove-boundary arn:aws:iam::111122223333:role/r @boundary"},
	{iamAPI, "PutUserPermissionsBoundary", `{"userName":"u","permissionsBoundary":"b"}`, `null`, "put-boundary arn:aws:iam::111122223333:user/u @boundary permissionsBoundary=b"},
	{iamAPI, "DeleteUserPermissionsBoundary", `{"userName":"u"}`, `null`, "remove-boundary arn:aws:iam::111122223333:user/u @boundary"},

	{iamAPI, "CreatePolicy", `{"policyName":"p","path":"/a/"}`, `null`, "put-managed-policy arn:aws:iam::111122223333:policy/a/p whole policyName=p"},
	{iamAPI, "CreatePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","setAsDefault":true}`, `{"policyVersion":{"versionId":"v2"}}`, "put-managed-policy arn:aws:iam::111122223333:policy/p whole setAsDefault=true versionId=v2"},
	{iamAPI, "CreatePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","setAsDefault":false}`, `null`, "skip: the new policy version is not the default one, so the policy in force is unchanged"},
	{iamAPI, "CreatePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p"}`, `null`, "skip: the new policy version is not the default one, so the policy in force is unchanged"},
	{iamAPI, "SetDefaultPolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","versionId":"v1"}`, `null`, "put-managed-policy arn:aws:iam::111122223333:policy/p whole versionId=v1"},
	{iamAPI, "DeletePolicyVersion", `{"policyArn":"arn:aws:iam::111122223333:policy/p","versionId":"v1"}`, `null`, "put-managed-policy arn:aws:iam::111122223333:policy/p whole versionId=v1"},
	{iamAPI, "DeletePolicy", `{"policyArn":"arn:aws:iam::111122223333:policy/p"}`, `null`, "put-managed-policy arn:aws:iam::111122223333:policy/p whole"},

	{iamAPI, "CreateOpenIDConnectProvider", `{"url":"https://token.example.com/id","clientIDList":["a","b"]}`, `null`, "put-provider arn:aws:iam::111122223333:oidc-provider/token.example.com/id whole clientIDList=a,b url=https://token.example.com/id"},
	{iamAPI, "DeleteOpenIDConnectProvider", `{"openIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/t"}`, `null`, "put-provider arn:aws:iam::111122223333:oidc-provider/t whole"},
	{iamAPI, "AddClientIDToOpenIDConnectProvider", `{"openIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/t","clientID":"c"}`, `null`, "put-provider arn:aws:iam::111122223333:oidc-provider/t whole clientID=c"},
	{iamAPI, "RemoveClientIDFromOpenIDConnectProvider", `{"openIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/t","clientID":"c"}`, `null`, "put-provider arn:aws:iam::111122223333:oidc-provider/t whole clientID=c"},
	{iamAPI, "UpdateOpenIDConnectProviderThumbprint", `{"openIDConnectProviderArn":"arn:aws:iam::111122223333:oidc-provider/t","thumbprintList":["f"]}`, `null`, "put-provider arn:aws:iam::111122223333:oidc-provider/t whole thumbprintList=f"},
	{iamAPI, "CreateSAMLProvider", `{"name":"idp","sAMLMetadataDocument":"x"}`, `null`, "put-provider arn:aws:iam::111122223333:saml-provider/idp whole"},
	{iamAPI, "UpdateSAMLProvider", `{"sAMLProviderArn":"arn:aws:iam::111122223333:saml-provider/idp"}`, `null`, "put-provider arn:aws:iam::111122223333:saml-provider/idp whole"},
	{iamAPI, "DeleteSAMLProvider", `{"SAMLProviderArn":"arn:aws:iam::111122223333:saml-provider/idp"}`, `null`, "put-provider arn:aws:iam::111122223333:saml-provider/idp whole"},
	{iamAPI, "AddRoleToInstanceProfile", `{"roleName":"r","instanceProfileName":"i"}`, `null`, "share-role arn:aws:iam::111122223333:role/r whole instanceProfileName=i"},
	{iamAPI, "RemoveRoleFromInstanceProfile", `{"roleName":"r","instanceProfileName":"i"}`, `null`, "share-role arn:aws:iam::111122223333:role/r whole instanceProfileName=i"},

	{"rolesanywhere.amazonaws.com", "CreateTrustAnchor", `{"name":"ca","enabled":true}`, `{"trustAnchor":{"trustAnchorArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t"}}`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t whole enabled=true name=ca"},
	{"rolesanywhere.amazonaws.com", "CreateTrustAnchor", `{"name":"ca"}`, `null`, "put-provider " + accountID + " whole name=ca"},
	{"rolesanywhere.amazonaws.com", "UpdateTrustAnchor", `{"trustAnchorId":"t"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t whole"},
	{"rolesanywhere.amazonaws.com", "DeleteTrustAnchor", `{"trustAnchorId":"t"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t whole"},
	{"rolesanywhere.amazonaws.com", "EnableTrustAnchor", `{"trustAnchorId":"t"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t whole"},
	{"rolesanywhere.amazonaws.com", "DisableTrustAnchor", `{"trustAnchorId":"t"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/t whole"},
	{
		"rolesanywhere.amazonaws.com", "CreateProfile", `{"roleArns":["arn:aws:iam::111122223333:role/x/a","arn:aws:iam::111122223333:role/b"]}`, `{"profile":{"profileArn":"arn:aws:rolesanywhere:us-east-1:111122223333:profile/p"}}`,
		"share-role arn:aws:iam::111122223333:role/a whole profileArn=arn:aws:rolesanywhere:us-east-1:111122223333:profile/p roleArns=arn:aws:iam::111122223333:role/x/a,arn:aws:iam::111122223333:role/b | " +
			"share-role arn:aws:iam::111122223333:role/b whole profileArn=arn:aws:rolesanywhere:us-east-1:111122223333:profile/p roleArns=arn:aws:iam::111122223333:role/x/a,arn:aws:iam::111122223333:role/b",
	},
	{"rolesanywhere.amazonaws.com", "UpdateProfile", `{"profileId":"p"}`, `{"profile":{"roleArns":["arn:aws:iam::111122223333:role/b"],"enabled":true}}`, "share-role arn:aws:iam::111122223333:role/b whole enabled=true profileArn=arn:aws:rolesanywhere:us-east-1:111122223333:profile/p roleArns=arn:aws:iam::111122223333:role/b"},
	{"rolesanywhere.amazonaws.com", "DeleteProfile", `{"profileId":"p"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:profile/p whole"},
	{"rolesanywhere.amazonaws.com", "EnableProfile", `{"profileId":"p"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:profile/p whole"},
	{"rolesanywhere.amazonaws.com", "DisableProfile", `{"profileId":"p"}`, `null`, "put-provider arn:aws:rolesanywhere:us-east-1:111122223333:profile/p whole"},
}

func TestEveryCallIsDecoded(t *testing.T) {
	tested := map[call]bool{}
	for _, row := range calls {
		service, _, _ := strings.Cut(row.source, ".")
		tested[call{service, dated.ReplaceAllString(row.name, "")}] = true
		r := decodeOne(t, ours(row.source, row.name, row.request, row.response))
		if got := detailed(r); got != row.want {
			t.Errorf("%s %s:\n got %s\nwant %s", row.name, row.request, got, row.want)
		}
	}
	for c := range decoders {
		if !tested[c] {
			t.Errorf("%s %s has no row", c.service, c.name)
		}
	}
	if len(tested) != len(decoders) || len(decoders) != 76 {
		t.Errorf("%d calls were tested and %d are decoded, and there should be 76", len(tested), len(decoders))
	}
}

// detailed is a Result with the details of its changes.
func detailed(r Result) string {
	lines := strings.Split(summary(r), " | ")
	for i, c := range r.Changes {
		for _, key := range slices.Sorted(maps.Keys(c.Detail)) {
			lines[i] += " " + key + "=" + c.Detail[key]
		}
	}
	return strings.Join(lines, " | ")
}

func TestEveryBlindingCallNamesItsResource(t *testing.T) {
	for c, parameters := range blinding {
		request, want := "{", "blind "+accountID+" whole"
		for i, parameter := range slices.Sorted(slices.Values(parameters)) {
			request += fmt.Sprintf(`"%s":["v%d","w"],`, parameter, i)
			want += fmt.Sprintf(" %s=v%d,w", parameter, i)
		}
		request = strings.TrimSuffix(request, ",") + "}"
		r := decodeOne(t, ours(c.service+".amazonaws.com", c.name, request, `null`))
		if got := detailed(r); got != want {
			t.Errorf("%v:\n got %s\nwant %s", c, got, want)
		}
		if _, both := decoders[c]; both {
			t.Errorf("%v is in both tables", c)
		}
	}
	if len(blinding) != 42 {
		t.Errorf("%d calls may blind, and there should be 42", len(blinding))
	}
}

func TestBlindingCallsSayHow(t *testing.T) {
	for _, row := range []struct{ source, name, request, want string }{
		{"cloudtrail", "PutEventSelectors", `{"trailName":"t","eventSelectors":[ {"includeManagementEvents": false, "dataResources": []} ]}`, `eventSelectors=[{"includeManagementEvents":false,"dataResources":[]}] trailName=t`},
		{"cloudtrail", "PutEventSelectors", "{\"trailName\":\"t\",\"advancedEventSelectors\":[{\"fieldSelectors\":\n[{\"field\":\"eventCategory\",\"equals\":[\"Data\"]}]}]}", `advancedEventSelectors=[{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]}]}] trailName=t`},
		{"cloudtrail", "PutEventSelectors", `{"trailName":"t","eventSelectors":[]}`, `eventSelectors=[] trailName=t`},
		{"cloudtrail", "UpdateTrail", `{"name":"t","isMultiRegionTrail":false,"includeGlobalServiceEvents":false}`, `includeGlobalServiceEvents=false isMultiRegionTrail=false name=t`},
		{"events", "PutRule", `{"name":"permdrift-LambdaRule","state":"DISABLED","eventPattern":"{\"source\": [\"none\"]}"}`, `eventPattern={"source": ["none"]} name=permdrift-LambdaRule state=DISABLED`},
		{"events", "PutTargets", `{"rule":"r","targets":[{"id":"a", "arn":"b"}]}`, `rule=r`},
		{"events", "RemoveTargets", `{"rule":"r","ids":["a","b"]}`, `ids=a,b rule=r`},
		{"monitoring", "DeleteAlarms", `{"alarmNames":["permdrift-a","permdrift-b"]}`, `alarmNames=permdrift-a,permdrift-b`},
		{"monitoring", "PutMetricAlarm", `{"alarmName":"a","actionsEnabled":false,"threshold":1000000.0}`, `actionsEnabled=false alarmName=a threshold=1000000.0`},
		{"sqs", "SetQueueAttributes", `{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/q","attributes":{"Policy": ""}}`, `queueUrl=https://sqs.us-east-1.amazonaws.com/111122223333/q`},
		{"sns", "SetTopicAttributes", `{"topicArn":"t","attributeName":"Policy","attributeValue":"{}"}`, `attributeName=Policy topicArn=t`},
		{"dynamodb", "UpdateTable", `{"tableName":"t","deletionProtectionEnabled":false}`, `deletionProtectionEnabled=false tableName=t`},
		{"dynamodb", "UpdateTimeToLive", `{"tableName":"t","timeToLiveSpecification":{"enabled": true, "attributeName": "at"}}`, `tableName=t timeToLiveSpecification={"enabled":true,"attributeName":"at"}`},
		{"kms", "ScheduleKeyDeletion", `{"keyId":"k","pendingWindowInDays":7}`, `keyId=k pendingWindowInDays=7`},
		{"lambda", "PutFunctionConcurrency20171031", `{"functionName":"444455556666:function:auditor","reservedConcurrentExecutions":0}`, "functionArn=arn:aws:lambda:us-east-1:444455556666:function:auditor functionName=444455556666:function:auditor reservedConcurrentExecutions=0"},
	} {
		r := decodeOne(t, ours(row.source+".amazonaws.com", row.name, row.request, `null`))
		if got, want := detailed(r), "blind "+accountID+" whole "+row.want; got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", row.source, row.name, got, want)
		}
	}
}

func TestCallsListsBothTables(t *testing.T) {
	names := Calls()
	if len(names) != len(decoders)+len(blinding) || !slices.IsSorted(names) {
		t.Errorf("%d calls of %d, sorted: %t", len(names), len(decoders)+len(blinding), slices.IsSorted(names))
	}
	for _, want := range []string{"lambda AddPermission", "iam CreateRole", "monitoring DeleteAlarms"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, name := range names {
		service, api, _ := strings.Cut(name, " ")
		if lookup(service+".amazonaws.com", api) == nil {
			t.Errorf("%s has no decoder", name)
		}
	}
}

func TestCallsThatNameNothingAreFindingsNotSilence(t *testing.T) {
	for c := range decoders {
		r := decodeOne(t, ours(c.service+".amazonaws.com", c.name, `{}`, `null`))
		if len(r.Changes) == 0 && c != (call{"iam", "CreatePolicyVersion"}) {
			t.Errorf("%v: got %s", c, summary(r))
		}
	}
	for c := range blinding {
		r := decodeOne(t, ours(c.service+".amazonaws.com", c.name, `{}`, `null`, "recipientAccountId", ``, "userIdentity", ``))
		if r.Err == nil || len(r.Changes) != 0 {
			t.Errorf("%v without an account: got %s", c, summary(r))
		}
	}
}

func TestLayerVersionsThatAreNone(t *testing.T) {
	for _, row := range []struct{ parameters, want string }{
		{`"versionNumber":3`, "layerName is missing"},
		{`"layerName":"l"`, "versionNumber is missing"},
		{`"layerName":"l","versionNumber":0`, `versionNumber "0" is not a number of a version`},
		{`"layerName":"l","versionNumber":1.5`, `versionNumber "1.5" is not a number of a version`},
		{`"layerName":"l","versionNumber":"latest"`, `versionNumber "latest" is not a number of a version`},
		{`"layerName":"a b","versionNumber":1`, `"arn:aws:lambda:us-east-1:111122223333:layer:a b:1" is not the ARN of a layer version`},
	} {
		r := decodeOne(t, ours(lambdaAPI, "RemoveLayerVersionPermission20181031", `{"statementId":"s",`+row.parameters+`}`, `null`))
		want := "unreadable " + accountID + " whole | error: decoding lambda.amazonaws.com RemoveLayerVersionPermission20181031 (event e1): " + row.want
		if got := summary(r); got != want {
			t.Errorf("%s:\n got %s\nwant %s", row.parameters, got, want)
		}
	}
}
