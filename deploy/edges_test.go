package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/deploy/s3"
)

// TestTheLongestInlineTemplate goes with the request; one byte more is uploaded.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
func TestTheLongestInlineTemplate(t *testing.T) {
	for _, length := range []int{51_200, 51_201} {
		synctest.Test(t, func(t *testing.T) {
			cloud := inBubble(t)
			table := `{"Metadata": {"arc": {"app": "demo", "stage": "staging"}}, "Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}}}`
			d := Deployment{App: "demo", Stage: "staging", StackName: "DemoStaging", Template: append([]byte(table), bytes.Repeat([]byte{' '}, length-len(table))...)}
			mustDeploy(t, cloud, d)
			if buckets := cloud.buckets(t); (len(buckets) == 0) != (length == 51_200) {
				t.Errorf("%d bytes: buckets %q", length, buckets)
			}
			if got, err := cloud.clients().Describe(t.Context(), "DemoStaging"); err != nil || len(bytes.TrimSpace(got.Template)) != len(table) {
				t.Errorf("%d bytes: %v", length, err)
			}
		})
	}
}

// short answers ranges with less than was asked for.
type short struct {
	Objects
	whole rangesOf
}

func (s *short) GetObject(ctx context.Context, b s3.Bucket, key, span string) (s3.Got, error) {
	got, err := s.whole.GetObject(ctx, b, key, span)
	if err == nil && !strings.HasPrefix(span, "bytes=-") {
		got.Body = io.NopCloser(io.LimitReader(got.Body, 10))
	}
	return got, err
}

// TestAShortRange is an error, and no zeros.
func TestAShortRange(t *testing.T) {
	o, err := Clients{Objects: &short{whole: rangesOf{body: make([]byte, 10*blockSize)}}}.OpenObject(t.Context(), "1", "b", "k")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := o.ReadAt(make([]byte, 5), 20); n != 0 || err != io.ErrUnexpectedEOF {
		t.Errorf("beyond what came: %d %v", n, err)
	}
	if n, err := o.ReadAt(make([]byte, 5), 10); n != 0 || err != io.ErrUnexpectedEOF {
		t.Errorf("right behind what came: %d %v", n, err)
	}
	if n, err := o.ReadAt(make([]byte, 5), 5); n != 5 || err != nil {
		t.Errorf("the end of what came: %d %v", n, err)
	}
	if _, err := o.ReadAt(make([]byte, 5), -1); err == nil {
		t.Error("read before the beginning")
	}
}

// broken fails every call.
type broken struct{ err error }

func (b broken) Do(*http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Get", URL: "http://127.0.0.1:1", Err: b.err}
}

// TestABrokenConnectionIsTriedAgain and one that nobody takes is not, once
// something has answered or where the cloud is local.
func TestABrokenConnectionIsTriedAgain(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err         error
		local, made bool
		ends        bool
	}{
		{syscall.ECONNRESET, true, true, false},
		{syscall.ECONNRESET, true, false, false},
		{syscall.ECONNRESET, false, false, false},
		{syscall.ECONNREFUSED, true, true, true},
		{syscall.ECONNREFUSED, false, true, false},
		{syscall.ECONNREFUSED, false, false, true},
		{errors.New("unsupported protocol scheme"), false, false, true},
	} {
		made := new(atomic.Bool)
		made.Store(c.made)
		_, err := (&firstContact{HTTPClient: broken{c.err}, local: c.local, made: made}).Do(req)
		var gone *UnreachableError
		if ends := errors.As(err, &gone); ends != c.ends {
			t.Errorf("%+v: %v", c, err)
		} else if ends && (gone.Gone != (c.local && c.made) || gone.Endpoint != "http://127.0.0.1:1") {
			t.Errorf("%+v: %+v", c, gone)
		}
	}
}

// nests is a stack that holds a stack that holds a stack, without an end, and
// tables around it in the wrong order.
type nests struct {
	Stacks
	asked atomic.Int64
}

const nest = `{"Resources": {"Z": {"Type": "AWS::DynamoDB::Table"}, "Inner": {"Type": "AWS::CloudFormation::Stack"}, "A": {"Type": "AWS::DynamoDB::Table"}, "Kept": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}, "AlsoKept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}}`

