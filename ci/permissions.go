package ci

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/deploy"
)

// permissions is what a role may do: what arc calls itself, and what
// CloudFormation does in its name to make, change and delete resources of the
// types that arc's templates have. The latter are the permissions of AWS's own
// resource schemas (registry.HandlerOf), less those for what no template of arc's
// asks for. Resources are named by their stack wherever AWS has their names in
// their ARNs.
func (s Setup) permissions(r role) document {
	p := &permissions{s: s, r: r}
	p.stacks()
	p.variables()
	p.code()
	if !r.reads {
		p.files()
		p.functions()
		p.data()
		p.messages()
		p.web()
		p.roles()
	}
	return document{Version: "2012-10-17", Statement: p.list}
}

// permissions collects the statements of one role.
type permissions struct {
	s    Setup
	r    role
	list []statement
}

// allow adds a statement; actions are of one service, named before the colon
// of the first: allow("Topics", arns, "sns:CreateTopic", "DeleteTopic").
func (p *permissions) allow(sid string, resources []string, actions ...string) *statement {
	service, _, _ := strings.Cut(actions[0], ":")
	st := statement{Sid: sid, Effect: "Allow", Resource: resources}
	for _, a := range actions {
		st.Action = append(st.Action, service+":"+strings.TrimPrefix(a, service+":"))
	}
	slices.Sort(st.Action)
	p.list = append(p.list, st)
	return &p.list[len(p.list)-1]
}

// here is an ARN in the role's account and region.
func (p *permissions) here(service, resource string) string {
	return p.s.arn(service, p.s.Region, p.s.account(p.r), resource)
}

// global is an ARN of a service that knows no regions.
func (p *permissions) global(service, resource string) string {
	return p.s.arn(service, "", p.s.account(p.r), resource)
}

// named is an ARN of resources that CloudFormation named.
func (p *permissions) named(service, before string) []string {
	return []string{p.here(service, before+p.r.stacks.named())}
}

func (p *permissions) stacks() {
	var arns []string
	for _, name := range p.r.stacks.own() {
		arns = append(arns, p.here("cloudformation", "stack/"+name+"/*"))
	}
	actions := []string{"cloudformation:DescribeStacks", "DescribeStackEvents", "GetTemplate", "GetTemplateSummary", "ListStackResources"}
	if !p.r.reads {
		actions = append(actions, "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DeleteStack",
			// For the stacks nested in it.
			"CreateStack", "UpdateStack", "TagResource", "UntagResource")
	}
	p.allow("Stacks", arns, actions...)
}

