package deploy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"arc/cfn"
	"arc/deploy/ssm"
	"arc/sandbox/cloudformation"
	"arc/sandbox/s3"
	localssm "arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/sts"
	"arc/sandbox/wire"
)

const (
	ourAccount = "111122223333"
	stranger   = "999999999999"
)

// account is one account in one region: the sandbox's own stack engine, S3 and
// SSM behind AWS's protocols. Tables and roles are only pretended, and of
// functions but the code is there. In a synctest bubble it takes its time, which
// costs nothing there. It outlives the sessions that talk to it.
type account struct {
	engine  *stack.Engine
	objects *s3.Server
	// strangers is S3 as another account has it: a bucket's name is one
	// account's, whoever asks.
	strangers *s3.Server
	handler   http.Handler

	mu           sync.Mutex
	resourceTime time.Duration     // what each step on a resource takes
	failing      map[string]string // logical ID → why it cannot be made or changed the next time
	stuck        map[string]string // logical ID → why it cannot be deleted
	foreign      map[string]bool   // buckets that are the stranger's
	made         map[string]string // physical ID → the properties of what is pretended
	anyCode      bool              // functions may name code that is not there
	code         map[string]string // function → SHA-256 of its zip
}

// newAccount makes an account that pretends to make resources of further types.
func newAccount(t testing.TB, types ...string) *account {
	t.Helper()
	c := &account{
		objects: s3.New(s3.Options{Account: ourAccount, Region: DefaultRegion}), strangers: s3.New(s3.Options{Account: stranger, Region: DefaultRegion}),
		resourceTime: 2 * time.Millisecond,
		failing:      map[string]string{}, stuck: map[string]string{}, foreign: map[string]bool{}, made: map[string]string{}, code: map[string]string{},
	}
	registrations := c.objects.Registrations()
	bucket := registrations["AWS::S3::Bucket"]
	for _, typ := range append(types, "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::IAM::Role", "AWS::DynamoDB::Table") {
		registrations[typ] = stack.Registration{Provider: stack.Steps{OnCreate: c.create, OnUpdate: c.change, OnDelete: c.remove}}
	}
	registrations["AWS::S3::Bucket"] = bucket // deploys keep their code in a real one
	c.engine = stack.New(stack.Options{Account: ourAccount, Region: DefaultRegion, Registrations: registrations, Fetch: c.objects.Fetch, Fault: c.fault})
	t.Cleanup(c.engine.Close)
	c.handler = wire.New(cloudformation.New(c.engine).Endpoint(), sts.New(ourAccount, DefaultRegion, nil).Endpoint(), wire.Endpoint{
		Service: "s3", Handler: http.HandlerFunc(c.serveObjects),
	}, localssm.New(ourAccount, DefaultRegion).Endpoint(), wire.Endpoint{Service: "lambda", Path: "/2015-03-31/functions", Handler: http.HandlerFunc(c.listFunctions)})
	return c
}

// inBubble is an account that takes as long as AWS does.
func inBubble(t testing.TB) *account {
	c := newAccount(t)
	c.resourceTime = time.Second
	return c
}

func (c *account) fault(op, logicalID string) error {
	if logicalID == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if op == "Delete" {
		if reason := c.stuck[logicalID]; reason != "" {
			return errors.New(reason)
		}
		return nil
	}
	reason := c.failing[logicalID]
	if reason == "" {
		return nil
	}
	delete(c.failing, logicalID) // the way back is free
	return errors.New(reason)
}

// fail makes the next step on a resource fail.
func (c *account) fail(logicalID, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing[logicalID] = reason
}

func (c *account) create(_ context.Context, req stack.Request) (stack.Resource, error) {
	return c.put(req, req.Name(64))
}

func (c *account) change(_ context.Context, req stack.Request) (stack.Resource, error) {
	return c.put(req, req.PhysicalID)
}

