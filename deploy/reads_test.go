package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"arc/cfn"
	"arc/deploy/tables"
)

// answering is the configuration of clients of a server that gives one answer
// after another, and notes what was asked.
func answering(t *testing.T, asked *[]string, answers ...string) aws.Config {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, r.URL.RequestURI()+" "+string(body))
		io.WriteString(w, answers[min(len(*asked), len(answers))-1])
	}))
	t.Cleanup(server.Close)
	return aws.Config{Region: DefaultRegion, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), HTTPClient: http.DefaultClient}
}

// TestFunctionsComeInPages: the next page is asked for by the marker of the last.
func TestFunctionsComeInPages(t *testing.T) {
	var asked []string
	l := newLambdaFunctions(answering(t, &asked, `{"Functions":[{"FunctionName":"a","CodeSha256":"x","Description":"d"}],"NextMarker":"m/1"}`, `{"Functions":[]}`))
	page, next, err := l.ListFunctions(t.Context(), "")
	if err != nil || next != "m/1" || len(page) != 1 || page[0] != (FunctionCode{"a", "x", "d"}) {
		t.Fatal(page, next, err)
	}
	if _, next, err := l.ListFunctions(t.Context(), next); err != nil || next != "" {
		t.Error(next, err)
	}
	if want := []string{"/2015-03-31/functions/?MaxItems=50 ", "/2015-03-31/functions/?Marker=m%2F1&MaxItems=50 "}; cmp.Diff(want, asked) != "" {
		t.Error(asked)
	}
}

// TestHealth adds up what CloudWatch tells of each function, over pages and over
// calls: one takes 150 functions.
func TestHealth(t *testing.T) {
	result := func(id string, values ...int) string {
		text := strings.ReplaceAll(strings.Trim(fmt.Sprint(values), "[]"), " ", ",")
		return fmt.Sprintf(`{"Id":%q,"Values":[%s]}`, id, text)
	}
	page := func(next string, results ...string) string {
		return fmt.Sprintf(`{"NextToken":%q,"MetricDataResults":[%s]}`, next, strings.Join(results, ","))
	}
	var names []string
	for i := range 151 {
		names = append(names, fmt.Sprint("f", i))
	}
	var asked []string
	m := newMetrics(answering(t, &asked,
		page("more", result("invocations0", 1, 2), result("errors0", 1), result("throttles1", 4)), page("", result("invocations0", 3), result("invocations149", 10)),
		page("", result("invocations0", 5), result("errors0", 0), result("throttles0", 0))))
	from := time.Unix(1_700_000_000, 0)
	got, err := m.Health(t.Context(), names, from, from.Add(15*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Health{Invocations: 21, Errors: 1, Throttles: 4, Failing: []string{"f0", "f1"}}, got); diff != "" {
		t.Error(diff)
	}
	if len(asked) != 3 || !strings.Contains(asked[0], `"EndTime":1700000900`) || !strings.Contains(asked[0], `"StartTime":1700000000`) || !strings.Contains(asked[1], `"NextToken":"more"`) ||
		strings.Count(asked[0], `"Value":"f`) != 450 || strings.Count(asked[2], `"Value":"f150"`) != 3 {
		t.Errorf("%d calls: %.300q", len(asked), asked)
	}
}

// TestLogGroupOf: a function writes to the group that its template names, and to
// its own where that is not known.
func TestLogGroupOf(t *testing.T) {
	for name, c := range map[string]struct{ config, want string }{
		"none":                 {``, "/aws/lambda/f-1"},
		"a name":               {`LoggingConfig: {LogGroup: /own}`, "/own"},
		"a group of the stack": {`LoggingConfig: {LogGroup: {Ref: Group}}`, "/made"},
		"a parameter":          {`LoggingConfig: {LogGroup: {Ref: Given}}`, "/aws/lambda/f-1"},
		"another function":     {`LoggingConfig: {LogGroup: {"Fn::Sub": x}}`, "/aws/lambda/f-1"},
	} {
		doc, err := cfn.Parse([]byte("Resources: {F: {Type: AWS::Lambda::Function, Properties: {" + c.config + "}}}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := logGroupOf(doc, "F", "f-1", map[string]string{"F": "f-1", "Group": "/made"}); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestLastOperation: the events of the last operation alone, with the first of
// them, and those of no other.
func TestLastOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		_, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		cloud.fail("GetIndexHTTPLambda", "no room")
		if _, _, err := deployTo(t, cloud, demo("bbbb", "s3cr3t", nil)); err == nil {
			t.Fatal("it did not fail")
		}
		events, err := cloud.clients().LastOperation(t.Context(), out.StackID)
		if err != nil || len(events) == 0 {
			t.Fatal(events, err)
		}
		if first := events[0]; first.Status != "UPDATE_IN_PROGRESS" || first.LogicalID != "DemoStaging" {
			t.Errorf("the first is %+v", first)
		}
		for _, e := range events {
			if strings.HasPrefix(e.Status, "CREATE") {
				t.Errorf("%+v is of another operation", e)
			}
		}
		if last := events[len(events)-1]; last.Status != "UPDATE_ROLLBACK_COMPLETE" {
			t.Errorf("the last is %+v", last)
		}
		if _, err := cloud.clients().LastOperation(t.Context(), "Other"); err == nil || !strings.HasPrefix(err.Error(), "read the events of stack Other: ") {
			t.Error(err)
		}
	})
}

// TestFollowing tells how what is under way ended, and changes nothing.
func TestFollowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		begin := func(d Deployment) {
			d.NoWait = true
			if _, out, err := deployTo(t, cloud, d); err != nil || !out.Running {
				t.Fatalf("%+v %v", out, err)
			}
		}
		begin(demo("aaaa", "s3cr3t", nil))
		dp := Deployer{Clients: cloud.clients(), Progress: func(Step) {}}
		if out, err := dp.Follow(t.Context(), "DemoStaging"); err != nil || out.Outputs["BucketURL"] != "here" {
			t.Errorf("%+v %v", out, err)
		}
		// One that is over is told as well.
		if out, err := dp.Follow(t.Context(), "DemoStaging"); err != nil || out.Outputs["BucketURL"] != "here" {
			t.Errorf("%+v %v", out, err)
		}
		cloud.fail("GetIndexHTTPLambda", "no room")
		begin(demo("bbbb", "s3cr3t", nil))
		var failed *FailedError
		if _, err := dp.Follow(t.Context(), "DemoStaging"); !errors.As(err, &failed) || failed.LogicalID != "GetIndexHTTPLambda" || failed.Status != "UPDATE_ROLLBACK_COMPLETE" {
			t.Error(err)
		}
		if _, err := dp.Follow(t.Context(), "Other"); err == nil || err.Error() != "there is no stack Other" {
			t.Error(err)
		}
		// With credentials that have run out it cannot be seen; it goes on.
		begin(demo("cccc", "s3cr3t", nil))
		expired := cloud.clients()
		expired.Stacks = &foggy{Stacks: expired.Stacks, code: "ExpiredToken", events: -1, executing: true}
		var left *GoesOnError
		if _, err := (&Deployer{Clients: expired, Progress: func(Step) {}}).Follow(t.Context(), "DemoStaging"); !errors.As(err, &left) || left.StackName != "DemoStaging" {
			t.Error(err)
		}
		if _, err := dp.Follow(t.Context(), "DemoStaging"); err != nil {
			t.Error(err)
		}
	})
}

