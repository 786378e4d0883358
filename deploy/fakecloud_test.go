package deploy

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"arc/deploy/ssm"
)

// fakeCloud is one account in one region. It outlives the sessions that talk to it.
type fakeCloud struct {
	mu            sync.Mutex
	ids           int
	stacks        []*fakeStack
	buckets       map[string]*fakeBucket
	parameters    map[string]string
	descriptions  map[string]string
	failing       map[string]string // logical ID → why it cannot be made
	stuck         map[string]string // logical ID → why it cannot be deleted
	changeSetTime time.Duration
	resourceTime  time.Duration
}

type fakeBucket struct {
	objects                      map[string]fakeObject
	private, encrypted, versions bool
	foreign                      bool // another account's
}

type fakeObject struct {
	body                      []byte
	sum                       string // SHA-256 that it came with
	contentType, cacheControl string
}

func newFakeCloud() *fakeCloud {
	return &fakeCloud{
		buckets: map[string]*fakeBucket{}, parameters: map[string]string{}, descriptions: map[string]string{}, failing: map[string]string{}, stuck: map[string]string{},
		changeSetTime: 2 * time.Second, resourceTime: time.Second,
	}
}

func (c *fakeCloud) newID(prefix string) string {
	c.ids++
	return fmt.Sprintf("%s%d", prefix, c.ids)
}

func (c *fakeCloud) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// session is one process that talks to the cloud. It can be killed at a call:
// from then on nothing of it reaches the cloud.
type session struct {
	*fakeCloud
	calls  []string
	killAt int  // 1 = the first call; 0 = never
	late   bool // the call that is killed takes effect, but its answer is lost
	dead   bool
	kill   context.CancelFunc
	before func(call string) // somebody else, who is quicker than this call
}

var errKilled = errors.New("killed")

func call[T any](s *session, name string, effect func() (T, error)) (T, error) {
	if s.before != nil {
		s.before(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var none T
	if s.dead {
		return none, errKilled
	}
	s.calls = append(s.calls, name)
	if s.dead = len(s.calls) == s.killAt; s.dead {
		if s.late {
			effect()
		}
		s.kill()
		return none, errKilled
	}
	return effect()
}

func (s *session) clients() Clients {
	return Clients{Stacks: s, Objects: s, Uploads: s, Parameters: s, Identity: s, Functions: s, Region: "us-west-2"}
}

// mutating tells the calls that changed something.
func (s *session) mutating() []string {
	return slices.DeleteFunc(slices.Clone(s.calls), func(name string) bool {
		return strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Head")
	})
}

func (s *session) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return call(s, "DescribeStacks", func() (*cloudformation.DescribeStacksOutput, error) {
		stack, err := s.find(*in.StackName)
		if err != nil {
			return nil, err
		}
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{stack.describe()}}, nil
	})
}

func (s *session) GetTemplate(_ context.Context, in *cloudformation.GetTemplateInput, _ ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error) {
	return call(s, "GetTemplate", func() (*cloudformation.GetTemplateOutput, error) {
		if in.ChangeSetName != nil {
			_, set, err := s.findSet(*in.StackName, *in.ChangeSetName)
			if err != nil {
				return nil, err
			}
			return &cloudformation.GetTemplateOutput{TemplateBody: aws.String(set.template)}, nil
		}
		stack, err := s.find(*in.StackName)
		if err != nil {
			return nil, err
		}
		return &cloudformation.GetTemplateOutput{TemplateBody: aws.String(stack.template)}, nil
	})
}

func (s *session) GetTemplateSummary(_ context.Context, in *cloudformation.GetTemplateSummaryInput, _ ...func(*cloudformation.Options)) (*cloudformation.GetTemplateSummaryOutput, error) {
	return call(s, "GetTemplateSummary", func() (*cloudformation.GetTemplateSummaryOutput, error) {
		stack, err := s.find(*in.StackName)
		if err != nil {
			return nil, err
		}
		var template struct{ Metadata json.RawMessage }
		if json.Unmarshal([]byte(stack.template), &template) != nil || template.Metadata == nil {
			return &cloudformation.GetTemplateSummaryOutput{}, nil
		}
		return &cloudformation.GetTemplateSummaryOutput{Metadata: aws.String(string(template.Metadata))}, nil
	})
}