func (n *nests) GetTemplate(_ context.Context, in *cloudformation.GetTemplateInput, _ ...func(*cloudformation.Options)) (*cloudformation.GetTemplateOutput, error) {
	if n.asked.Add(1); strings.Count(*in.StackName, "/") > 20 {
		return nil, errors.New("too deep")
	}
	return &cloudformation.GetTemplateOutput{TemplateBody: aws.String(nest)}, nil
}

func (n *nests) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	out := &cloudformation.ListStackResourcesOutput{}
	deep := strings.Count(*in.StackName, "/") >= 2
	for _, r := range [][2]string{{"Z", "AWS::DynamoDB::Table"}, {"Kept", "AWS::S3::Bucket"}, {"Inner", "AWS::CloudFormation::Stack"}, {"A", "AWS::DynamoDB::Table"}, {"AlsoKept", "AWS::SQS::Queue"}} {
		if deep && r[0] == "Inner" && *in.StackName != "endless" && strings.HasPrefix(*in.StackName, "two") {
			continue
		}
		out.StackResourceSummaries = append(out.StackResourceSummaries, types.StackResourceSummary{
			LogicalResourceId: aws.String(r[0]), ResourceType: aws.String(r[1]), PhysicalResourceId: aws.String(*in.StackName + "/" + r[0]), ResourceStatus: types.ResourceStatusCreateComplete,
		})
	}
	return out, nil
}

// TestNestingIsBounded reads ten levels and no more.
func TestNestingIsBounded(t *testing.T) {
	stacks := &nests{}
	got, err := Clients{Stacks: stacks}.Templates(t.Context(), Stack{ID: "endless", Template: []byte(nest)})
	if err != nil || len(got.Nested) != maxNesting || len(got.Unread) != 0 || stacks.asked.Load() != maxNesting {
		t.Errorf("%d nested, unread %v, %d asked, %v", len(got.Nested), got.Unread, stacks.asked.Load(), err)
	}
	if deepest := strings.TrimSuffix(strings.Repeat("Inner/", maxNesting), "/"); got.Nested[deepest] == nil {
		t.Error("the tenth level is not there")
	}
}

// TestEveryWalkIsBounded: whoever goes through nested stacks comes to an end.
func TestEveryWalkIsBounded(t *testing.T) {
	c := Clients{Stacks: &nests{}}
	if got, err := c.Resources(t.Context(), "endless", "AWS::DynamoDB::Table"); err != nil || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
	if got, err := c.FunctionLogs(t.Context(), "endless"); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	if names, err := c.functionNames(t.Context(), "endless"); err != nil || len(names) != 0 {
		t.Errorf("%v %v", names, err)
	}
}

// TestHoldingsAreSorted by their paths, whatever the order of the lists.
func TestHoldingsAreSorted(t *testing.T) {
	w := &destruction{run: &run{Clients: Clients{Stacks: &nests{}}, d: Deployment{}}}
	h, err := w.look(t.Context(), Stack{ID: "two"})
	if err != nil {
		t.Fatal(err)
	}
	var losses, kept []string
	for _, l := range h.losses {
		losses = append(losses, l.LogicalID)
	}
	for _, k := range h.kept {
		kept = append(kept, k.LogicalID)
	}
	if want := []string{"A", "Inner/A", "Inner/Inner/A", "Inner/Inner/Z", "Inner/Z", "Z"}; !slices.Equal(losses, want) {
		t.Errorf("lost %q", losses)
	}
	if want := []string{"AlsoKept", "Inner/AlsoKept", "Inner/Inner/AlsoKept", "Inner/Inner/Kept", "Inner/Kept", "Kept"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q", kept)
	}
}

// TestOneQuestionAStack asks once whose a stack is.
func TestOneQuestionAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		s := &session{account: cloud}
		mark := cfn.Mark{App: "demo", Stage: "staging"}
		r := &run{Clients: s.clients(), mark: mark, known: map[string]bool{}}
		stack, err := r.Describe(t.Context(), "DemoStaging")
		if err != nil {
			t.Fatal(err)
		}
		stack.Template = nil
		var asked []int
		for range 3 {
			if err := r.mayChange(t.Context(), stack); err != nil {
				t.Fatal(err)
			}
			asked = append(asked, len(s.calls))
		}
		if asked[1] != asked[0] || asked[2] != asked[0] {
			t.Errorf("calls after each question: %v: %q", asked, s.calls)
		}
	})
}

