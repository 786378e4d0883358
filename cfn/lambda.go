package cfn

import (
	"strings"

	"arc/cfn/registry"
	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/lambda"
	"github.com/awslabs/goformation/v7/cloudformation/logs"
)

// lambdaFunction is a function on its way into the template. Its resource is
// made last, when all that its environment and its role name exists.
type lambdaFunction struct {
	*manifest.Function
	id          string
	role        string  // logical ID of its role
	needs       []right // what its trigger asks of its role
	deadLetters string  // logical ID of the queue for events it fails on; "" = none
	unreserved  bool    // its event source keeps to its concurrency
}

// function puts a function into the template under an ID.
func (c *compiler) function(id string, fn *manifest.Function) *lambdaFunction {
	f := &lambdaFunction{Function: fn, id: c.claim(id, registry.LambdaFunction, fn.Pos)}
	c.lambdas = append(c.lambdas, f)
	c.stack.Functions = append(c.stack.Functions, Function{LogicalID: f.id, Function: fn})
	return f
}

// functions makes the resources of all functions.
func (c *compiler) functions() {
	for i, f := range c.lambdas {
		c.stack.Functions[i].DeadLetters = f.deadLetters
		group := c.logGroup(f)
		cfg := f.Config
		runtime, handler, layers := c.runtime(f)
		resource := &lambda.Function{
			Architectures:                []string{cfg.Architecture},
			Code:                         &lambda.Function_Code{S3Bucket: new(Ref(ArtifactBucketParameter)), S3Key: new(c.codeKey(f))},
			Environment:                  &lambda.Function_Environment{Variables: c.environment(f)},
			EphemeralStorage:             &lambda.Function_EphemeralStorage{Size: cfg.Storage},
			Handler:                      new(handler),
			Layers:                       layers,
			LoggingConfig:                &lambda.Function_LoggingConfig{LogGroup: new(Ref(group))},
			MemorySize:                   new(cfg.Memory),
			ReservedConcurrentExecutions: cfg.Concurrency,
			Role:                         GetAtt(f.role, "Arn"),
			Runtime:                      new(runtime),
			Timeout:                      new(cfg.Timeout),
		}
		if f.unreserved {
			resource.ReservedConcurrentExecutions = nil
		}
		if f.deadLetters != "" {
			resource.DeadLetterConfig = &lambda.Function_DeadLetterConfig{TargetArn: new(GetAtt(f.deadLetters, "Arn"))}
		}
		c.t.Resources[c.place(functionsPart, f.id, f.id)] = resource
		if f.provisioned() {
			resource.Description = c.envMark(f)
			c.provision(f, resource)
		}
	}
}

func (c *compiler) codeKey(f *lambdaFunction) string {
	name := f.id + ".zip"
	if c.opts.Code != nil {
		if given := c.opts.Code(f.Function); given != "" {
			name = given
		}
	}
	return c.opts.ArtifactKey(name)
}

// logGroup makes a function's log group. Its name is not the /aws/lambda/ one:
// that group may exist already, made by Lambda for the same function before
// arc, and CloudFormation cannot create what exists.
func (c *compiler) logGroup(f *lambdaFunction) string {
	return c.place(logsPart, f.id, c.add(f.id+"LogGroup", f.Pos, &logs.LogGroup{
		LogGroupName:    new(Sub(logGroupPrefix + f.id)),
		RetentionInDays: new(c.app.AWS.LogDays),
	}))
}

// LogGroups is the folder of every stack's log groups: /arc/<stack>/….
const LogGroups = "/arc/"

// logGroupPrefix starts the names of a stack's log groups.
const logGroupPrefix = LogGroups + "${AWS::StackName}/"

// mayWriteLogs is the right that every function has.
func mayWriteLogs() right {
	return right{
		actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		resources: []string{Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:" + logGroupPrefix + "*")},
	}
}

// environment is what a function finds in its environment (cloud reference,
// 2.3). The user's variables are parameters, whose values are never printed.
func (c *compiler) environment(f *lambdaFunction) map[string]string {
	vars := map[string]string{}
	if strings.HasPrefix(f.Config.Runtime, "nodejs") && c.opts.Stage != stageTesting {
		vars["NODE_ENV"] = c.opts.Environment()
	}
	if strings.HasPrefix(f.Config.Runtime, "python") {
		vars["PYTHONPATH"] = "/var/task/vendor:/var/runtime:/opt/python"
	}
	vars["ARC_SESSION_TABLE_NAME"] = "jwe"
	if f.Config.Env {
		c.checkUsedEnv(f)
		for _, name := range c.env {
			if !manifest.UsesEnv(f.Config.Uses, name) {
				continue
			}
			vars[name] = Ref(EnvParameter(name))
			if name == "SESSION_TABLE_NAME" {
				vars["ARC_SESSION_TABLE_NAME"] = vars[name]
			}
		}
		if own := "ARC_SESSION_TABLE_NAME"; c.hasEnv(own) {
			vars[own] = Ref(EnvParameter(own))
		}
	} else {
		vars["ARC_DISABLE_ENV_VARS"] = "true"
	}
	vars["ARC_APP_NAME"] = c.app.Name
	vars["ARC_ENV"] = c.opts.Environment()
	vars["ARC_ROLE"] = Ref(f.role)
	vars["ARC_STACK_NAME"] = Ref("AWS::StackName")
	if url := c.socketURL(); url != "" {
		vars["ARC_WSS_URL"] = url
	}
	c.staticEnvironment(f, vars)
	return vars
}

// checkUsedEnv warns of variables that a function is to get and nobody has set;
// only a deploy knows what is set.
func (c *compiler) checkUsedEnv(f *lambdaFunction) {
	for _, u := range f.Config.Uses {
		if u.Kind == "env" && len(c.env) > 0 && !c.hasEnv(u.Name) {
			c.warnf(u.Pos, "uses-env", "set it, or leave it out", "%s is to get the variable %s, which is not set for %s", f.Name, u.Name, c.opts.Stage)
		}
	}
}

// stageTesting is the stage of the sandbox.
const stageTesting = "testing"

// permission lets an AWS service invoke a function, for one source only.
func (c *compiler) permission(id string, pos syntax.Pos, f *lambdaFunction, service, sourceARN string) string {
	return c.place(triggersPart, f.id, c.add(id, pos, &lambda.Permission{
		Action:       "lambda:InvokeFunction",
		FunctionName: f.ref(),
		Principal:    service + ".amazonaws.com",
		SourceArn:    new(sourceARN),
	}))
}
