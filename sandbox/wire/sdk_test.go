package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const twoResources = `
Parameters:
  Word: {Type: String, NoEcho: true}
Resources:
  Store: {Type: AWS::S3::Bucket}
  Pointer:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Name: !Sub "/${AWS::StackName}/store", Value: !Ref Store}
Outputs:
  Store: {Value: !Ref Store}
  Arn: {Value: !GetAtt Store.Arn}
`

// The whole way of a deployment through the pinned SDK: change set, execution,
// events, outputs, a second change set that has nothing to do, deletion.
func TestSDKDeploys(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	cfn := cloudformation.NewFromConfig(c.sdk(t))
	set := func(kind cftypes.ChangeSetType, name, body string) *cloudformation.DescribeChangeSetOutput {
		t.Helper()
		_, err := cfn.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{
			StackName: aws.String("app"), ChangeSetName: aws.String(name), ChangeSetType: kind, TemplateBody: aws.String(body),
			Parameters: []cftypes.Parameter{{ParameterKey: aws.String("Word"), ParameterValue: aws.String("open sesame")}},
			Tags:       []cftypes.Tag{{Key: aws.String("team"), Value: aws.String("a & b")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for {
			out, err := cfn.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: aws.String("app"), ChangeSetName: aws.String(name)})
			if err != nil {
				t.Fatal(err)
			}
			if out.Status == cftypes.ChangeSetStatusCreateComplete || out.Status == cftypes.ChangeSetStatusFailed {
				return out
			}
		}
	}
	first := set(cftypes.ChangeSetTypeCreate, "one", twoResources)
	if len(first.Changes) != 2 || first.Changes[0].ResourceChange.Action != cftypes.ChangeActionAdd {
		t.Fatalf("first change set: %+v", first)
	}
	if got := *first.Parameters[0].ParameterValue; got != "****" {
		t.Errorf("a NoEcho parameter is shown as %q", got)
	}
	if _, err := cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String("app"), ChangeSetName: aws.String("one")}); err != nil {
		t.Fatal(err)
	}
	if err := cloudformation.NewStackCreateCompleteWaiter(cfn, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 10*time.Millisecond
	}).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("app")}, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	stacks, err := cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	st := stacks.Stacks[0]
	if len(st.Outputs) != 2 || *st.Tags[0].Value != "a & b" || st.CreationTime == nil {
		t.Errorf("stack: %+v", st)
	}
	var events []string
	pages := cloudformation.NewDescribeStackEventsPaginator(cfn, &cloudformation.DescribeStackEventsInput{StackName: aws.String("app")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range page.StackEvents {
			events = append(events, *ev.LogicalResourceId+" "+string(ev.ResourceStatus))
		}
	}
	want := "app CREATE_COMPLETE|Pointer CREATE_COMPLETE|Pointer CREATE_IN_PROGRESS|Pointer CREATE_IN_PROGRESS|Store CREATE_COMPLETE|Store CREATE_IN_PROGRESS|Store CREATE_IN_PROGRESS|app CREATE_IN_PROGRESS|app REVIEW_IN_PROGRESS"
	if got := strings.Join(events, "|"); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
	second := set(cftypes.ChangeSetTypeUpdate, "two", twoResources)
	if second.Status != cftypes.ChangeSetStatusFailed || !strings.Contains(*second.StatusReason, "didn't contain changes") {
		t.Errorf("second change set: %s %v", second.Status, second.StatusReason)
	}
	_, err = cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{StackName: aws.String("app"), ChangeSetName: aws.String("two")})
	var status *cftypes.InvalidChangeSetStatusException
	if !errors.As(err, &status) {
		t.Errorf("executing a failed change set: %v", err)
	}
	if _, err := cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: aws.String("app")}); err != nil {
		t.Fatal(err)
	}
	if err := cloudformation.NewStackDeleteCompleteWaiter(cfn, func(o *cloudformation.StackDeleteCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 10*time.Millisecond
	}).Wait(ctx, &cloudformation.DescribeStacksInput{StackName: st.StackId}, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	_, err = cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String("app")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "ValidationError" || api.ErrorMessage() != "Stack with id app does not exist" {
		t.Errorf("a deleted stack: %v", err)
	}
}

