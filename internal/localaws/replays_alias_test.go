package localaws_test

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// env makes a function with a variable, as the alias cases do.
func (r *replay) env(stage string) *types.Environment {
	return &types.Environment{Variables: map[string]string{"testenv": stage}}
}

func (r *replay) createEnv() (*lambda.CreateFunctionOutput, error) {
	return r.CreateFunction(r.ctx, &lambda.CreateFunctionInput{
		FunctionName: str("fn"), Handler: str("index.handler"), Runtime: "python3.12", Role: str("arn:aws:iam::111122223333:role/fn-role"),
		PackageType: "Zip", Environment: r.env("staging"), Code: &types.FunctionCode{ZipFile: []byte("zip")},
	})
}

func (r *replay) alias(name, version, description string, weights map[string]float64) (*lambda.CreateAliasOutput, error) {
	in := &lambda.CreateAliasInput{FunctionName: str("fn"), Name: &name, FunctionVersion: &version}
	if description != "" {
		in.Description = &description
	}
	if weights != nil {
		in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
	}
	return r.CreateAlias(r.ctx, in)
}

func (r *replay) getAlias(name string) (*lambda.GetAliasOutput, error) {
	return r.GetAlias(r.ctx, &lambda.GetAliasInput{FunctionName: str("fn"), Name: &name})
}

func (r *replay) aliases(version string) (*lambda.ListAliasesOutput, error) {
	in := &lambda.ListAliasesInput{FunctionName: str("fn")}
	if version != "" {
		in.FunctionVersion = &version
	}
	return r.ListAliases(r.ctx, in)
}

func aliasLifecycle(r *replay) {
	m(r, "create_response", of(r.createEnv()))
	m(r, "publish_v1", of(r.publish("")))
	c(r, of(r.UpdateFunctionConfiguration(r.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: str("fn"), Environment: r.env("prod")})))
	m(r, "publish_v2", of(r.publish("")))
	alias := m(r, "create_alias_1_1", of(r.alias("aliasname1_1", "1", "custom-alias", map[string]float64{"2": 0.2})))
	m(r, "get_alias_1_1", of(r.getAlias("aliasname1_1")))
	m(r, "get_function_alias_1_1", of(r.function("fn", "aliasname1_1")))
	m(r, "get_function_byarn_alias_1_1", of(r.function(*alias.AliasArn, "")))
	m(r, "get_function_alias_notfound_exc", of(r.function("fn", "aliasdoesnotexist")))
	m(r, "get_function_alias_byarn_notfound_exc", of(r.function("arn:aws:lambda:us-east-1:111122223333:function:fn:aliasdoesnotexist", "")))
	m(r, "create_alias_1_2", of(r.alias("aliasname1_2", "1", "custom-alias", nil)))
	m(r, "get_alias_1_2", of(r.getAlias("aliasname1_2")))
	m(r, "create_alias_1_3", of(r.alias("aliasname1_3", "1", "", nil)))
	m(r, "get_alias_1_3", of(r.getAlias("aliasname1_3")))
	m(r, "create_alias_2", of(r.alias("aliasname2", "2", "custom-alias", nil)))
	m(r, "get_alias_2", of(r.getAlias("aliasname2")))
	r.compare("list_aliases_for_fnname", r.allAliases())
	m(r, "update_alias_1_1", of(r.UpdateAlias(r.ctx, &lambda.UpdateAliasInput{FunctionName: str("fn"), Name: str("aliasname1_1"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{}}})))
	m(r, "get_alias_1_1_after_update", of(r.getAlias("aliasname1_1")))
	m(r, "list_aliases_for_fnname_after_update", of(r.aliases("")))
	m(r, "update_alias_1_2", of(r.UpdateAlias(r.ctx, &lambda.UpdateAliasInput{FunctionName: str("fn"), Name: str("aliasname1_2")})))
	m(r, "get_alias_1_2_after_update", of(r.getAlias("aliasname1_2")))
	m(r, "list_aliases_for_fnname_after_update_2", of(r.aliases("")))
	m(r, "list_aliases_for_version", of(r.aliases("1")))
	m(r, "delete_alias_response", of(r.DeleteAlias(r.ctx, &lambda.DeleteAliasInput{FunctionName: str("fn"), Name: str("aliasname1_1")})))
	m(r, "list_aliases_for_fnname_afterdelete", of(r.aliases("")))
}