// put reads a function's code when Lambda would.
func (c *account) put(req stack.Request, name string) (stack.Resource, error) {
	c.mu.Lock()
	takes := c.resourceTime
	c.mu.Unlock()
	time.Sleep(takes)
	var zip []byte
	if code, ok := req.Properties["Code"].(map[string]any); ok {
		if bucket, ok := code["S3Bucket"].(string); ok {
			var err error
			if zip, err = c.objects.Get(bucket, fmt.Sprint(code["S3Key"])); err != nil && !c.anyCode {
				return stack.Resource{}, err
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[name] = fmt.Sprint(req.Properties)
	if zip != nil {
		c.code[name] = sha256Text(zip)
	}
	made := stack.Resource{PhysicalID: name, Attributes: map[string]any{}}
	for _, attribute := range []string{"Arn", "StreamArn", "QueueUrl", "QueueName", "TopicName", "DomainName", "RegionalDomainName", "ApiEndpoint", "RootResourceId", "FunctionUrl", "FunctionARN", "Id", "Version", "LogicalResourceId", "Endpoint.Address"} {
		made.Attributes[attribute] = "arn:aws:x:us-west-2:" + ourAccount + ":" + req.LogicalID
	}
	return made, nil
}

func (c *account) remove(_ context.Context, req stack.Request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	takes := c.resourceTime
	c.mu.Unlock()
	time.Sleep(takes)
	c.mu.Lock()
	delete(c.made, req.PhysicalID)
	delete(c.code, req.PhysicalID)
	return nil
}

// serveObjects asks the S3 that has the bucket.
func (c *account) serveObjects(w http.ResponseWriter, r *http.Request) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c.mu.Lock()
	foreign := c.foreign[bucket]
	c.mu.Unlock()
	if foreign && r.Method == http.MethodPut && r.URL.Path == "/"+bucket && r.URL.RawQuery == "" {
		w.WriteHeader(http.StatusConflict) // whoever asks is not its owner
		io.WriteString(w, "<Error><Code>BucketAlreadyExists</Code></Error>")
		return
	}
	if foreign {
		c.strangers.ServeHTTP(w, r)
		return
	}
	c.objects.ServeHTTP(w, r)
}

// give makes a bucket the stranger's.
func (c *account) give(t *testing.T, bucket string) {
	t.Helper()
	if err := c.strangers.Put(bucket, "x", []byte("the stranger's")); err != nil {
		t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.foreign[bucket] = true
}

// listFunctions answers ListFunctions in pages of two.
func (c *account) listFunctions(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, _ := strconv.Atoi(r.URL.Query().Get("Marker"))
	names := slices.Sorted(maps.Keys(c.code))[from:]
	answer := map[string]any{}
	if len(names) > 2 {
		names, answer["NextMarker"] = names[:2], strconv.Itoa(from+2)
	}
	list := []map[string]any{}
	for _, name := range names {
		list = append(list, map[string]any{"FunctionName": name, "CodeSha256": c.code[name]})
	}
	answer["Functions"] = list
	wire.WriteJSON(w, http.StatusOK, answer)
}

// session is one process that talks to the account, without a socket, so that
// a synctest bubble can hold it. It can be killed at a call: from then on
// nothing of it reaches the account.
type session struct {
	*account
	killAt int                // 1 = the first call; 0 = never
	late   bool               // the call that is killed takes effect, but its answer is lost
	kill   context.CancelFunc // ends the context of the process
	before func(call string)  // somebody else, who is quicker than this call

	mu    sync.Mutex
	calls []string
	dead  bool
}

var errKilled = errors.New("killed")

func (c *account) clients() Clients { return (&session{account: c}).clients() }

func (s *session) clients() Clients { return newClients(s.config(), "") }

func (s *session) config() aws.Config {
	return aws.Config{
		Region: DefaultRegion, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String("http://aws.example"), HTTPClient: s, Retryer: newRetryer,
	}
}

// bucketsByTheSDK is AWS's own client, which asks what ours does not.
func (c *account) bucketsByTheSDK() *awss3.Client {
	return awss3.NewFromConfig((&session{account: c}).config(), func(o *awss3.Options) { o.UsePathStyle = true })
}

// Do carries a request to the account.
func (s *session) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	called := operation(r, body)
	if s.before != nil {
		s.before(called)
	}
	s.mu.Lock()
	if s.dead || r.Context().Err() != nil {
		s.mu.Unlock()
		return nil, errKilled
	}
	s.calls = append(s.calls, called)
	s.dead = len(s.calls) == s.killAt
	dead := s.dead
	s.mu.Unlock()
	if dead && !s.late {
		s.kill()
		return nil, errKilled
	}
	in := r.Clone(context.WithoutCancel(r.Context()))
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.URL, in.RequestURI, in.Host = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}, r.URL.RequestURI(), r.URL.Host
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, in)
	if dead {
		s.kill()
		return nil, errKilled
	}
	resp := answer.Result()
	resp.Request = r
	if r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// mutating tells the calls that changed something.
func (s *session) mutating() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(name string) bool {
		return strings.HasPrefix(name, "Describe") || strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || strings.HasPrefix(name, "Head")
	})
}

