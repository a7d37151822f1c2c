package localaws_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// replays are the calls behind the recordings, case by case.
var replays = map[string]func(*replay){
	"test_alias_lifecycle":                       aliasLifecycle,
	"test_add_lambda_permission_aws":             addPermissionAWS,
	"test_remove_multi_permissions":              removeMultiPermissions,
	"test_create_multiple_lambda_permissions":    createMultiplePermissions,
	"test_url_config_lifecycle":                  urlLifecycle,
	"test_url_config_list_paging":                urlListPaging,
	"test_url_config_deletion_without_qualifier": urlDeletionWithoutQualifier,
	"test_permission_exceptions":                 permissionExceptions,
	"test_layer_policy_exceptions":               layerPolicyExceptions,
	"test_layer_policy_lifecycle":                layerPolicyLifecycle,
	"test_add_lambda_permission_optional_fields": func(*replay) {}, // nothing was recorded
	"test_add_lambda_permission_fields":          addPermissionFields,
	"test_lambda_permission_versioning":          permissionVersioning,
	"test_lambda_permission_fn_versioning":       permissionFnVersioning,
	"test_lambda_permission_revisions":           permissionRevisions,
	"test_function_revisions_version_and_alias":  revisionsVersionAndAlias,
	"test_function_revisions_permissions":        revisionsPermissions,
}

var (
	str    = aws.String
	bucket = str("arn:aws:s3:::test-bucket")
)

// create makes the function "fn" as the recorder's fixture did.
func (r *replay) create(runtime types.Runtime, handler string) (*lambda.CreateFunctionOutput, error) {
	return r.CreateFunction(r.ctx, &lambda.CreateFunctionInput{
		FunctionName: str("fn"), Handler: &handler, Runtime: runtime, Role: str("arn:aws:iam::111122223333:role/fn-role"),
		Timeout: aws.Int32(30), Environment: &types.Environment{Variables: map[string]string{}},
		Code: &types.FunctionCode{ZipFile: []byte("zip")},
	})
}

func (r *replay) created() {
	r.Helper()
	out, err := r.create("python3.12", "handler.handler")
	must(r, out, err)
}

// add grants s3.amazonaws.com the right to invoke, for a bucket.
func (r *replay) add(function, qualifier, sid, revision string) (*lambda.AddPermissionOutput, error) {
	in := &lambda.AddPermissionInput{FunctionName: &function, StatementId: &sid, Action: str("lambda:InvokeFunction"), Principal: str("s3.amazonaws.com"), SourceArn: bucket}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	if revision != "" {
		in.RevisionId = &revision
	}
	return r.AddPermission(r.ctx, in)
}

func (r *replay) remove(function, qualifier, sid, revision string) (*lambda.RemovePermissionOutput, error) {
	in := &lambda.RemovePermissionInput{FunctionName: &function, StatementId: &sid}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	if revision != "" {
		in.RevisionId = &revision
	}
	return r.RemovePermission(r.ctx, in)
}

func (r *replay) policy(function, qualifier string) (*lambda.GetPolicyOutput, error) {
	in := &lambda.GetPolicyInput{FunctionName: &function}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return r.GetPolicy(r.ctx, in)
}

func (r *replay) function(name, qualifier string) (*lambda.GetFunctionOutput, error) {
	in := &lambda.GetFunctionInput{FunctionName: &name}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return r.GetFunction(r.ctx, in)
}

func (r *replay) publish(revision string) (*lambda.PublishVersionOutput, error) {
	in := &lambda.PublishVersionInput{FunctionName: str("fn")}
	if revision != "" {
		in.RevisionId = &revision
	}
	return r.PublishVersion(r.ctx, in)
}

// then makes a call's two results one value, so that they can follow other
// arguments: see m and c.
type then[T any] struct {
	out T
	err error
}

func of[T any](out T, err error) then[T] { return then[T]{out, err} }

func m[T any](r *replay, name string, t then[T]) T { r.Helper(); return match(r, name, t.out, t.err) }

func c[T any](r *replay, t then[T]) T { r.Helper(); return must(r, t.out, t.err) }

func addPermissionAWS(r *replay) {
	created := of(r.create("python3.12", "handler.handler"))
	matchCreated(r, "create_lambda", created.out, created.err)
	m(r, "add_permission", of(r.add("fn", "", "s3", "")))
	m(r, "get_policy", of(r.policy("fn", "")))
}

// grant is AddPermission without conditions.
func (r *replay) grant(sid, principal string) (*lambda.AddPermissionOutput, error) {
	return r.AddPermission(r.ctx, &lambda.AddPermissionInput{FunctionName: str("fn"), StatementId: &sid, Action: str("lambda:InvokeFunction"), Principal: &principal})
}