// allAliases pages through the aliases one by one, as the recorder did.
func (r *replay) allAliases() map[string]any {
	var all []any
	pages := lambda.NewListAliasesPaginator(r.Client, &lambda.ListAliasesInput{FunctionName: str("fn"), MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		if _, err := pages.NextPage(r.ctx); err != nil {
			r.Fatalf("listing aliases: %v", err)
		}
		var page struct{ Aliases []any }
		if err := json.Unmarshal(r.wire.body, &page); err != nil || len(page.Aliases) != 1 {
			r.Fatalf("a page of one alias is %s (%v)", r.wire.body, err)
		}
		all = append(all, page.Aliases...)
	}
	return map[string]any{"Aliases": all}
}

func (r *replay) createURL(function, qualifier string) (*lambda.CreateFunctionUrlConfigOutput, error) {
	in := &lambda.CreateFunctionUrlConfigInput{FunctionName: &function, AuthType: "NONE"}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return r.CreateFunctionUrlConfig(r.ctx, in)
}

func (r *replay) getURL(qualifier string) (*lambda.GetFunctionUrlConfigOutput, error) {
	in := &lambda.GetFunctionUrlConfigInput{FunctionName: str("fn")}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	return r.GetFunctionUrlConfig(r.ctx, in)
}

func (r *replay) deleteURL() (*lambda.DeleteFunctionUrlConfigOutput, error) {
	return r.DeleteFunctionUrlConfig(r.ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: str("fn")})
}

func urlLifecycle(r *replay) {
	r.created()
	m(r, "url_creation", of(r.createURL("fn", "")))
	m(r, "failed_duplication", of(r.createURL("fn", "")))
	m(r, "get_url_config", of(r.getURL("")))
	m(r, "updated_url_config", of(r.UpdateFunctionUrlConfig(r.ctx, &lambda.UpdateFunctionUrlConfigInput{FunctionName: str("fn"), AuthType: "AWS_IAM"})))
	c(r, of(r.deleteURL()))
	m(r, "failed_getter", of(r.getURL("")))
}

func urlListPaging(r *replay) {
	c(r, of(r.create("nodejs20.x", "lambda_handler.handler")))
	m(r, "fn_version_result", of(r.publish("")))
	m(r, "create_alias_result", of(r.alias("urlalias", "1", "", nil)))
	list := func(function string) (*lambda.ListFunctionUrlConfigsOutput, error) {
		return r.ListFunctionUrlConfigs(r.ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: &function})
	}
	m(r, "list_function_notfound", of(list("doesnotexist")))
	m(r, "list_all_empty", of(list("fn")))
	m(r, "url_config_fn", of(r.createURL("fn", "")))
	m(r, "url_config_alias", of(r.createURL("fn:urlalias", "urlalias")))
	m(r, "list_all", of(list("fn")))
}

func urlDeletionWithoutQualifier(r *replay) {
	c(r, of(r.createEnv()))
	c(r, of(r.publish("")))
	c(r, of(r.alias("test-alias", "1", "custom-alias", nil)))
	m(r, "url_creation", of(r.createURL("fn", "")))
	m(r, "url_with_alias_creation", of(r.createURL("fn", "test-alias")))
	m(r, "get_url_config", of(r.getURL("")))
	m(r, "get_url_config_with_alias", of(r.getURL("test-alias")))
	m(r, "delete_function_url_config", of(r.deleteURL()))
	m(r, "get_url_config_after_deletion", of(r.getURL("")))
	m(r, "get_url_config_with_alias_after_deletion", of(r.getURL("test-alias")))
}
