package stack

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/journal"
)

// place provides resources with names of their own, like a service that holds
// everything in memory, and says where each is.
type place struct {
	mu    sync.Mutex
	port  int
	there map[string]bool
	made  []string // "restored " or "new ", and the logical ID
}

func (p *place) Create(_ context.Context, req Request) (Resource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if req.Properties["Fail"] != nil {
		return Resource{}, fmt.Errorf("it will not do")
	}
	id := req.Name(64)
	kind := "new "
	if req.Restored {
		kind = "restored "
	}
	if p.there[id] {
		return Resource{}, fmt.Errorf("%s already exists", id)
	}
	p.there[id] = true
	p.made = append(p.made, kind+req.LogicalID)
	return Resource{PhysicalID: id, Attributes: map[string]any{"At": fmt.Sprintf("localhost:%d/%s", p.port, id)}}, nil
}

func (p *place) Update(_ context.Context, req Request) (Resource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.there[req.PhysicalID] {
		return Resource{}, fmt.Errorf("there is no %s", req.PhysicalID)
	}
	p.made = append(p.made, "update "+req.LogicalID)
	return Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"At": fmt.Sprintf("localhost:%d/%s", p.port, req.PhysicalID)}}, nil
}

func (p *place) Delete(_ context.Context, req Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.there, req.PhysicalID)
	return nil
}

// next starts an engine over a log, as the next run of a local cloud does.
func next(t *testing.T, file string, port int, files map[string]string) (*Engine, *place, []string) {
	t.Helper()
	log, err := journal.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{port: port, there: map[string]bool{}}
	e := New(Options{
		Account: "123456789012", Region: "us-east-1", Registrations: map[string]Registration{"Test::Thing": {Provider: p, CreateOnly: []string{"Name"}}},
		SetAside: func(name string) bool { return name == "live" },
		Warn:     func(text string) { t.Error(text) },
		Fetch: func(_ context.Context, url string) ([]byte, error) {
			if body, ok := files[url]; ok {
				return []byte(body), nil
			}
			return nil, fmt.Errorf("there is no %s", url)
		},
		Parameter: func(context.Context, string) (string, error) { return "from SSM", nil },
	})
	t.Cleanup(func() { e.Close(); log.Close() })
	e.Remember(log)
	return e, p, e.Revive(context.Background())
}

const (
	firstTemplate = `
Parameters: {Secret: {Type: String, NoEcho: true}, Shared: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /shared}}
Conditions: {Big: !Equals [!Ref Shared, from SSM]}
Resources:
  A: {Type: Test::Thing, Properties: {N: 1, List: [1, 2.50, true], Key: !Ref Secret}}
  B: {Type: Test::Thing, Condition: Big, DependsOn: A, Properties: {A: !GetAtt A.At, Name: one}}
  C: {Type: Test::Thing, Properties: {B: !Sub '${B.At}!'}, DeletionPolicy: Retain}
  Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: inner, Parameters: {Of: !Ref A}}}
Outputs: {B: {Value: !GetAtt B.At, Export: {Name: b}}, I: {Value: !GetAtt Inner.Outputs.D}}`
	secondTemplate = `
Parameters: {Secret: {Type: String, NoEcho: true}}
Resources:
  A: {Type: Test::Thing, Properties: {N: 2, Key: !Ref Secret}}
  B: {Type: Test::Thing, DependsOn: A, Properties: {A: !GetAtt A.At, Name: two}}
  E: {Type: Test::Thing}
Outputs: {B: {Value: !GetAtt B.At}}`
	innerTemplate = `
Parameters: {Of: {Type: String}}
Resources: {D: {Type: Test::Thing, Properties: {Of: !Ref Of}}}
Outputs: {D: {Value: !GetAtt D.At}}`
)

func shown(t *testing.T, e *Engine, name string) string {
	t.Helper()
	var out strings.Builder
	stacks, err := e.DescribeStacks(context.Background(), DescribeStacksInput{StackName: name})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v\n", stacks)
	resources, err := e.DescribeStackResources(context.Background(), DescribeStackResourcesInput{StackName: name})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%+v\n", resources)
	return out.String()
}

