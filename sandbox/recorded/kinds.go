package recorded

import (
	"strings"

	"arc/sandbox/stack"
)

// kinds are the recorded types, with what AWS's resource schemas say of them.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
var kinds = map[string]kind{
	"AWS::CloudFront::Distribution": {
		required: []string{"DistributionConfig"},
		describe: func(s *Store, name string, _ map[string]any) stack.Resource {
			return resource("E"+name, "Id", "E"+name, "DomainName", "d"+strings.ToLower(name)+".cloudfront.net")
		},
	},
	"AWS::CloudFront::OriginAccessControl": {required: []string{"OriginAccessControlConfig"}, describe: byID},
	"AWS::CloudFront::CloudFrontOriginAccessIdentity": {
		required: []string{"CloudFrontOriginAccessIdentityConfig"},
		describe: func(s *Store, name string, _ map[string]any) stack.Resource {
			return resource("E"+name, "Id", "E"+name, "S3CanonicalUserId", strings.ToLower(name))
		},
	},
	"AWS::CloudFront::CachePolicy":           {required: []string{"CachePolicyConfig"}, describe: byID},
	"AWS::CloudFront::OriginRequestPolicy":   {required: []string{"OriginRequestPolicyConfig"}, describe: byID},
	"AWS::CloudFront::ResponseHeadersPolicy": {required: []string{"ResponseHeadersPolicyConfig"}, describe: byID},
	"AWS::CloudFront::Function": {
		required: []string{"Name", "FunctionConfig", "FunctionCode"}, name: "Name", limit: 64,
		describe: func(s *Store, name string, _ map[string]any) stack.Resource {
			arn := stack.ARN(s.region, "cloudfront", "", s.account, "function/"+name)
			return resource(arn, "FunctionARN", arn, "FunctionMetadata.FunctionARN", arn, "Stage", "LIVE")
		},
	},
}

func (s *Store) arn(service, name string) string {
	return stack.ARN(s.region, service, s.region, s.account, name)
}

// resource pairs names and values up as attributes.
func resource(id string, attributes ...string) stack.Resource {
	r := stack.Resource{PhysicalID: id, Attributes: map[string]any{}}
	for i := 0; i < len(attributes); i += 2 {
		r.Attributes[attributes[i]] = attributes[i+1]
	}
	return r
}

func byID(_ *Store, name string, _ map[string]any) stack.Resource { return resource(name, "Id", name) }

// baseName finds the name of a resource in its physical ID.
func baseName(physicalID string) string {
	return physicalID[strings.LastIndexAny(physicalID, ":/|")+1:]
}