func TestSDKObjects(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	client := awss3.NewFromConfig(c.sdk(t), func(o *awss3.Options) { o.UsePathStyle = true })
	bucket := aws.String("artifacts")
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := client.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: bucket})
	var missing *s3types.NotFound
	if !errors.As(err, &missing) {
		t.Errorf("head of no bucket: %v", err)
	}
	_, err = client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testRegion}})
	must("create", err)
	_, err = client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket})
	var owned *s3types.BucketAlreadyOwnedByYou
	if !errors.As(err, &owned) {
		t.Errorf("create again: %v", err)
	}
	_, err = client.PutPublicAccessBlock(ctx, &awss3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &s3types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}})
	must("public access block", err)
	_, err = client.PutBucketEncryption(ctx, &awss3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{
		Rules: []s3types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAes256}}}}})
	must("encryption", err)
	_, err = client.PutBucketPolicy(ctx, &awss3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}`)})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("a public policy: %v", err)
	}

	// A seekable body comes plain, a stream comes aws-chunked with a trailer.
	for key, body := range map[string]io.Reader{"plain.js": strings.NewReader("let a = 1"), "sub/stream.js": io.MultiReader(strings.NewReader("let "), strings.NewReader("a = 1"))} {
		in := &awss3.PutObjectInput{Bucket: bucket, Key: aws.String(key), Body: body, ContentType: aws.String("text/javascript"), CacheControl: aws.String("max-age=5"), ContentEncoding: aws.String("identity"), Metadata: map[string]string{"who": "me"}}
		if _, seekable := body.(io.Seeker); !seekable {
			in.ContentLength = aws.Int64(9)
		}
		_, err := client.PutObject(ctx, in, awss3.WithAPIOptions())
		if err != nil && strings.Contains(err.Error(), "unseekable stream is not supported without TLS") {
			continue // the SDK itself refuses; boto3 covers it
		}
		must("put "+key, err)
	}
	got, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("plain.js")})
	must("get", err)
	text, err := io.ReadAll(got.Body)
	must("read", err)
	if string(text) != "let a = 1" || *got.ContentType != "text/javascript" || *got.CacheControl != "max-age=5" || *got.ContentEncoding != "identity" || got.Metadata["who"] != "me" || len(got.Metadata) != 1 {
		t.Errorf("object %q %+v", text, got)
	}
	if got.ChecksumCRC32 == nil {
		t.Error("the checksum of the upload is not given back")
	}
	part, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("plain.js"), Range: aws.String("bytes=4-4")})
	must("range", err)
	if text, _ := io.ReadAll(part.Body); string(text) != "a" {
		t.Errorf("range gave %q", text)
	}
	_, err = client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("none")})
	if !errors.As(err, &missing) {
		t.Errorf("head of no object: %v", err)
	}
	_, err = client.GetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("none")})
	var noKey *s3types.NoSuchKey
	if !errors.As(err, &noKey) {
		t.Errorf("get of no object: %v", err)
	}
	_, err = client.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("bad"), Body: strings.NewReader("x"), ChecksumCRC32: aws.String("AAAAAA==")})
	if !errors.As(err, &api) || api.ErrorCode() != "BadDigest" {
		t.Errorf("a wrong checksum: %v", err)
	}
	_, err = client.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: bucket})
	if !errors.As(err, &api) || api.ErrorCode() != "BucketNotEmpty" {
		t.Errorf("delete of a full bucket: %v", err)
	}
	presigned, err := awss3.NewPresignClient(client).PresignGetObject(ctx, &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("plain.js")})
	must("presign", err)
	resp, err := http.Get(presigned.URL)
	must("presigned get", err)
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); string(text) != "let a = 1" {
		t.Errorf("presigned get gave %d %q", resp.StatusCode, text)
	}
}

// Pages of keys do not repeat or lose any, with and without a delimiter.
func TestSDKLists(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	client := awss3.NewFromConfig(c.sdk(t), func(o *awss3.Options) { o.UsePathStyle = true })
	bucket := aws.String("many")
	if _, err := client.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields("a/1 a/2 a/3 b c/1 c/2 d") {
		if _, err := client.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: &key, Body: bytes.NewReader(nil)}); err != nil {
			t.Fatal(err)
		}
	}
	list := func(delimiter string) string {
		var found []string
		in := &awss3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(1)}
		if delimiter != "" {
			in.Delimiter = &delimiter
		}
		pages := awss3.NewListObjectsV2Paginator(client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				found = append(found, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				found = append(found, *p.Prefix)
			}
		}
		return strings.Join(found, " ")
	}
	if got := list(""); got != "a/1 a/2 a/3 b c/1 c/2 d" {
		t.Errorf("all keys: %s", got)
	}
	if got := list("/"); got != "a/ b c/ d" {
		t.Errorf("top level: %s", got)
	}
}

func TestSDKParametersAndIdentity(t *testing.T) {
	c := start(t)
	ctx := context.Background()
	client := awsssm.NewFromConfig(c.sdk(t))
	for _, name := range strings.Fields("/app/a /app/b /app/deep/c /apple") {
		if _, err := client.PutParameter(ctx, &awsssm.PutParameterInput{Name: &name, Value: aws.String("v" + name), Type: ssmtypes.ParameterTypeSecureString}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.PutParameter(ctx, &awsssm.PutParameterInput{Name: aws.String("/app/a"), Value: aws.String("x"), Type: ssmtypes.ParameterTypeString})
	var exists *ssmtypes.ParameterAlreadyExists
	if !errors.As(err, &exists) {
		t.Errorf("put again: %v", err)
	}
	var names []string
	pages := awsssm.NewGetParametersByPathPaginator(client, &awsssm.GetParametersByPathInput{Path: aws.String("/app"), Recursive: aws.Bool(true), WithDecryption: aws.Bool(true), MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Parameters {
			names = append(names, *p.Name+"="+*p.Value)
		}
	}
	if got := strings.Join(names, " "); got != "/app/a=v/app/a /app/b=v/app/b /app/deep/c=v/app/deep/c" {
		t.Errorf("by path: %s", got)
	}
	_, err = client.GetParameter(ctx, &awsssm.GetParameterInput{Name: aws.String("/none")})
	var missing *ssmtypes.ParameterNotFound
	if !errors.As(err, &missing) {
		t.Errorf("get of none: %v", err)
	}
	who, err := sts.NewFromConfig(c.sdk(t)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *who.Account != testAccount {
		t.Errorf("identity: %+v %v", who, err)
	}
}
