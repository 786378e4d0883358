package ci

import (
	"bytes"
	"encoding/json"
	"strings"

	"arc/cfn"
)

// role is one of the roles that the workflow takes.
type role struct {
	name        string
	subject     string // which runs may take it
	environment bool   // the subject is an environment, and tells no branch
	production  bool   // in production's account
	stage       string // whose variables it reads
	stacks      stacks
	reads       bool // it changes nothing
}

// roles are those of the workflow, from the least trusted on.
func (s Setup) roles() []role {
	branch := "ref:refs/heads/" + s.Branch
	production := stacks{name: cfn.StackName(s.App, "production", "")}
	return []role{
		{name: "preview", subject: "pull_request", stage: cfn.StagePreview, stacks: stacks{name: cfn.StackName(s.App, cfn.StagePreview, ""), open: true}},
		{name: "staging", subject: branch, stage: "staging", stacks: stacks{name: cfn.StackName(s.App, "staging", "")}},
		{name: "plan", subject: branch, stage: "production", stacks: production, production: true, reads: true},
		// GitHub vouches for the environment only once it let the run in.
		{name: "production", subject: "environment:production", environment: true, stage: "production", stacks: production, production: true},
	}
}

func (s Setup) roleName(r role) string { return s.Role + "-" + r.name }

func (s Setup) roleARN(r role) string {
	return s.arn("iam", "", s.account(r), "role/"+s.roleName(r))
}

func (s Setup) account(r role) string {
	account := s.Account
	if r.production && s.Production != "" {
		account = s.Production
	}
	if account == "" {
		return noAccount
	}
	return account
}

// arn writes an ARN in the partition of the region.
func (s Setup) arn(service, region, account, resource string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return strings.Join([]string{"arn", partition, service, region, account, resource}, ":")
}

// stacks are the stacks of a role.
type stacks struct {
	name string
	open bool // all whose names begin so
}

// keptOfStack is how much of a stack's name is sure to begin the names of its
// resources. Where both names together are too long, CloudFormation cuts them,
// and leaves of the stack's half of the 64 characters (63 for a bucket) that
// functions and roles may have, less 13 for what makes the name unique and one
// between them. AWS does not document it; it is what is seen.
const keptOfStack = 25

// named is the pattern of what CloudFormation calls the stacks' resources.
func (s stacks) named() string {
	if s.open || len(s.name) > keptOfStack {
		return s.name[:min(len(s.name), keptOfStack)] + "*"
	}
	return s.name + "-*"
}

// roots are the patterns of the stacks' own names, without those nested in them.
func (s stacks) roots() []string {
	if s.open {
		return []string{s.name + "*"}
	}
	return []string{s.name}
}

// own are the patterns of the stacks' own names, with those nested in them.
func (s stacks) own() []string {
	if s.open {
		return []string{s.name + "*"}
	}
	return []string{s.name, s.name + "-*"}
}

// document is an IAM policy. The order of its fields is that of AWS's examples.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string                         `json:",omitempty"`
	Effect    string                         //
	Principal map[string]string              `json:",omitempty"`
	Action    []string                       //
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"`
}

func (d document) json() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(d)
	return b.Bytes(), err
}

// issuer is GitHub's OpenID Connect provider. AWS takes its name as the prefix
// of the condition keys.
const issuer = "token.actions.githubusercontent.com"

// trust lets GitHub's runs of one kind take a role, and no others: every word
// is compared as a whole. Who may push any branch may write a workflow there
// that names the environment production, and GitHub then vouches for that
// environment, whatever the branch; so production's role asks for the branch as
// well. STS takes these claims since January 2026:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
// https://docs.github.com/en/actions/reference/security/oidc
func (s Setup) trust(r role) document {
	condition := map[string][]string{
		issuer + ":aud": {"sts.amazonaws.com"},
		issuer + ":sub": s.Repository.subjects(r.subject),
	}
	if r.environment {
		condition[issuer+":ref"] = []string{"refs/heads/" + s.Branch}
	}
	// A name can be given up and taken by somebody else, a number cannot.
	if s.Repository.ID != "" {
		condition[issuer+":repository_id"] = []string{s.Repository.ID}
	} else {
		condition[issuer+":repository"] = []string{s.Repository.String()}
	}
	return document{Version: "2012-10-17", Statement: []statement{{
		Effect:    "Allow",
		Principal: map[string]string{"Federated": s.arn("iam", "", s.account(r), "oidc-provider/"+issuer)},
		Action:    []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: map[string]map[string][]string{"StringEquals": condition},
	}}}
}