func (p *permissions) variables() {
	own := deploy.OwnFolder(p.s.App)
	if p.r.production {
		// A plan is made of names and versions, and worked out again when it is
		// deployed. AWS knows no narrower right to them than of all parameters. To get
		// a parameter is to decrypt it, with the account's own key.
		p.allow("Versions", []string{"*"}, "ssm:DescribeParameters")
	}
	if p.r.reads {
		// A review tells which functions were changed past CloudFormation.
		p.allow("FunctionsSeen", []string{"*"}, "lambda:ListFunctions")
		return
	}
	p.allow("Variables", p.variableFolders(), "ssm:GetParametersByPath")
	var arns []string
	for _, name := range p.r.stacks.own() {
		arns = append(arns, p.here("ssm", "parameter"+own+"/secrets/"+name))
	}
	p.allow("Own", append([]string{p.here("ssm", "parameter"+own+"/bucket")}, arns...), "ssm:GetParameters")
	// It is where the next deploys take code from: a preview may say so first, and
	// not change it.
	name := p.allow("BucketName", []string{p.here("ssm", "parameter"+own+"/bucket")}, "ssm:PutParameter")
	if p.r.stage == cfn.StagePreview {
		name.Condition = map[string]map[string][]string{"StringEquals": {"ssm:Overwrite": {"false"}}}
	}
	// The key of sessions: a first deploy makes it, and nobody sets another over it.
	session := p.allow("SessionKey", []string{p.here("ssm", "parameter"+deploy.EnvFolder(p.s.App, p.r.stage)+"/"+deploy.AppSecret)}, "ssm:PutParameter")
	session.Condition = map[string]map[string][]string{"StringEquals": {"ssm:Overwrite": {"false"}}}
	p.allow("Secrets", arns, "ssm:PutParameter", "DeleteParameters")
	arns = nil
	for _, name := range p.r.stacks.own() {
		arns = append(arns, p.here("ssm", "parameter/"+name+"/*"))
	}
	p.allow("Parameters", arns, "ssm:PutParameter", "DeleteParameter", "GetParameters", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
}

// variableFolders are the stage's, and the one of each further stack.
func (p *permissions) variableFolders() []string {
	folder := "parameter" + deploy.EnvFolder(p.s.App, p.r.stage)
	return []string{p.here("ssm", folder), p.here("ssm", folder+"/*")}
}

// code is the bucket of the functions' zips. There is one an account, in which
// each stage writes below a folder of its own. What others wrote may be read: of
// the code that is deployed now a review tells what changes.
func (p *permissions) code() {
	bucket := deploy.BucketPrefix(p.s.App) + "*"
	if p.s.ArtifactBucket != "" {
		bucket = p.s.ArtifactBucket
	}
	arn := p.s.arn("s3", "", "", bucket)
	if p.r.reads {
		p.allow("Code", []string{arn, arn + "/*"}, "s3:ListBucket", "GetObject")
		return
	}
	p.allow("CodeRead", []string{arn + "/*"}, "s3:GetObject")
	written := []string{arn + "/" + cfn.Options{Stage: p.r.stage}.ArtifactKey("*")}
	for _, name := range p.r.stacks.own() {
		written = append(written, arn+"/"+deploy.RecordKey(name))
	}
	p.allow("Code", written, "s3:PutObject")
	actions := []string{"s3:ListBucket"}
	if p.s.ArtifactBucket == "" {
		actions = append(actions, "CreateBucket", "PutBucketOwnershipControls", "PutBucketPublicAccessBlock", "PutBucketVersioning", "PutEncryptionConfiguration")
	}
	p.allow("CodeBucket", []string{arn}, actions...)
}

// files are the buckets of static files: the stack's own, and the user's.
func (p *permissions) files() {
	own := p.s.arn("s3", "", "", strings.ToLower(p.r.stacks.named()))
	p.allow("Buckets", []string{own}, "s3:CreateBucket", "DeleteBucket", "Get*", "ListBucket", "ListBucketVersions",
		"ListTagsForResource", "TagResource", "UntagResource",
		"PutBucketOwnershipControls", "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketPublicAccessBlock",
		"PutBucketTagging", "PutEncryptionConfiguration",
		// A stack of Architect's has a web site, which goes.
		"PutBucketWebsite", "DeleteBucketWebsite")
	objects := []string{own + "/*"}
	if given := p.s.files(p.r); given != "" {
		arn := p.s.arn("s3", "", "", given)
		objects = append(objects, arn+"/*")
		p.allow("OwnBucket", []string{arn}, "s3:ListBucket")
	}
	p.allow("Files", objects, "s3:GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion")
}

// files is the user's own bucket of a stage.
func (s Setup) files(r role) string {
	return map[string]string{"staging": s.StagingFiles, "production": s.ProductionFiles}[r.stage]
}

func (p *permissions) functions() {
	functions := p.named("lambda", "function:")
	p.allow("Functions", functions, "lambda:CreateFunction", "DeleteFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration",
		"Get*", "ListTags", "ListVersionsByFunction", "TagResource", "UntagResource", "AddPermission", "RemovePermission",
		"PublishVersion", "CreateAlias", "UpdateAlias", "DeleteAlias", "PutFunctionConcurrency", "DeleteFunctionConcurrency",
		"PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig")
	// Their names are made up by Lambda, but they belong to functions.
	p.allow("Triggers", []string{"*"}, "lambda:CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping").
		Condition = map[string]map[string][]string{"ArnLike": {"lambda:FunctionArn": functions}}
	p.allow("TriggersSeen", []string{p.here("lambda", "event-source-mapping:*")}, "lambda:GetEventSourceMapping", "ListTags", "TagResource", "UntagResource")
	// Names none, and tells of each whose code it runs.
	p.allow("FunctionsSeen", []string{"*"}, "lambda:ListFunctions")
	p.allow("Layers", []string{p.s.arn("lambda", p.s.Region, "*", "layer:*")}, "lambda:GetLayerVersion")
	var logs []string
	for _, name := range p.r.stacks.own() {
		logs = append(logs, p.here("logs", "log-group:"+cfn.LogGroups+name+"/*"))
	}
	p.allow("Logs", logs, "logs:CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy",
		"GetDataProtectionPolicy", "DeleteDataProtectionPolicy", "ListTagsForResource", "TagResource", "UntagResource")
	// These name no log group.
	p.allow("LogsSeen", []string{"*"}, "logs:DescribeLogGroups", "DescribeIndexPolicies", "DescribeResourcePolicies")
}

func (p *permissions) data() {
	p.allow("Tables", p.named("dynamodb", "table/"), "dynamodb:CreateTable", "DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups",
		"Describe*", "GetResourcePolicy", "ListTagsOfResource", "TagResource", "UntagResource")
	if len(p.s.Keys) > 0 {
		p.allow("Keys", p.s.Keys, "kms:CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "RevokeGrant").
			Condition = map[string]map[string][]string{"StringEquals": {"kms:ViaService": {"dynamodb." + p.s.Region + ".amazonaws.com"}}}
	}
}

func (p *permissions) messages() {
	p.allow("Topics", p.named("sns", ""), "sns:CreateTopic", "DeleteTopic", "SetTopicAttributes", "Get*", "ListSubscriptionsByTopic",
		"ListTagsForResource", "Subscribe", "Unsubscribe", "SetSubscriptionAttributes", "TagResource", "UntagResource")
	p.allow("Queues", p.named("sqs", ""), "sqs:CreateQueue", "DeleteQueue", "SetQueueAttributes", "GetQueueAttributes", "GetQueueUrl",
		"ListQueueTags", "TagQueue", "UntagQueue")
	p.allow("Schedules", p.named("scheduler", "schedule/default/"), "scheduler:CreateSchedule", "UpdateSchedule", "DeleteSchedule", "GetSchedule")
}

// web is what the services know by IDs of their own making.
func (p *permissions) web() {
	// The star before /tags: CloudFormation asks for a tag by two ARNs in one.
	// https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/997
	p.allow("Apis", []string{
		p.s.arn("apigateway", p.s.Region, "", "/apis"), p.s.arn("apigateway", p.s.Region, "", "/apis/*"), p.s.arn("apigateway", p.s.Region, "", "*/tags/*"),
	}, "apigateway:GET", "POST", "PUT", "PATCH", "DELETE", "TagResource", "UntagResource")
	kinds := []string{
		p.global("cloudfront", "distribution/*"), p.global("cloudfront", "cache-policy/*"), p.global("cloudfront", "origin-access-control/*"),
		p.global("cloudfront", "function/"+p.r.stacks.named()),
	}
	p.allow("Cdn", kinds, "cloudfront:Get*", "DescribeFunction", "ListTagsForResource", "TagResource", "UntagResource",
		"UpdateDistribution", "DeleteDistribution", "UpdateCachePolicy", "DeleteCachePolicy",
		"UpdateOriginAccessControl", "DeleteOriginAccessControl", "UpdateFunction", "PublishFunction", "DeleteFunction")
	p.allow("CdnMade", []string{"*"}, "cloudfront:CreateDistribution", "CreateDistributionWithTags", "CreateCachePolicy", "CreateOriginAccessControl", "CreateFunction")
}