// ListFunctions gives pages of two.
func (s *session) ListFunctions(_ context.Context, marker string) (list []FunctionCode, next string, err error) {
	type answer struct {
		list []FunctionCode
		next string
	}
	got, err := call(s, "ListFunctions", func() (answer, error) {
		var all []FunctionCode
		for _, stack := range s.stacks {
			for _, id := range slices.Sorted(maps.Keys(stack.resources)) {
				if r := stack.resources[id]; r.kind == "AWS::Lambda::Function" && r.status != "DELETE_COMPLETE" {
					all = append(all, FunctionCode{Name: r.physicalID, CodeSHA256: r.code})
				}
			}
		}
		var a answer
		var token *string
		if marker != "" {
			token = &marker
		}
		a.list, token = page(all, token, 2)
		a.next = aws.ToString(token)
		return a, nil
	})
	return got.list, got.next, err
}

func (s *session) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	return call(s, "ListStackResources", func() (*cloudformation.ListStackResourcesOutput, error) {
		stack, err := s.find(*in.StackName)
		if err != nil {
			return nil, err
		}
		var all []types.StackResourceSummary
		for _, id := range slices.Sorted(maps.Keys(stack.resources)) {
			r := stack.resources[id]
			all = append(all, types.StackResourceSummary{LogicalResourceId: aws.String(id), PhysicalResourceId: aws.String(r.physicalID), ResourceType: aws.String(r.kind), ResourceStatus: types.ResourceStatus(r.status), ResourceStatusReason: aws.String(r.reason)})
		}
		items, next := page(all, in.NextToken, 2)
		return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: items, NextToken: next}, nil
	})
}

func (s *session) DescribeStackEvents(_ context.Context, in *cloudformation.DescribeStackEventsInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error) {
	return call(s, "DescribeStackEvents", func() (*cloudformation.DescribeStackEventsOutput, error) {
		stack, err := s.find(*in.StackName)
		if err != nil {
			return nil, err
		}
		newest := slices.Clone(stack.events)
		slices.Reverse(newest)
		items, next := page(newest, in.NextToken, 3)
		return &cloudformation.DescribeStackEventsOutput{StackEvents: items, NextToken: next}, nil
	})
}

func (s *session) CreateChangeSet(_ context.Context, in *cloudformation.CreateChangeSetInput, _ ...func(*cloudformation.Options)) (*cloudformation.CreateChangeSetOutput, error) {
	return call(s, "CreateChangeSet", func() (*cloudformation.CreateChangeSetOutput, error) { return s.createChangeSet(in) })
}

func (s *session) DescribeChangeSet(_ context.Context, in *cloudformation.DescribeChangeSetInput, _ ...func(*cloudformation.Options)) (*cloudformation.DescribeChangeSetOutput, error) {
	return call(s, "DescribeChangeSet", func() (*cloudformation.DescribeChangeSetOutput, error) { return s.describeChangeSet(in) })
}

func (s *session) ExecuteChangeSet(_ context.Context, in *cloudformation.ExecuteChangeSetInput, _ ...func(*cloudformation.Options)) (*cloudformation.ExecuteChangeSetOutput, error) {
	return call(s, "ExecuteChangeSet", func() (*cloudformation.ExecuteChangeSetOutput, error) {
		return &cloudformation.ExecuteChangeSetOutput{}, s.executeChangeSet(in)
	})
}

func (s *session) DeleteChangeSet(_ context.Context, in *cloudformation.DeleteChangeSetInput, _ ...func(*cloudformation.Options)) (*cloudformation.DeleteChangeSetOutput, error) {
	return call(s, "DeleteChangeSet", func() (*cloudformation.DeleteChangeSetOutput, error) {
		stack, _, err := s.findSet(*in.StackName, *in.ChangeSetName)
		if err == nil {
			delete(stack.sets, *in.ChangeSetName)
		}
		return &cloudformation.DeleteChangeSetOutput{}, nil
	})
}

func (s *session) DeleteStack(_ context.Context, in *cloudformation.DeleteStackInput, _ ...func(*cloudformation.Options)) (*cloudformation.DeleteStackOutput, error) {
	return call(s, "DeleteStack", func() (*cloudformation.DeleteStackOutput, error) {
		return &cloudformation.DeleteStackOutput{}, s.deleteStack(*in.StackName)
	})
}

func (s *session) GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error) {
	return call(s, "GetCallerIdentity", func() (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Account: aws.String("111122223333")}, nil
	})
}