// A stack is what it was, with everything in it, and is changed, reviewed and
// deleted like one that was made in this run.
func TestRevive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	files := map[string]string{"inner": innerTemplate}
	ctx := context.Background()
	secret := map[string]string{"Secret": "word"}
	e, _, _ := next(t, file, 1, files)
	for name, body := range map[string]string{"app": firstTemplate, "live": "Resources: {A: {Type: Test::Thing}}"} {
		params := secret
		if name == "live" {
			params = nil
		}
		if err := e.Apply(ctx, name, []byte(body), params, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Apply(ctx, "user", []byte("Resources: {U: {Type: Test::Thing, Properties: {B: !ImportValue b}}}"), nil, nil); err != nil {
		t.Fatal(err)
	}
	before := shown(t, e, "app")
	e.Close()

	e, p, problems := next(t, file, 1, files)
	if len(problems) > 0 {
		t.Error(problems)
	}
	if after := shown(t, e, "app"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	slices.Sort(p.made)
	if got := strings.Join(p.made, ", "); got != "restored A, restored B, restored C, restored D, restored U" {
		t.Error(got)
	}
	if e.Outputs("live") != nil {
		t.Error("the live app's stack is kept")
	}
	delete(files, "inner") // what was deployed needs no bucket any more
	if err := e.Apply(ctx, "user", []byte("Resources: {U: {Type: Test::Thing, Properties: {B: !ImportValue b}}}"), nil, nil); err != nil {
		t.Error(err)
	}
	files["inner"] = innerTemplate
	p.made = nil
	if err := e.Apply(ctx, "app", []byte(firstTemplate), secret, nil); err != nil || len(p.made) > 0 {
		t.Errorf("unchanged: %v, %v", err, p.made)
	}
	if err := e.Apply(ctx, "app", []byte(secondTemplate), secret, nil); err == nil {
		t.Error("an export in use was deleted")
	}
	if err := e.Remove(ctx, "user", nil); err != nil {
		t.Error(err)
	}
	if err := e.Apply(ctx, "app", []byte(secondTemplate), secret, nil); err != nil {
		t.Error(err)
	}
	if err := e.Remove(ctx, "app", nil); err != nil {
		t.Error(err)
	}
	e.Close()
	if e, _, problems = next(t, file, 1, files); len(problems) > 0 || len(e.all) > 0 {
		t.Errorf("what was deleted comes back: %v %d", problems, len(e.all))
	}
}

// What refers to an address that is another one now is told by an update.
func TestReviveElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	files := map[string]string{"inner": innerTemplate}
	e, _, _ := next(t, file, 1, files)
	if err := e.Apply(context.Background(), "app", []byte(firstTemplate), map[string]string{"Secret": "word"}, nil); err != nil {
		t.Fatal(err)
	}
	e.Close()
	e, p, problems := next(t, file, 2, files)
	if len(problems) > 0 {
		t.Error(problems)
	}
	for name, text := range e.Outputs("app") {
		if !strings.HasPrefix(text, "localhost:2/") {
			t.Errorf("output %s is still %s", name, text)
		}
	}
	if !slices.Contains(p.made, "update B") || !slices.Contains(p.made, "update C") || slices.Contains(p.made, "update A") {
		t.Error(p.made)
	}
}

// What cannot be made again is told, and the next deploy makes it.
func TestReviveLost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	e, _, _ := next(t, file, 1, nil)
	body := []byte("Resources: {A: {Type: Test::Thing, Properties: {N: 1}}, Other: {Type: Test::Thing}}")
	if err := e.Apply(context.Background(), "app", body, nil, nil); err != nil {
		t.Fatal(err)
	}
	e.Close()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journal.Open(file + "2")
	if err != nil {
		t.Fatal(err)
	}
	original, err := journal.Open(file)
	if err != nil || len(text) == 0 {
		t.Fatal(err)
	}
	for key, value := range original.All() {
		if strings.HasSuffix(key, " A") {
			value = bytes.Replace(value, []byte(`"Properties":{"N":1}`), []byte(`"Properties":{"N":1,"Fail":1}`), 1)
		}
		if err := log.Put(key, value); err != nil {
			t.Fatal(err)
		}
	}
	log.Close()
	e, p, problems := next(t, file+"2", 1, nil)
	if got := strings.Join(problems, "\n"); got != "stack app: A (Test::Thing) is not brought back: it will not do; deploy it again" {
		t.Error(got)
	}
	if err := e.Apply(context.Background(), "app", body, nil, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.made, ", "); got != "restored Other, new A" {
		t.Error(got)
	}
}

