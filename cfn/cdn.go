package cfn

import (
	"github.com/awslabs/goformation/v7/cloudformation/cloudfront"
	"github.com/awslabs/goformation/v7/cloudformation/s3"
)

const (
	cdnDistribution = "CDN"
	originAPI       = "api"
	originBucket    = "bucket"
	originAssets    = "assets"     // the asset function, below /_static
	originStatic    = "static"     // the bucket, then the asset function
	staticPattern   = "/_static/*" // in CloudFront's spelling, too
	redirectToHTTPS = "redirect-to-https"
)

// Policies that CloudFront manages for everybody.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
const (
	cachingOptimized          = "658327ea-f89d-4fab-a63d-7e88639e58f6"
	allViewerExceptHostHeader = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

// stripStatic takes /_static off a path, for the bucket's keys start below it.
const stripStatic = `function handler(event) {
  var request = event.request;
  request.uri = request.uri.replace(/^\/_static\//, '/');
  return request;
}
`

// cdn compiles @cdn: a distribution in front of the HTTP API. /_static/* comes
// straight from the private bucket; what that does not have by its name, such
// as the plain name of a fingerprinted file, is asked of the asset function.
func (c *compiler) cdn() {
	if c.app.CDN == nil || !c.app.CDN.Enabled || c.t.Resources[httpAPI] == nil {
		return
	}
	pos := c.app.CDN.Pos
	api := Sub("${" + httpAPI + "}.execute-api.${AWS::Region}.${AWS::URLSuffix}")
	config := &cloudfront.Distribution_DistributionConfig{
		Comment:              new(Ref("AWS::StackName")),
		DefaultCacheBehavior: c.cdnDefault(),
		Enabled:              true,
		HttpVersion:          new("http2and3"),
		IPV6Enabled:          new(true),
		Origins:              []cloudfront.Distribution_Origin{apiOrigin(originAPI, api, "")},
		ViewerCertificate:    &cloudfront.Distribution_ViewerCertificate{CloudFrontDefaultCertificate: new(true)},
	}
	if c.app.Static != nil && c.givenBucket() == "" {
		c.cdnStatic(config, api)
	}
	c.add(cdnDistribution, pos, &cloudfront.Distribution{DistributionConfig: config})
	c.output("CDN", "URL of the distribution", Sub("https://${"+cdnDistribution+".DomainName}"))
}

// accountWideName names what CloudFront wants unique in the account over all
// regions, in 64 characters.
func (c *compiler) accountWideName(what string) string {
	stack := "${AWS::StackName}"
	if name := c.stack.Name; len(name) > 40 {
		stack = name[:30] + shortHash(name)
	}
	return Sub(stack + "-${AWS::Region}-" + what)
}

func apiOrigin(id, domain, path string) cloudfront.Distribution_Origin {
	o := cloudfront.Distribution_Origin{
		Id:         id,
		DomainName: domain,
		CustomOriginConfig: &cloudfront.Distribution_CustomOriginConfig{
			OriginProtocolPolicy: "https-only", OriginSSLProtocols: []string{"TLSv1.2"},
		},
	}
	if path != "" {
		o.OriginPath = new(path)
	}
	return o
}

// cdnDefault is what happens to requests for the API. They are cached as long
// as the answer says, and not at all when it says nothing.
func (c *compiler) cdnDefault() *cloudfront.Distribution_DefaultCacheBehavior {
	policy := c.add(cdnDistribution+"CachePolicy", c.app.CDN.Pos, &cloudfront.CachePolicy{
		CachePolicyConfig: &cloudfront.CachePolicy_CachePolicyConfig{
			Name:   c.accountWideName("api"),
			MaxTTL: 365 * 24 * 60 * 60,
			ParametersInCacheKeyAndForwardedToOrigin: &cloudfront.CachePolicy_ParametersInCacheKeyAndForwardedToOrigin{
				CookiesConfig:              &cloudfront.CachePolicy_CookiesConfig{CookieBehavior: "all"},
				EnableAcceptEncodingBrotli: new(true),
				EnableAcceptEncodingGzip:   true,
				HeadersConfig: &cloudfront.CachePolicy_HeadersConfig{
					HeaderBehavior: "whitelist", Headers: []string{"Accept", "Accept-Language", "Authorization", "Origin"},
				},
				QueryStringsConfig: &cloudfront.CachePolicy_QueryStringsConfig{QueryStringBehavior: "all"},
			},
		},
	})
	return &cloudfront.Distribution_DefaultCacheBehavior{
		AllowedMethods:        []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"},
		CachePolicyId:         new(Ref(policy)),
		Compress:              new(true),
		OriginRequestPolicyId: new(allViewerExceptHostHeader), // API Gateway refuses a foreign Host
		TargetOriginId:        originAPI,
		ViewerProtocolPolicy:  redirectToHTTPS,
	}
}

// cdnStatic adds the bucket, which only this distribution may read.
func (c *compiler) cdnStatic(config *cloudfront.Distribution_DistributionConfig, api string) {
	pos := c.app.CDN.Pos
	access := c.add(cdnDistribution+"OriginAccess", pos, &cloudfront.OriginAccessControl{
		OriginAccessControlConfig: &cloudfront.OriginAccessControl_OriginAccessControlConfig{
			Name:                          c.accountWideName("static"),
			OriginAccessControlOriginType: "s3",
			SigningBehavior:               "always",
			SigningProtocol:               "sigv4",
		},
	})
	strip := c.add(cdnDistribution+"StaticPath", pos, &cloudfront.Function{
		AutoPublish:    new(true),
		FunctionCode:   stripStatic,
		FunctionConfig: &cloudfront.Function_FunctionConfig{Comment: "take /_static off the path", Runtime: "cloudfront-js-2.0"},
		Name:           c.accountWideName("static"),
	})
	c.add("StaticBucketPolicy", pos, &s3.BucketPolicy{
		Bucket: Ref(staticBucket),
		PolicyDocument: policy(statement{
			Effect:    "Allow",
			Principal: map[string]string{"Service": "cloudfront.amazonaws.com"},
			Action:    []string{"s3:GetObject"},
			Resource:  []string{c.bucketARN("/*")},
			Condition: map[string]map[string]string{"StringEquals": {
				"aws:SourceArn": Sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${" + cdnDistribution + "}"),
			}},
		}),
	})
	bucket := cloudfront.Distribution_Origin{
		Id:                    originBucket,
		DomainName:            GetAtt(staticBucket, "RegionalDomainName"),
		OriginAccessControlId: new(Ref(access)),
		S3OriginConfig:        &cloudfront.Distribution_S3OriginConfig{OriginAccessIdentity: new("")},
	}
	if c.app.Static.Prefix != "" {
		bucket.OriginPath = new("/" + c.app.Static.Prefix)
	}
	config.Origins = append(config.Origins, bucket, apiOrigin(originAssets, api, "/_static"))
	config.OriginGroups = &cloudfront.Distribution_OriginGroups{Quantity: 1, Items: []cloudfront.Distribution_OriginGroup{{
		Id:               originStatic,
		FailoverCriteria: &cloudfront.Distribution_OriginGroupFailoverCriteria{StatusCodes: &cloudfront.Distribution_StatusCodes{Quantity: 2, Items: []int{403, 404}}},
		Members: &cloudfront.Distribution_OriginGroupMembers{Quantity: 2, Items: []cloudfront.Distribution_OriginGroupMember{
			{OriginId: originBucket}, {OriginId: originAssets},
		}},
	}}}
	config.CacheBehaviors = []cloudfront.Distribution_CacheBehavior{{
		PathPattern:          staticPattern,
		CachePolicyId:        new(cachingOptimized),
		Compress:             new(true),
		FunctionAssociations: []cloudfront.Distribution_FunctionAssociation{{EventType: new("viewer-request"), FunctionARN: new(GetAtt(strip, "FunctionARN"))}},
		TargetOriginId:       originStatic,
		ViewerProtocolPolicy: redirectToHTTPS,
	}}
}