func (s *session) GetParameters(_ context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	return call(s, "GetParameters", func() (*ssm.GetParametersOutput, error) {
		out := &ssm.GetParametersOutput{}
		for _, name := range in.Names {
			if value, ok := s.parameters[name]; ok {
				out.Parameters = append(out.Parameters, ssm.Parameter{Name: name, Value: value})
			}
		}
		return out, nil
	})
}

func (s *session) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	return call(s, "GetParametersByPath", func() (*ssm.GetParametersByPathOutput, error) {
		var all []ssm.Parameter
		for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
			if strings.HasPrefix(name, in.Path+"/") {
				all = append(all, ssm.Parameter{Name: name, Value: s.parameters[name]})
			}
		}
		items, next := page(all, aws.String(in.NextToken), 2)
		return &ssm.GetParametersByPathOutput{Parameters: items, NextToken: aws.ToString(next)}, nil
	})
}

func (s *session) DescribeParameters(_ context.Context, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	return call(s, "DescribeParameters", func() (*ssm.DescribeParametersOutput, error) {
		out := &ssm.DescribeParametersOutput{}
		filter := in.ParameterFilters[0]
		for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
			if filter.Key == "Name" && name == filter.Values[0] || filter.Key == "Path" && path.Dir(name) == filter.Values[0] {
				out.Parameters = append(out.Parameters, ssm.Metadata{Name: name, Description: s.descriptions[name]})
			}
		}
		return out, nil
	})
}

func (s *session) PutParameter(_ context.Context, in *ssm.PutParameterInput) error {
	_, err := call(s, "PutParameter", func() (*struct{}, error) {
		if in.Type != ssm.SecureString {
			return nil, fmt.Errorf("%s is not a SecureString", in.Name)
		}
		s.parameters[in.Name], s.descriptions[in.Name] = in.Value, in.Description
		return &struct{}{}, nil
	})
	return err
}

func (s *session) DeleteParameters(_ context.Context, in *ssm.DeleteParametersInput) error {
	_, err := call(s, "DeleteParameters", func() (*struct{}, error) {
		for _, name := range in.Names {
			delete(s.parameters, name)
		}
		return &struct{}{}, nil
	})
	return err
}

func sha256Text(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// bucket finds a bucket as S3 does for a request that names the expected owner.
func (s *session) bucket(name, owner *string) (*fakeBucket, error) {
	b := s.buckets[*name]
	if b == nil {
		return nil, &smithy.GenericAPIError{Code: "NotFound"}
	}
	if owner == nil {
		return nil, fmt.Errorf("bucket %s: nobody said whose it has to be", *name)
	}
	if b.foreign || *owner != "111122223333" {
		return nil, &smithy.GenericAPIError{Code: "Forbidden"}
	}
	return b, nil
}

func (s *session) HeadBucket(_ context.Context, in *s3.HeadBucketInput, _ ...func(*s3.Options)) (*s3.HeadBucketOutput, error) {
	return call(s, "HeadBucket", func() (*s3.HeadBucketOutput, error) {
		_, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		return &s3.HeadBucketOutput{}, err
	})
}

func (s *session) CreateBucket(_ context.Context, in *s3.CreateBucketInput, _ ...func(*s3.Options)) (*s3.CreateBucketOutput, error) {
	return call(s, "CreateBucket", func() (*s3.CreateBucketOutput, error) {
		if b := s.buckets[*in.Bucket]; b != nil && b.foreign {
			return nil, &s3types.BucketAlreadyExists{}
		} else if b != nil {
			return nil, &s3types.BucketAlreadyOwnedByYou{}
		}
		s.buckets[*in.Bucket] = &fakeBucket{objects: map[string]fakeObject{}}
		return &s3.CreateBucketOutput{}, nil
	})
}

func (s *session) PutPublicAccessBlock(_ context.Context, in *s3.PutPublicAccessBlockInput, _ ...func(*s3.Options)) (*s3.PutPublicAccessBlockOutput, error) {
	return call(s, "PutPublicAccessBlock", func() (*s3.PutPublicAccessBlockOutput, error) {
		if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
			return nil, err
		}
		s.buckets[*in.Bucket].private = *in.PublicAccessBlockConfiguration.RestrictPublicBuckets
		return &s3.PutPublicAccessBlockOutput{}, nil
	})
}

