package recorded

import (
	"net/url"
	"strings"

	"arc/sandbox/stack"
)

// repositoryType is that of image repositories, which ECR tells of.
const repositoryType = "AWS::ECR::Repository"

// kinds are the recorded types, with what AWS's resource schemas say of them.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
var kinds = map[string]kind{
	"AWS::CloudFront::Distribution": {
		required: []string{"DistributionConfig"},
		describe: func(_ stack.Request, name string) stack.Resource {
			return resource("E"+name, "Id", "E"+name, "DomainName", "d"+strings.ToLower(name)+".cloudfront.net")
		},
	},
	"AWS::CloudFront::OriginAccessControl": {required: []string{"OriginAccessControlConfig"}, describe: byID},
	"AWS::CloudFront::CloudFrontOriginAccessIdentity": {
		required: []string{"CloudFrontOriginAccessIdentityConfig"},
		describe: func(_ stack.Request, name string) stack.Resource {
			return resource("E"+name, "Id", "E"+name, "S3CanonicalUserId", strings.ToLower(name))
		},
	},
	"AWS::CloudFront::CachePolicy":           {required: []string{"CachePolicyConfig"}, describe: byID},
	"AWS::CloudFront::OriginRequestPolicy":   {required: []string{"OriginRequestPolicyConfig"}, describe: byID},
	"AWS::CloudFront::ResponseHeadersPolicy": {required: []string{"ResponseHeadersPolicyConfig"}, describe: byID},
	"AWS::CloudFront::Function": {
		required: []string{"Name", "FunctionConfig", "FunctionCode"}, name: "Name", limit: 64,
		describe: func(req stack.Request, name string) stack.Resource {
			arn := stack.ARN(req.Stack.Region, "cloudfront", "", req.Stack.Account, "function/"+name)
			return resource(arn, "FunctionARN", arn, "FunctionMetadata.FunctionARN", arn, "Stage", "LIVE")
		},
	},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html
	repositoryType: {
		name: "RepositoryName", limit: 256, lower: true,
		describe: func(req stack.Request, name string) stack.Resource {
			uri := req.Stack.Account + ".dkr.ecr." + req.Stack.Region + ".amazonaws.com/" + name
			return resource(name, "Arn", arn(req, "ecr", "repository/"+name), "RepositoryUri", uri)
		},
	},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
	"AWS::KMS::Key": {
		describe: func(req stack.Request, token string) stack.Resource {
			id := stack.UUIDOf(token)
			return resource(id, "Arn", arn(req, "kms", "key/"+id), "KeyId", id)
		},
	},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-alias.html
	"AWS::KMS::Alias": {
		required: []string{"AliasName", "TargetKeyId"}, name: "AliasName", limit: 256,
		describe: func(_ stack.Request, name string) stack.Resource { return resource(name) },
	},
	// What the CDK leaves of itself in a template: on AWS, too, nothing comes of it.
	// https://docs.aws.amazon.com/cdk/v2/guide/usage-data.html
	"AWS::CDK::Metadata": {idle: true, describe: byID},
	// Ref is an address for signals to a wait condition. There are none here: most
	// stacks have one for being a stack without resources.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html
	"AWS::CloudFormation::WaitConditionHandle": {
		idle: true,
		describe: func(req stack.Request, name string) stack.Resource {
			id := url.PathEscape(req.Stack.ID + "/" + req.LogicalID)
			return resource("https://cloudformation-waitcondition-" + req.Stack.Region + ".s3." + req.Stack.Region + ".amazonaws.com/" + id + "?X-Arc-Handle=" + name)
		},
	},
}

// shapes are what is known of further types' names, by which others ask for them:
// the authorizers of APIs know user pools by theirs.
var shapes = map[string]func(req stack.Request, name string) stack.Resource{
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
	"AWS::Cognito::UserPool": func(req stack.Request, name string) stack.Resource {
		id := req.Stack.Region + "_" + name
		provider := "cognito-idp." + req.Stack.Region + ".amazonaws.com/" + id
		return resource(id, "Arn", arn(req, "cognito-idp", "userpool/"+id), "UserPoolId", id, "ProviderName", provider, "ProviderURL", "https://"+provider)
	},
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html
	"AWS::Cognito::UserPoolClient": func(_ stack.Request, name string) stack.Resource {
		id := strings.ToLower(name)
		return resource(id, "ClientId", id, "Name", name)
	},
}

// arn is the ARN of something in the region of a stack.
func arn(req stack.Request, service, name string) string {
	return stack.ARN(req.Stack.Region, service, req.Stack.Region, req.Stack.Account, name)
}

// resource pairs names and values up as attributes.
func resource(id string, attributes ...string) stack.Resource {
	r := stack.Resource{PhysicalID: id, Attributes: map[string]any{}}
	for i := 0; i < len(attributes); i += 2 {
		r.Attributes[attributes[i]] = attributes[i+1]
	}
	return r
}

func byID(_ stack.Request, name string) stack.Resource { return resource(name, "Id", name) }

// baseName finds the name of a resource in its physical ID.
func baseName(physicalID string) string {
	return physicalID[strings.LastIndexAny(physicalID, ":/|")+1:]
}
