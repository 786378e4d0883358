package deploy

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"arc/deploy/logs"
	"arc/deploy/queues"
	"arc/deploy/s3"
	"arc/deploy/ssm"
	"arc/deploy/tables"
)

// Clients are the AWS calls that a deployment makes. Connect fills them from
// the SDK's configuration.
type Clients struct {
	Stacks     Stacks
	Objects    Objects
	Uploads    Uploads // a client of its own: its time limit allows for large files
	Parameters Parameters
	Identity   Identity
	Tables     *tables.Client
	Queues     *queues.Client
	Schedules  *Schedules
	Functions  Functions
	Invoker    Invoker
	Logs       *logs.Client
	Metrics    *Metrics

	Region string
	// Credentials says whose rights are used, and SignIn how to get new ones; "" =
	// those of a local cloud.
	Credentials, SignIn string
	// Local tells that the endpoint is on this machine, where polling may be brisk.
	Local bool
}

// Stacks are the CloudFormation calls.
type Stacks interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	GetTemplateSummary(context.Context, *cloudformation.GetTemplateSummaryInput, ...func(*cloudformation.Options)) (*cloudformation.GetTemplateSummaryOutput, error)
	GetTemplate(context.Context, *cloudformation.GetTemplateInput, ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error)
	ListStackResources(context.Context, *cloudformation.ListStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error)
	DescribeStackEvents(context.Context, *cloudformation.DescribeStackEventsInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error)
	CreateChangeSet(context.Context, *cloudformation.CreateChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.CreateChangeSetOutput, error)
	DescribeChangeSet(context.Context, *cloudformation.DescribeChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeChangeSetOutput, error)
	ExecuteChangeSet(context.Context, *cloudformation.ExecuteChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.ExecuteChangeSetOutput, error)
	DeleteChangeSet(context.Context, *cloudformation.DeleteChangeSetInput, ...func(*cloudformation.Options)) (*cloudformation.DeleteChangeSetOutput, error)
	DeleteStack(context.Context, *cloudformation.DeleteStackInput, ...func(*cloudformation.Options)) (*cloudformation.DeleteStackOutput, error)
	DetectStackDrift(context.Context, *cloudformation.DetectStackDriftInput, ...func(*cloudformation.Options)) (*cloudformation.DetectStackDriftOutput, error)
	DescribeStackDriftDetectionStatus(context.Context, *cloudformation.DescribeStackDriftDetectionStatusInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackDriftDetectionStatusOutput, error)
	DescribeStackResourceDrifts(context.Context, *cloudformation.DescribeStackResourceDriftsInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackResourceDriftsOutput, error)
}

// Objects are the S3 calls with small answers.
type Objects interface {
	ListBuckets(context.Context) ([]string, error)
	HeadBucket(context.Context, s3.Bucket) error
	CreateBucket(ctx context.Context, name string) error
	PutPublicAccessBlock(context.Context, s3.Bucket) error
	PutBucketEncryption(context.Context, s3.Bucket) error
	PutBucketVersioning(context.Context, s3.Bucket) error
	GetObject(ctx context.Context, b s3.Bucket, key, span string) (s3.Got, error)
	HeadObject(ctx context.Context, b s3.Bucket, key string) (s3.Head, error)
	HeadObjectChecksum(ctx context.Context, b s3.Bucket, key string) (string, error)
	ListObjectsV2(ctx context.Context, b s3.Bucket, prefix, next string) (s3.Listing, error)
	ListObjectVersions(context.Context, s3.Bucket) ([]s3.Version, error)
	DeleteObjects(context.Context, s3.Bucket, []s3.Version) ([]s3.Refused, error)
}

// Uploads is the one S3 call that carries much.
type Uploads interface {
	PutObject(context.Context, s3.Bucket, s3.Put) error
}

// Parameters are the SSM calls.
type Parameters interface {
	GetParameters(context.Context, *ssm.GetParametersInput) (*ssm.GetParametersOutput, error)
	GetParametersByPath(context.Context, *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error)
	DescribeParameters(context.Context, *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error)
	PutParameter(context.Context, *ssm.PutParameterInput) (*ssm.PutParameterOutput, error)
	DeleteParameters(context.Context, *ssm.DeleteParametersInput) (*ssm.DeleteParametersOutput, error)
}

// Functions is the Lambda call that tells which code functions run.
type Functions interface {
	// ListFunctions gives the functions of the region, a page at a time; the
	// marker of the first page and after the last one is "".
	ListFunctions(ctx context.Context, marker string) (page []FunctionCode, next string, err error)
	// Send makes a call about one function: path is what stands behind its name.
	Send(ctx context.Context, method, operation, name, path string, in, out any) error
}

// Invoker is the Lambda call that runs a function.
type Invoker interface {
	Invoke(ctx context.Context, name string, event []byte) (Invocation, error)
}

// Identity is the STS call that names the account.
type Identity interface {
	GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
}

// Caller gives the account, and who the credentials are in it: "user/ann",
// "assumed-role/Admin/ann".
func (c Clients) Caller(ctx context.Context) (account, identity string, err error) {
	id, err := c.Identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", fmt.Errorf("find out the AWS account: %w", err)
	}
	arn := aws.ToString(id.Arn)
	return aws.ToString(id.Account), arn[strings.LastIndex(arn, ":")+1:], nil
}

// Account gives the 12 digits of the account that the credentials belong to.
func (c Clients) Account(ctx context.Context) (string, error) {
	id, err := c.Identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", fmt.Errorf("find out the AWS account: %w", err)
	}
	return aws.ToString(id.Account), nil
}