func removeMultiPermissions(r *replay) {
	r.created()
	m(r, "add_permission_1", of(r.grant("s3", "s3.amazonaws.com")))
	m(r, "add_permission_2", of(r.AddPermission(r.ctx, &lambda.AddPermissionInput{FunctionName: str("fn"), StatementId: str("sqs"), Action: str("lambda:InvokeFunction"), Principal: str("sqs.amazonaws.com"), SourceArn: bucket})))
	m(r, "policy_after_2_add", of(r.policy("fn", "")))
	m(r, "remove_permission_exception_nonexisting_sid", of(r.remove("fn", "", "non-existent", "")))
	c(r, of(r.remove("fn", "", "sqs", "")))
	m(r, "policy_after_removal", of(r.policy("fn", "")))
	attempt := m(r, "policy_after_removal_attempt", of(r.policy("fn", "")))
	c(r, of(r.remove("fn", "", "s3", *attempt.RevisionId)))
	m(r, "get_policy_exception_removed_all", of(r.policy("fn", "")))
}

func createMultiplePermissions(r *replay) {
	r.created()
	m(r, "add_permission_response_1", of(r.grant("logs", "logs.amazonaws.com")))
	m(r, "add_permission_response_2", of(r.grant("kinesis", "kinesis.amazonaws.com")))
	m(r, "policy_after_2_add", of(r.policy("fn", "")))
}

func permissionExceptions(r *replay) {
	r.created()
	m(r, "add_permission_invalid_statement_id", of(r.grant("example.com", "s3.amazonaws.com")))
	m(r, "add_permission_fn_qualifier_mismatch", of(r.add("fn:alias-not-42", "42", "s3", "")))
	m(r, "add_permission_fn_qualifier_latest", of(r.add("fn:$LATEST", "$LATEST", "s3", "")))
	m(r, "add_permission_principal_invalid", of(r.grant("lambda", "invalid.nonaws.com")))
	m(r, "get_policy_fn_doesnotexist", of(r.policy("doesnotexist", "")))
	m(r, "get_policy_fn_version_doesnotexist", of(r.policy("fn", "77")))
	m(r, "add_permission_fn_doesnotexist", of(r.add("doesnotexist", "", "s3", "")))
	m(r, "remove_permission_policy_doesnotexist", of(r.remove("fn", "", "s3", "")))
	m(r, "add_permission_fn_alias_doesnotexist", of(r.add("fn:alias-doesnotexist", "", "s3", "")))
	m(r, "add_permission_fn_version_doesnotexist", of(r.add("fn", "42", "s3", "")))
	m(r, "add_permission_fn_qualifier_invalid", of(r.add("fn", "invalid-qualifier-with-?-char", "s3", "")))
	m(r, "add_permission_fn_qualifier_valid_doesnotexist", of(r.add("fn", "valid-with-$-but-doesnotexist", "s3", "")))
	c(r, of(r.add("fn", "", "s3", "")))
	m(r, "add_permission_conflicting_statement_id", of(r.add("fn", "", "s3", "")))
	m(r, "remove_permission_fn_doesnotexist", of(r.remove("doesnotexist", "", "s3", "")))
	m(r, "remove_permission_fn_alias_doesnotexist", of(r.remove("fn", "alias-doesnotexist", "s3", "")))
}

func addPermissionFields(r *replay) {
	r.created()
	grant := func(in lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
		in.FunctionName = str("fn")
		if in.Action == nil {
			in.Action = str("lambda:InvokeFunction")
		}
		return r.AddPermission(r.ctx, &in)
	}
	own := str(account)
	m(r, "add_permission_principal_wildcard", of(grant(lambda.AddPermissionInput{StatementId: str("wilcard"), Principal: str("*"), SourceAccount: own})))
	m(r, "add_permission_principal_service", of(grant(lambda.AddPermissionInput{StatementId: str("lambda"), Principal: str("lambda.amazonaws.com"), SourceAccount: own})))
	m(r, "add_permission_principal_account", of(grant(lambda.AddPermissionInput{StatementId: str("account-id"), Principal: own})))
	m(r, "add_permission_principal_arn", of(grant(lambda.AddPermissionInput{StatementId: str("user-arn"), Principal: str("arn:aws:iam::111122223333:user/ann"), SourceAccount: own})))
	m(r, "add_permission_optional_fields", of(grant(lambda.AddPermissionInput{StatementId: str("urlPermission"), Action: str("lambda:InvokeFunctionUrl"), Principal: str("*"), SourceArn: bucket, SourceAccount: own, PrincipalOrgID: str("o-1234567890"), FunctionUrlAuthType: "NONE"})))
	m(r, "add_permission_alexa_skill", of(grant(lambda.AddPermissionInput{StatementId: str("alexaSkill"), Principal: str("*"), EventSourceToken: str("amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")})))
}

