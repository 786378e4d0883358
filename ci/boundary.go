package ci

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/manifest"
)

// boundary is the ARN of the policy that bounds the roles which a role of the
// workflow makes: what these may do is at most what it and their own policies
// both allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (s Setup) boundary(r role) string {
	aws := manifest.AWS{Boundary: s.boundaryName()}
	if name := aws.BoundaryPolicy(r.stage); name != "" {
		return s.arn("iam", "", s.account(r), "policy/"+name)
	}
	return aws.Boundary
}

// boundaryName is what @aws boundary is, or is to be.
func (s Setup) boundaryName() string {
	if s.Boundary == "" {
		return s.Role
	}
	return s.Boundary
}

// ownBoundary reports whether the user keeps a policy of their own as boundary.
func (s Setup) ownBoundary() bool { return strings.HasPrefix(s.Boundary, "arn:") }

// roles are the functions' own, in the folder of their stack. Who may make roles
// could give away any right of the account's, so all that makes or changes one
// asks that it carries the boundary; and neither the boundary nor the roles of
// the workflow can be changed by any of these. The actions that know the
// condition: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func (p *permissions) roles() {
	var roles, policies []string
	for _, name := range p.r.stacks.roots() {
		roles = append(roles, p.global("iam", "role"+cfn.RolePath+name+"/*"))
		policies = append(policies, p.global("iam", "policy"+cfn.RolePath+name+"/*"))
	}
	p.allow("Roles", roles, "iam:CreateRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy",
		"PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary").
		Condition = map[string]map[string][]string{"StringEquals": {"iam:PermissionsBoundary": {p.s.boundary(p.r)}}}
	p.allow("RolesSeen", roles, "iam:GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "TagRole", "UntagRole")
	p.allow("RolesGiven", roles, "iam:PassRole").
		Condition = map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {"lambda.amazonaws.com", "scheduler.amazonaws.com"}}}
	p.allow("Policies", policies, "iam:CreatePolicy", "DeletePolicy", "GetPolicy", "ListEntitiesForPolicy",
		"CreatePolicyVersion", "DeletePolicyVersion", "GetPolicyVersion", "ListPolicyVersions")
	p.deny("NoWayOut", []string{"*"}, "iam:DeleteRolePermissionsBoundary", "SetDefaultPolicyVersion")
	// Whatever else is attached to the role: these it never changes.
	ours := []string{p.global("iam", "role/"+p.s.Role+"-*"), p.global("iam", "oidc-provider/*")}
	for _, r := range p.s.roles() {
		if arn := p.s.boundary(r); p.s.account(r) == p.s.account(p.r) && !slices.Contains(ours, arn) {
			ours = append(ours, arn)
		}
	}
	p.deny("NotOurselves", ours, "iam:*")
}

// deny is allow's contrary.
func (p *permissions) deny(sid string, resources []string, actions ...string) {
	p.allow(sid, resources, actions...).Effect = "Deny"
}

// bounds is what the functions of a role's stacks may do at most: all that
// templates of arc's give them, on what belongs to these stacks. What a function
// is given beyond (policies in its config file) reaches no further.
func (s Setup) bounds(r role) document {
	p := &permissions{s: s, r: r}
	var logs, parameters []string
	for _, name := range r.stacks.own() {
		logs = append(logs, p.here("logs", "log-group:"+cfn.LogGroups+name+"/*"))
		parameters = append(parameters, p.here("ssm", "parameter/"+name), p.here("ssm", "parameter/"+name+"/*"))
	}
	p.allow("Logs", logs, "logs:CreateLogStream", "PutLogEvents")
	p.allow("Parameters", parameters, "ssm:GetParameter", "GetParameters", "GetParametersByPath")
	p.allow("Tables", p.named("dynamodb", "table/"), "dynamodb:BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeStream",
		"DescribeTable", "GetItem", "GetRecords", "GetShardIterator", "ListStreams", "PartiQL*", "PutItem", "Query", "Scan", "UpdateItem")
	// It names no table: AWS asks for it on all of them.
	p.allow("Streams", []string{"*"}, "dynamodb:ListStreams")
	if len(s.Keys) > 0 {
		p.allow("Keys", s.Keys, "kms:Decrypt", "Encrypt").
			Condition = map[string]map[string][]string{"StringEquals": {"kms:ViaService": {"dynamodb." + s.Region + ".amazonaws.com"}}}
	}
	p.allow("Topics", p.named("sns", ""), "sns:Publish")
	p.allow("Queues", p.named("sqs", ""), "sqs:DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage", "SendMessage")
	p.allow("Functions", p.named("lambda", "function:"), "lambda:InvokeFunction")
	buckets := []string{s.arn("s3", "", "", strings.ToLower(r.stacks.named()))}
	if given := s.files(r); given != "" {
		buckets = append(buckets, s.arn("s3", "", "", given))
	}
	p.allow("Buckets", buckets, "s3:ListBucket")
	var objects []string
	for _, arn := range buckets {
		objects = append(objects, arn+"/*")
	}
	p.allow("Files", objects, "s3:DeleteObject", "GetObject", "PutObject")
	// An API's name is made up by AWS.
	p.allow("Connections", []string{p.here("execute-api", "*/@connections/*")}, "execute-api:ManageConnections")
	return document{Version: "2012-10-17", Statement: p.list}
}
