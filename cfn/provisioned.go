package cfn

import (
	"path"

	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/lambda"
)

// Provisioned concurrency is had by a published version of a function, not by
// the function, so such a function is invoked through an alias that points to
// its newest version.
const (
	aliasSuffix = "Aliaslive"
	aliasName   = "live"
)

func (f *lambdaFunction) provisioned() bool { return f.Config.ProvisionedConcurrency > 0 }

// ref names the function, or its alias, to what invokes it.
func (f *lambdaFunction) ref() string {
	if f.provisioned() {
		return Ref(f.id + aliasSuffix)
	}
	return Ref(f.id)
}

// arn is the ARN of what ref names.
func (f *lambdaFunction) arn() string {
	if f.provisioned() {
		return Ref(f.id + aliasSuffix)
	}
	return GetAtt(f.id, "Arn")
}

// arnInSub is arn for use inside Sub.
func (f *lambdaFunction) arnInSub() string {
	if f.provisioned() {
		return "${" + f.id + aliasSuffix + "}"
	}
	return "${" + f.id + ".Arn}"
}

// envMark describes a function by which settings of the user's variables it
// reads. Their values are parameters, so that a new value alone changes neither
// the function's text nor its version's ID, and what is invoked would keep the
// old one: a version has the environment that it was published with. The mark
// tells nothing of a value: it is made of counters and times.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
func (c *compiler) envMark(f *lambdaFunction) *string {
	mark := ""
	for _, name := range c.env {
		if version := c.opts.EnvVersions[name]; version != "" && f.Config.Env && manifest.UsesEnv(f.Config.Uses, name) {
			mark += name + "=" + version + "\n"
		}
	}
	if mark == "" {
		return nil
	}
	return new("environment " + shortHash(mark))
}

// provision publishes a version of a function and keeps instances of it ready.
// A version never changes: whatever is changed in the function, code or
// setting, gives the version another logical ID, and so makes a new one. Old
// ones stay, for what is under way in them. The folder that the code lies in is
// no change: Lambda has no second version to give of the same code and settings.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
func (c *compiler) provision(f *lambdaFunction, resource *lambda.Function) {
	content := *resource
	content.Code = &lambda.Function_Code{S3Bucket: resource.Code.S3Bucket, S3Key: new(path.Base(*resource.Code.S3Key))}
	raw, err := rawJSON(&content)
	if err != nil { // strings and numbers: cannot happen
		c.errorf(f.Pos, "internal", "report this", "%v", err)
	}
	version := c.place(functionsPart, f.id, c.add(f.id+"Version"+shortHash(string(raw)), f.Pos, &lambda.Version{
		FunctionName:                         Ref(f.id),
		AWSCloudFormationDeletionPolicy:      "Retain",
		AWSCloudFormationUpdateReplacePolicy: "Retain",
	}))
	c.place(functionsPart, f.id, c.add(f.id+aliasSuffix, f.Pos, &lambda.Alias{
		FunctionName:    Ref(f.id),
		FunctionVersion: GetAtt(version, "Version"),
		Name:            aliasName,
		ProvisionedConcurrencyConfig: &lambda.Alias_ProvisionedConcurrencyConfiguration{
			ProvisionedConcurrentExecutions: f.Config.ProvisionedConcurrency,
		},
	}))
}