// operation is what AWS calls the request.
func operation(r *http.Request, body []byte) string {
	called := name(r, body)
	if !strings.HasPrefix(called, r.Method+" ") {
		return called
	}
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/deploys/") {
		return "PutObject of the record"
	}
	query, ofObject := r.URL.Query(), strings.Contains(strings.Trim(r.URL.Path, "/"), "/")
	for _, o := range []struct {
		method, query string
		ofObject      bool
		name          string
	}{
		{"GET", "MaxItems", true, "ListFunctions"},
		{"HEAD", "", true, "HeadObject"}, {"HEAD", "", false, "HeadBucket"},
		{"GET", "list-type", false, "ListObjectsV2"}, {"GET", "versions", false, "ListObjectVersions"}, {"GET", "", true, "GetObject"},
		{"POST", "delete", false, "DeleteObjects"},
		{"PUT", "publicAccessBlock", false, "PutPublicAccessBlock"}, {"PUT", "encryption", false, "PutBucketEncryption"}, {"PUT", "versioning", false, "PutBucketVersioning"},
		{"PUT", "", true, "PutObject"}, {"PUT", "", false, "CreateBucket"},
	} {
		if r.Method == o.method && ofObject == o.ofObject && (o.query == "" || query.Has(o.query)) {
			return o.name
		}
	}
	return called
}

func sha256Text(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// What follows asks the account as a bystander, whose calls nobody counts.

func (c *account) parameter(t *testing.T, name string) string {
	t.Helper()
	out, err := c.clients().Parameters.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{name}, WithDecryption: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Parameters) == 0 {
		return ""
	}
	return out.Parameters[0].Value
}

func (c *account) setParameter(t *testing.T, name, value string) {
	t.Helper()
	if _, err := c.clients().Parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: name, Value: value, Type: ssm.SecureString, Overwrite: true}); err != nil {
		t.Fatal(err)
	}
}

// stack is the newest stack of a name, deleted or not.
func (c *account) stack(t *testing.T, name string) types.Stack {
	t.Helper()
	stacks, err := c.clients().Stacks.(*awscfn.Client).ListStacks(t.Context(), &awscfn.ListStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	var newest types.StackSummary
	for _, s := range stacks.StackSummaries {
		if *s.StackName == name && (newest.CreationTime == nil || s.CreationTime.After(*newest.CreationTime)) {
			newest = s
		}
	}
	if newest.StackId == nil {
		t.Fatalf("there never was a stack %s", name)
	}
	out, err := c.clients().Stacks.DescribeStacks(t.Context(), &awscfn.DescribeStacksInput{StackName: newest.StackId})
	if err != nil {
		t.Fatal(err)
	}
	return out.Stacks[0]
}

func (c *account) status(t *testing.T, name string) string {
	return string(c.stack(t, name).StackStatus)
}

// resources are those that a stack has, by logical ID.
func (c *account) resources(t *testing.T, name string) map[string]types.StackResourceSummary {
	t.Helper()
	all, err := c.clients().listResources(t.Context(), *c.stack(t, name).StackId)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]types.StackResourceSummary{}
	for _, r := range all {
		if r.ResourceStatus != types.ResourceStatusDeleteComplete {
			byID[*r.LogicalResourceId] = r
		}
	}
	return byID
}