func permissionVersioning(r *replay) {
	r.created()
	m(r, "add_permission", of(r.add("fn", "", "s3", "")))
	m(r, "get_policy", of(r.policy("fn", "")))
	c(r, of(r.publish("")))
	m(r, "get_policy_after_publishing_latest", of(r.policy("fn", "")))
	m(r, "get_policy_after_publishing_new_version", of(r.policy("fn", "1")))
	c(r, of(r.add("fn:1", "1", "s3", "")))
	after := m(r, "get_policy_after_adding_to_new_version", of(r.policy("fn", "")))
	c(r, of(r.add("fn", "", "s3_2", *after.RevisionId)))
	m(r, "get_policy_after_adding_2", of(r.policy("fn", "")))
}

func permissionFnVersioning(r *replay) {
	r.created()
	m(r, "add_permission", of(r.add("fn", "", "s3", "")))
	m(r, "get_policy", of(r.policy("fn", "")))
	m(r, "publish_version_result", of(r.publish("")))
	m(r, "get_function_result_after_publishing", of(r.function("fn", "")))
	m(r, "get_policy_after_publishing_latest", of(r.policy("fn", "")))
	m(r, "get_policy_after_publishing_new_version", of(r.policy("fn", "1")))
	c(r, of(r.add("fn:1", "1", "s3", "")))
	m(r, "get_policy_version", of(r.policy("fn", "1")))
	alias := m(r, "create_alias_response", of(r.CreateAlias(r.ctx, &lambda.CreateAliasInput{FunctionName: str("fn"), Name: str("permission-alias"), FunctionVersion: str("1")})))
	m(r, "get_alias", of(r.GetAlias(r.ctx, &lambda.GetAliasInput{FunctionName: str("fn"), Name: str("permission-alias")})))
	m(r, "add_permission_alias_revision_exception", of(r.add("fn", "permission-alias", "s3", "wrong")))
	c(r, of(r.add("fn:permission-alias", "permission-alias", "s3", *alias.RevisionId)))
	m(r, "get_policy_alias", of(r.policy("fn", "permission-alias")))
	after := m(r, "get_policy_after_adding_to_new_version", of(r.policy("fn", "")))
	c(r, of(r.add("fn", "", "s3_2", *after.RevisionId)))
	m(r, "get_policy_after_adding_2", of(r.policy("fn", "")))
}

// permissionRevisions replays a case whose calls were never published: they
// are the least that lead to these answers.
func permissionRevisions(r *replay) {
	created := of(r.create("python3.8", "handler.handler"))
	c(r, created)
	m(r, "add_permission_revision_id_doesnotmatch", of(r.add("fn", "", "s3", "wrong")))
	c(r, of(r.add("fn", "", "s3", "")))
	m(r, "remove_permission_fn_revision_id_doesnotmatch", of(r.remove("fn", "", "s3", "wrong")))
	c(r, of(r.publish("")))
	c(r, of(r.UpdateFunctionConfiguration(r.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: str("fn"), Runtime: "python3.9"})))
	c(r, of(r.add("fn", "", "s3_2", "")))
	c(r, of(r.add("fn", "1", "s3_2", "")))
	m(r, "get_policy_after_publish_version", of(r.policy("fn", "")))
	m(r, "get_policy_v1_after_publish_version", of(r.policy("fn", "1")))
	m(r, "get_function_fn8", of(r.function("fn", "")))
	v1 := m(r, "get_function_fn8_v1", of(r.function("fn", "1")))
	c(r, of(r.add("fn", "1", "s3_3", *v1.Configuration.RevisionId)))
	m(r, "get_function_fn9", of(r.function("fn", "")))
	m(r, "get_function_fn9_v1", of(r.function("fn", "1")))
	m(r, "get_policy_v1_after_add_permission9", of(r.policy("fn", "1")))
}

func revisionsVersionAndAlias(r *replay) {
	created := of(r.create("python3.12", "handler.handler"))
	matchCreated(r, "create_function_response_rev1", created.out, created.err)
	active := m(r, "get_function_active_rev2", of(r.function("fn", "")))
	m(r, "publish_version_revision_exception", of(r.publish("wrong")))
	m(r, "publish_version_response_rev_v1", of(r.publish(*active.Configuration.RevisionId)))
	m(r, "get_function_published_version_rev_v2", of(r.function("fn", "1")))
	m(r, "get_function_latest_rev3", of(r.function("fn", "")))
	alias := m(r, "create_alias_response_rev_a1", of(r.CreateAlias(r.ctx, &lambda.CreateAliasInput{FunctionName: str("fn"), Name: str("revision_alias"), FunctionVersion: str("1")})))
	m(r, "get_function_latest_rev4", of(r.function("fn", "")))
	m(r, "get_function_published_version_rev_v3", of(r.function("fn", "1")))
	update := &lambda.UpdateAliasInput{FunctionName: str("fn"), Name: str("revision_alias"), RevisionId: str("wrong")}
	m(r, "update_alias_revision_exception", of(r.UpdateAlias(r.ctx, update)))
	update.Description, update.RevisionId = str("something changed"), alias.RevisionId
	m(r, "update_alias_response_rev_a2", of(r.UpdateAlias(r.ctx, update)))
}