// TestGoesOn: whoever stopped it knows; of everything else it is said that AWS goes on.
func TestGoesOn(t *testing.T) {
	wrong := errors.New("wrong")
	ctx, cancel := context.WithCancel(t.Context())
	r := &run{d: Deployment{StackName: "S"}}
	var left *GoesOnError
	if err := r.goesOn(ctx, wrong); !errors.As(err, &left) || !errors.Is(err, wrong) {
		t.Error(err)
	}
	cancel()
	if err := r.goesOn(ctx, wrong); err != wrong {
		t.Error(err)
	}
}

// TestGoneMeanwhile: a stack that somebody else deleted between a look and an order
// is asked for when no event comes, and not at once.
func TestGoneMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		_, out := mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		if err := cloud.engine.Remove(t.Context(), "DemoStaging", nil); err != nil {
			t.Fatal(err)
		}
		clients := cloud.clients()
		asked := &foggy{Stacks: clients.Stacks, code: "Throttling", executing: true, describes: -1}
		clients.Stacks = asked
		f, err := (&run{Clients: clients, d: Deployment{StackName: "DemoStaging"}, progress: func(Step) {}}).newFollower(t.Context(), out.StackID)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(10*time.Minute, func() { asked.executing = false }) // until then the stack cannot be asked for
		status, err := f.toEnd(t.Context())
		if err != nil || status != string(types.StackStatusDeleteComplete) || time.Since(began) < 10*time.Minute || asked.describes > -3 {
			t.Errorf("%s after %s and %d looks: %v", status, time.Since(began), -1-asked.describes, err)
		}
	})
}

// TestRolledBackUnseen: what is left of a failed creation is not cleared away where
// that cannot be followed.
func TestRolledBackUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		cloud.fail("GetIndexHTTPLambda", "no room")
		if _, _, err := deployTo(t, cloud, demo("aaaa", "s3cr3t", nil)); err == nil {
			t.Fatal("it did not fail")
		}
		clients := cloud.clients()
		stack, err := clients.Describe(t.Context(), "DemoStaging")
		if err != nil {
			t.Fatal(err)
		}
		clients.Stacks = &foggy{Stacks: clients.Stacks, code: "InternalFailure", events: -1, executing: true}
		err = (&run{Clients: clients, d: Deployment{StackName: "DemoStaging"}, progress: func(Step) {}}).deleteRolledBack(t.Context(), stack)
		if err == nil || !strings.HasPrefix(err.Error(), "read the events of stack DemoStaging: ") {
			t.Error(err)
		}
		if now, err := cloud.clients().Describe(t.Context(), "DemoStaging"); err != nil || now.Status != stack.Status {
			t.Errorf("the stack is in %s: %v", now.Status, err)
		}
	})
}