func (s *session) PutBucketEncryption(_ context.Context, in *s3.PutBucketEncryptionInput, _ ...func(*s3.Options)) (*s3.PutBucketEncryptionOutput, error) {
	return call(s, "PutBucketEncryption", func() (*s3.PutBucketEncryptionOutput, error) {
		if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
			return nil, err
		}
		s.buckets[*in.Bucket].encrypted = true
		return &s3.PutBucketEncryptionOutput{}, nil
	})
}

func (s *session) PutBucketVersioning(_ context.Context, in *s3.PutBucketVersioningInput, _ ...func(*s3.Options)) (*s3.PutBucketVersioningOutput, error) {
	return call(s, "PutBucketVersioning", func() (*s3.PutBucketVersioningOutput, error) {
		if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
			return nil, err
		}
		s.buckets[*in.Bucket].versions = true
		return &s3.PutBucketVersioningOutput{}, nil
	})
}

func (s *session) HeadObject(_ context.Context, in *s3.HeadObjectInput, _ ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return call(s, "HeadObject", func() (*s3.HeadObjectOutput, error) {
		b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		o, ok := b.objects[*in.Key]
		if !ok {
			return nil, &s3types.NotFound{}
		}
		head := &s3.HeadObjectOutput{ContentType: aws.String(o.contentType), CacheControl: aws.String(o.cacheControl)}
		if in.ChecksumMode == s3types.ChecksumModeEnabled && o.sum != "" {
			head.ChecksumSHA256, head.ChecksumType = aws.String(o.sum), s3types.ChecksumTypeFullObject
		}
		return head, nil
	})
}

func (s *session) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return call(s, "GetObject", func() (*s3.GetObjectOutput, error) {
		b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		o, ok := b.objects[*in.Key]
		if !ok {
			return nil, &s3types.NoSuchKey{}
		}
		return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(o.body))}, nil
	})
}

func (s *session) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	return call(s, "PutObject", func() (*s3.PutObjectOutput, error) {
		b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		if sum := aws.ToString(in.ChecksumSHA256); sum != "" && sum != sha256Text(body) {
			return nil, &smithy.GenericAPIError{Code: "BadDigest"}
		}
		b.objects[*in.Key] = fakeObject{body, aws.ToString(in.ChecksumSHA256), aws.ToString(in.ContentType), aws.ToString(in.CacheControl)}
		return &s3.PutObjectOutput{}, nil
	})
}

func (s *session) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return call(s, "ListObjectsV2", func() (*s3.ListObjectsV2Output, error) {
		b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		var all []s3types.Object
		for _, key := range slices.Sorted(maps.Keys(b.objects)) {
			if strings.HasPrefix(key, aws.ToString(in.Prefix)) {
				sum := md5.Sum(b.objects[key].body)
				all = append(all, s3types.Object{Key: aws.String(key), ETag: aws.String(`"` + hex.EncodeToString(sum[:]) + `"`)})
			}
		}
		items, next := page(all, in.ContinuationToken, 2)
		return &s3.ListObjectsV2Output{Contents: items, NextContinuationToken: next, IsTruncated: aws.Bool(next != nil)}, nil
	})
}

func (s *session) ListObjectVersions(_ context.Context, in *s3.ListObjectVersionsInput, _ ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error) {
	return call(s, "ListObjectVersions", func() (*s3.ListObjectVersionsOutput, error) {
		b, err := s.bucket(in.Bucket, in.ExpectedBucketOwner)
		if err != nil {
			return nil, err
		}
		out := &s3.ListObjectVersionsOutput{}
		for _, key := range slices.Sorted(maps.Keys(b.objects)) {
			out.Versions = append(out.Versions, s3types.ObjectVersion{Key: aws.String(key), VersionId: aws.String("null")})
		}
		if len(out.Versions) > 1 { // pages of one
			out.Versions, out.IsTruncated = out.Versions[:1], aws.Bool(true)
		}
		return out, nil
	})
}

func (s *session) DeleteObjects(_ context.Context, in *s3.DeleteObjectsInput, _ ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error) {
	return call(s, "DeleteObjects", func() (*s3.DeleteObjectsOutput, error) {
		if _, err := s.bucket(in.Bucket, in.ExpectedBucketOwner); err != nil {
			return nil, err
		}
		for _, o := range in.Delete.Objects {
			delete(s.buckets[*in.Bucket].objects, *o.Key)
		}
		return &s3.DeleteObjectsOutput{}, nil
	})
}