// The process may end at any moment. What is kept then, at every record and in
// the middle of each, is a state that the next run starts with, in which nothing
// is made twice, and from which a deploy arrives where it should.
func TestReviveAnyMoment(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "log")
	files := map[string]string{"inner": innerTemplate}
	ctx := context.Background()
	secret := map[string]string{"Secret": "word"}
	e, _, _ := next(t, file, 1, files)
	for _, body := range []string{firstTemplate, secondTemplate, firstTemplate} {
		if err := e.Apply(ctx, "app", []byte(body), secret, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Apply(ctx, "app", []byte(strings.Replace(secondTemplate, "E: {Type: Test::Thing}", "E: {Type: Test::Thing, DependsOn: B, Properties: {Fail: 1}}", 1)), secret, nil); err == nil {
		t.Fatal("a resource that fails was made")
	}
	if err := e.Remove(ctx, "app", nil); err != nil {
		t.Fatal(err)
	}
	e.Close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{0}
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i+1, min(i+20, len(whole)))
		}
	}
	statuses := map[string]bool{}
	for _, end := range ends {
		cut := filepath.Join(dir, "cut")
		os.Remove(cut)
		if err := os.WriteFile(cut, whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		deleted := deletedIn(t, cut)
		e, p, problems := next(t, cut, 1, files)
		if len(problems) > 0 {
			t.Errorf("%d of %d bytes: %v", end, len(whole), problems)
		}
		for _, what := range p.made {
			if !strings.HasPrefix(what, "restored ") {
				t.Errorf("%d of %d bytes: %s", end, len(whole), what)
			}
		}
		for _, id := range deleted {
			if p.there[id] {
				t.Errorf("%d of %d bytes: %s was deleted and is made again", end, len(whole), id)
			}
		}
		if st := e.live[liveKey("us-east-1", "app")]; st != nil {
			statuses[st.status] = true
			if underWay(st.status) {
				t.Errorf("%d of %d bytes: %s", end, len(whole), st.status)
			}
			for id, r := range st.resources {
				if underWay(r.status) || r.status == "" || r.physicalID == "" && r.status != CreateFailed {
					t.Errorf("%d of %d bytes: %s %q is in %q", end, len(whole), id, r.physicalID, r.status)
				}
			}
		}
		if err := e.Apply(ctx, "app", []byte(secondTemplate), secret, nil); err != nil {
			t.Errorf("%d of %d bytes: %v", end, len(whole), err)
		}
		if got := len(e.live[liveKey("us-east-1", "app")].resources); got != 3 {
			t.Errorf("%d of %d bytes: %d resources", end, len(whole), got)
		}
		if err := e.Remove(ctx, "app", nil); err != nil {
			t.Errorf("%d of %d bytes: %v", end, len(whole), err)
		}
		e.Close()
	}
	for _, want := range []string{CreateComplete, UpdateComplete, UpdateFailed, DeleteFailed} {
		if !statuses[want] {
			t.Errorf("no moment left the stack in %s", want)
		}
	}
}

// deletedIn lists the physical IDs of resources of which a log says last that
// they are deleted.
func deletedIn(t *testing.T, file string) (ids []string) {
	t.Helper()
	log, err := journal.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range log.All() {
		var k keptResource
		if strings.HasPrefix(key, resourceRecord) && decode(value, &k) == nil && k.Status == DeleteComplete {
			ids = append(ids, k.PhysicalID)
		}
	}
	return ids
}

// An update that was interrupted is tried again whole, also where all that it had
// left to do were the outputs.
func TestReviveOutputs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	ctx := context.Background()
	e, _, _ := next(t, file, 1, nil)
	template := func(n int) []byte {
		return fmt.Appendf(nil, "Resources: {A: {Type: Test::Thing, Properties: {N: %d}}}\nOutputs: {V: {Value: run %d}}", n, n)
	}
	if err := e.Apply(ctx, "app", template(1), nil, nil); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(ctx, "app", template(2), nil, nil); err != nil {
		t.Fatal(err)
	}
	e.Close()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for end := len(made); end <= len(whole); end++ {
		if whole[end-1] != '\n' {
			continue
		}
		if err := os.WriteFile(file, whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		e, _, _ := next(t, file, 1, nil)
		if err := e.Apply(ctx, "app", template(2), nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := e.Outputs("app")["V"]; got != "run 2" {
			t.Errorf("%d of %d bytes: the output is %s", end, len(whole), got)
		}
		e.Close()
	}
}