// updateAsAnother executes change sets of somebody else, which leave DemoStaging as
// it was.
func (c *account) updateAsAnother(t *testing.T) {
	t.Helper()
	stacks := c.clients().Stacks.(*awscfn.Client)
	for _, days := range []string{"31", "30"} {
		set := awscfn.CreateChangeSetInput{
			StackName: aws.String("DemoStaging"), ChangeSetName: aws.String("theirs-" + days), UsePreviousTemplate: aws.Bool(true),
			Parameters: []types.Parameter{{ParameterKey: aws.String("LogDays"), ParameterValue: aws.String(days)}},
		}
		for _, name := range []string{cfn.ArtifactBucketParameter, "EnvSecret"} {
			set.Parameters = append(set.Parameters, types.Parameter{ParameterKey: aws.String(name), UsePreviousValue: aws.Bool(true)})
		}
		_, err := stacks.CreateChangeSet(t.Context(), &set)
		if err == nil {
			err = awscfn.NewChangeSetCreateCompleteWaiter(stacks).Wait(t.Context(), &awscfn.DescribeChangeSetInput{StackName: set.StackName, ChangeSetName: set.ChangeSetName}, time.Hour)
		}
		if err == nil {
			_, err = stacks.ExecuteChangeSet(t.Context(), &awscfn.ExecuteChangeSetInput{StackName: set.StackName, ChangeSetName: set.ChangeSetName})
		}
		if err == nil {
			err = awscfn.NewStackUpdateCompleteWaiter(stacks).Wait(t.Context(), &awscfn.DescribeStacksInput{StackName: set.StackName}, time.Hour)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// physicalID is a resource's of DemoStaging.
func (c *account) physicalID(t *testing.T, logicalID string) string {
	t.Helper()
	return aws.ToString(c.resources(t, "DemoStaging")[logicalID].PhysicalResourceId)
}

func (c *account) buckets(t *testing.T) []string {
	t.Helper()
	out, err := c.bucketsByTheSDK().ListBuckets(t.Context(), &awss3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range out.Buckets {
		names = append(names, *b.Name)
	}
	return names
}

// object is what a bucket holds under a key.
type object struct{ Body, ContentType, CacheControl string }

func (c *account) objectsIn(t *testing.T, bucket string) map[string]object {
	t.Helper()
	objects := c.bucketsByTheSDK()
	out, err := objects.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]object{}
	for _, o := range out.Contents {
		if strings.HasPrefix(*o.Key, "deploys/") {
			continue // the record, which has times; TestRecord looks at it
		}
		got, err := objects.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		all[*o.Key] = object{string(body), aws.ToString(got.ContentType), aws.ToString(got.CacheControl)}
	}
	return all
}

// endStates compares them.
var endStates = gocmp.Options{cmpopts.IgnoreUnexported(types.Tag{})}

// endState is what a user would find: everything but IDs, times and the seal.
type endState struct {
	Stacks    map[string]stackState
	Buckets   map[string]map[string]object
	Versioned map[string]bool
}

type stackState struct {
	Status, Template string
	Tags             []types.Tag
	Resources        map[string]string
}

func (c *account) endState(t *testing.T) endState {
	t.Helper()
	state := endState{Stacks: map[string]stackState{}, Buckets: map[string]map[string]object{}, Versioned: map[string]bool{}}
	names := map[string]string{} // of StaticBuckets, which have an ID in their name
	out, err := c.clients().Stacks.DescribeStacks(t.Context(), &awscfn.DescribeStacksInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Stacks {
		template, err := c.clients().Stacks.GetTemplate(t.Context(), &awscfn.GetTemplateInput{StackName: s.StackId})
		if err != nil {
			t.Fatal(err)
		}
		st := stackState{Status: string(s.StackStatus), Template: *template.TemplateBody, Tags: s.Tags, Resources: map[string]string{}}
		for id, r := range c.resources(t, *s.StackName) {
			c.mu.Lock()
			st.Resources[id] = fmt.Sprint(*r.ResourceType, c.made[*r.PhysicalResourceId], c.code[*r.PhysicalResourceId])
			c.mu.Unlock()
			names[*r.PhysicalResourceId] = id
		}
		state.Stacks[*s.StackName] = st
	}
	for _, bucket := range c.buckets(t) {
		name := cmp.Or(names[bucket], bucket)
		state.Buckets[name] = c.objectsIn(t, bucket)
		versioning, err := c.bucketsByTheSDK().GetBucketVersioning(t.Context(), &awss3.GetBucketVersioningInput{Bucket: aws.String(bucket)})
		if err != nil {
			t.Fatal(err)
		}
		state.Versioned[name] = versioning.Status == "Enabled"
	}
	return state
}