// TestOwnComparison finds what replaces a resource that holds data, and nothing
// else.
func TestOwnComparison(t *testing.T) {
	parse := func(text string) *cfn.Document {
		doc, err := cfn.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	table := func(key string) string {
		return fmt.Sprintf(`{"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [{"AttributeName": %q, "KeyType": "HASH"}]}}`, key)
	}
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"another key":                {`{"T": ` + table("a") + `}`, `{"T": ` + table("b") + `}`, []string{"T"}},
		"the same":                   {`{"T": ` + table("a") + `}`, `{"T": ` + table("a") + `}`, nil},
		"a new one":                  {`{"Q": {"Type": "AWS::SNS::Topic"}}`, `{"Q": {"Type": "AWS::SNS::Topic"}, "T": ` + table("a") + `}`, nil},
		"one that leaves":            {`{"Q": {"Type": "AWS::SNS::Topic"}, "T": ` + table("a") + `}`, `{"Q": {"Type": "AWS::SNS::Topic"}}`, nil},
		"one that holds no data":     {`{"Q": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a"}}}`, `{"Q": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "b"}}}`, nil},
		"a change without replacing": {`{"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PROVISIONED"}}}`, `{"T": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}}}`, nil},
		"a bucket of another name":   {`{"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}}`, `{"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}}`, []string{"B"}},
	} {
		got := replacements(parse(`{"Resources": `+c.before+`}`), parse(`{"Resources": `+c.after+`}`))
		var ids []string
		for id := range got {
			ids = append(ids, id)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("%s: %q", name, ids)
		}
	}
}

// TestEarlyFiles publishes files whose names hold their hash before the stack
// changes, so that no page asks for one that is not there, and pages afterwards.
func TestEarlyFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		d := demo("aaaa", "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"index.html": "one"})
		mustDeploy(t, cloud, d)
		d = demo("aaaa", "s3cr3t", func(r resources) { properties(r, "GetIndexHTTPLambda")["Timeout"] = 7 })
		d.Static = staticFiles(map[string]string{"app-0123.js": "two", "index.html": "two"})
		s, _ := mustDeploy(t, cloud, d)
		var puts []string
		for _, call := range s.mutating() {
			if call == "PutObject" || call == "ExecuteChangeSet" {
				puts = append(puts, call)
			}
		}
		if !slices.Equal(puts, []string{"PutObject", "ExecuteChangeSet", "PutObject"}) {
			t.Errorf("calls: %q", puts)
		}
	})
}

// TestTooLargeForCode does not take an object for code that Lambda would not.
func TestTooLargeForCode(t *testing.T) {
	for size, refused := range map[int]bool{1 << 30: false, 1<<30 + 1: true} {
		tail := bytes.Repeat([]byte{0}, tailSize)
		_, err := Clients{Objects: &rangesOf{body: tail, answer: &s3.Got{Range: fmt.Sprintf("bytes %d-%d/%d", size-tailSize, size-1, size)}}}.OpenObject(t.Context(), "1", "b", "k")
		if refused != (err != nil && strings.Contains(err.Error(), "no code is as large")) || !refused && err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestAnotherCloudAnswers: a local cloud has taken the port of the one that a command
// began with. That one is gone; nothing is done at the other.
func TestAnotherCloudAnswers(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get(CloudHeader) != "theirs" {
			w.WriteHeader(http.StatusMisdirectedRequest)
		}
	}))
	defer server.Close()
	clients, err := Connect(t.Context(), ConnectOptions{Endpoint: server.URL, Cloud: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = clients.Identity.GetCallerIdentity(t.Context(), nil)
	gone, ok := errors.AsType[*UnreachableError](err)
	if !ok || !gone.Gone || gone.Endpoint != server.URL || asked.Load() != 1 || !strings.Contains(gone.Error(), "does not answer any more: another project's local cloud answers there") {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
}