// TestPaces: AWS is not asked as often as what runs here, nor tried a few times only.
func TestPaces(t *testing.T) {
	if p := (Clients{}).functionPace(); p.next != 150*time.Millisecond {
		t.Errorf("AWS: %s", p.next)
	}
	if p := (Clients{Local: true}).functionPace(); p.next >= 150*time.Millisecond {
		t.Errorf("here: %s", p.next)
	}
	if n := newRetryer().MaxAttempts(); n != maxAttempts {
		t.Errorf("%d attempts", n)
	}
}

// TestStaticFileGone: a file that went while it was published is named.
func TestStaticFileGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := demo("aaaa", "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"index.html": "<p>", "app.js": "1"})
		opened := map[string]int{}
		for i, f := range d.Static.Files {
			open := f.Open
			d.Static.Files[i].Open = func() (io.ReadSeekCloser, error) {
				if opened[f.Path]++; f.Path == "app.js" && opened[f.Path] > 1 {
					return nil, errors.New("it is gone")
				}
				return open()
			}
		}
		if _, _, err := deployTo(t, inBubble(t), d); err == nil || !strings.Contains(err.Error(), "publish app.js: it is gone") {
			t.Error(err)
		}
	})
}

// TestMotoTables reads, writes and empties a table whose key has two parts.
func TestMotoTables(t *testing.T) {
	endpoint := moto(t)
	awscli(t, endpoint, "dynamodb", "create-table", "--table-name", "fixtures", "--billing-mode", "PAY_PER_REQUEST",
		"--attribute-definitions", "AttributeName=id,AttributeType=S", "AttributeName=at,AttributeType=N", "--key-schema", "AttributeName=id,KeyType=HASH", "AttributeName=at,KeyType=RANGE")
	c := connectTo(t, endpoint).Tables
	var items []tables.Item
	for i := range 60 {
		items = append(items, tables.Item{"id": []byte(fmt.Sprintf(`{"S":"i%d"}`, i%3)), "at": []byte(fmt.Sprintf(`{"N":"%d"}`, i)), "text": []byte(`{"S":"x"}`)})
	}
	if err := c.Put(t.Context(), "fixtures", items); err != nil {
		t.Fatal(err)
	}
	if names, err := c.Names(t.Context()); err != nil || !strings.Contains(fmt.Sprint(names), "fixtures") {
		t.Error(names, err)
	}
	if n, err := c.Count(t.Context(), "fixtures"); err != nil || n != 60 {
		t.Errorf("%d items: %v", n, err)
	}
	if n, err := c.Empty(t.Context(), "fixtures"); err != nil || n != 60 {
		t.Errorf("%d emptied: %v", n, err)
	}
	if n, err := c.Count(t.Context(), "fixtures"); err != nil || n != 0 {
		t.Errorf("%d items are left: %v", n, err)
	}
	if _, err := c.Empty(t.Context(), "none"); err == nil {
		t.Error("a table that is not there was emptied")
	}
}

// TestTablePages: tables and items come in pages, tables in no order; what a batch
// did not take is sent again.
func TestTablePages(t *testing.T) {
	var asked []string
	c := tables.New(answering(t, &asked, `{"TableNames":["c","b"],"LastEvaluatedTableName":"b"}`, `{"TableNames":["a"]}`))
	if names, err := c.Names(t.Context()); err != nil || strings.Join(names, "") != "abc" || len(asked) != 2 || !strings.Contains(asked[1], `"ExclusiveStartTableName":"b"`) {
		t.Error(names, asked, err)
	}
	asked = nil
	c = tables.New(answering(t, &asked, `{"Count":2,"LastEvaluatedKey":{"id":{"S":"b"}}}`, `{"Count":1}`))
	if n, err := c.Count(t.Context(), "t"); err != nil || n != 3 || len(asked) != 2 || !strings.Contains(asked[1], `"ExclusiveStartKey":{"id":{"S":"b"}}`) {
		t.Error(n, asked, err)
	}
	asked = nil
	c = tables.New(answering(t, &asked, `{"UnprocessedItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"b"}}}}]}}`, `{}`))
	err := c.Put(t.Context(), "t", []tables.Item{{"id": []byte(`{"S":"a"}`)}, {"id": []byte(`{"S":"b"}`)}})
	if err != nil || len(asked) != 2 || !strings.Contains(asked[0], `"a"`) || strings.Contains(asked[1], `"a"`) || !strings.Contains(asked[1], `"b"`) {
		t.Error(asked, err)
	}
}