func revisionsPermissions(r *replay) {
	r.created()
	m(r, "add_permission_revision_exception", of(r.add("fn", "", "s3", "wrong")))
}

func layerPublished(r *replay) {
	r.Helper()
	m(r, "publish_result", of(r.PublishLayerVersion(r.ctx, &lambda.PublishLayerVersionInput{
		LayerName: str("libs"), Content: &types.LayerVersionContentInput{ZipFile: []byte("zip")},
		CompatibleRuntimes: []types.Runtime{"python3.12"}, CompatibleArchitectures: []types.Architecture{"x86_64"},
	})))
}

func (r *replay) layerAdd(layer string, version int64, sid, action, revision string) (*lambda.AddLayerVersionPermissionOutput, error) {
	in := &lambda.AddLayerVersionPermissionInput{LayerName: &layer, VersionNumber: &version, StatementId: &sid, Action: &action, Principal: str("*")}
	if revision != "" {
		in.RevisionId = &revision
	}
	return r.AddLayerVersionPermission(r.ctx, in)
}

func (r *replay) layerGet(layer string, version int64) (*lambda.GetLayerVersionPolicyOutput, error) {
	return r.GetLayerVersionPolicy(r.ctx, &lambda.GetLayerVersionPolicyInput{LayerName: &layer, VersionNumber: &version})
}

func (r *replay) layerRemove(layer string, version int64, sid, revision string) (*lambda.RemoveLayerVersionPermissionOutput, error) {
	in := &lambda.RemoveLayerVersionPermissionInput{LayerName: &layer, VersionNumber: &version, StatementId: &sid}
	if revision != "" {
		in.RevisionId = &revision
	}
	return r.RemoveLayerVersionPermission(r.ctx, in)
}

func layerPolicyExceptions(r *replay) {
	const get, absent = "lambda:GetLayerVersion", "libs-doesnotexist"
	layerPublished(r)
	m(r, "layer_permission_nopolicy_get", of(r.layerGet("libs", 1)))
	m(r, "add_layer_permission_result", of(r.layerAdd("libs", 1, "s1", get, "")))
	m(r, "layer_permission_action_invalid", of(r.layerAdd("libs", 1, "s2", "*", "")))
	m(r, "layer_permission_duplicate_statement", of(r.layerAdd("libs", 1, "s1", get, "")))
	m(r, "layer_permission_wrong_revision", of(r.layerAdd("libs", 1, "s2", get, "wrong")))
	m(r, "layer_permission_layername_doesnotexist_add", of(r.layerAdd(absent, 1, "s3", get, "")))
	m(r, "layer_permission_layername_doesnotexist_get", of(r.layerGet(absent, 1)))
	m(r, "layer_permission_layername_doesnotexist_remove", of(r.layerRemove(absent, 1, "s1", "")))
	m(r, "layer_permission_layerversion_doesnotexist_add", of(r.layerAdd("libs", 2, "s3", get, "")))
	m(r, "layer_permission_layerversion_doesnotexist_get", of(r.layerGet("libs", 2)))
	m(r, "layer_permission_layerversion_doesnotexist_remove", of(r.layerRemove("libs", 2, "s1", "")))
	m(r, "layer_permission_statementid_doesnotexist_remove", of(r.layerRemove("libs", 1, "doesnotexist", "")))
	m(r, "layer_permission_wrong_revision_remove", of(r.layerRemove("libs", 1, "s1", "wrong")))
}

func layerPolicyLifecycle(r *replay) {
	const get = "lambda:GetLayerVersion"
	layerPublished(r)
	m(r, "add_policy_s1", of(r.layerAdd("libs", 1, "s1", get, "")))
	first := m(r, "get_layer_version_policy", of(r.layerGet("libs", 1)))
	m(r, "add_policy_s2", of(r.layerAdd("libs", 1, "s2", get, *first.RevisionId)))
	second := m(r, "get_layer_version_policy_postadd2", of(r.layerGet("libs", 1)))
	m(r, "remove_s2", of(r.layerRemove("libs", 1, "s2", *second.RevisionId)))
	m(r, "get_layer_version_policy_postdeletes2", of(r.layerGet("libs", 1)))
}
