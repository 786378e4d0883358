package stack

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the logs in testdata/*.txtar")

// Each testdata/*.txtar is a story: commands in front, templates as files, and
// in the file "log" what happened. The commands are
//
//	create|update|delete STACK TEMPLATE [Param=value …]
//	changeset STACK TEMPLATE [Param=value …]   compare, print and forget
//	newset STACK TEMPLATE …                    the same for a stack to be made
//	execute STACK TEMPLATE [Param=value …]     compare and execute
//	import STACK TEMPLATE LogicalID=Name …     the same, of things that are there already
//	fail OP:LogicalID reason                   from now on; "fail" alone ends it
//	once OP:LogicalID reason                   the next time only
//	continue STACK [LogicalID …]               the rollback, skipping these
//	option name=value                          for the next operation
//	show STACK|STACK/LogicalID                 status, outputs, resources
//	events STACK                               all its events, oldest first
//	template STACK
//
// A template may be written "-" for the previous one. Resources are of types
// Test::Thing (attribute Value = its Value, Name is create-only) and, for
// what the service refuses by itself, Test::Broken.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newScenario(t, archive)
			for _, line := range strings.Split(string(archive.Comment), "\n") {
				s.command(strings.TrimSpace(line))
			}
			s.e.Close()
			got := s.normal(s.log.String())
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "log" })
			if *update {
				archive.Files = append(slices.Delete(archive.Files, max(i, 0), max(i, -1)+1), txtar.File{Name: "log", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := ""
			if i >= 0 {
				want = string(archive.Files[i].Data)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log differs (-want +got):\n%s", diff)
			}
		})
	}
}

type scenario struct {
	t      *testing.T
	e      *Engine
	files  map[string]string
	log    strings.Builder
	option map[string]string
	mu     sync.Mutex
	faults map[string]string
	once   string
	made   int
	count  int            // change sets
	seen   map[string]int // events that are in the log, by stack
}

func newScenario(t *testing.T, archive *txtar.Archive) *scenario {
	s := &scenario{t: t, files: map[string]string{}, option: map[string]string{}, faults: map[string]string{}, seen: map[string]int{}}
	for _, f := range archive.Files {
		s.files[f.Name] = string(f.Data)
	}
	s.e = New(Options{
		Account: "123456789012", Region: "eu-north-1", Parallel: 1,
		Registrations: map[string]Registration{
			"Test::Thing":    {Provider: thing{s}, CreateOnly: []string{"Name"}, Identifier: "Name", Import: thing{s}.existing},
			"AWS::IAM::Role": {Provider: thing{s}},
		},
		Custom: Registration{Provider: asked{s}},
		Macro:  s.macro,
		Fetch: func(_ context.Context, url string) ([]byte, error) {
			body, ok := s.files[strings.TrimPrefix(url, "https://bucket.s3.amazonaws.com/")]
			if !ok {
				return nil, errors.New("there is no " + url)
			}
			return []byte(body), nil
		},
		Parameter: func(_ context.Context, name string) (string, error) { return "value of " + name, nil },
		Fault: func(op, id string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if reason, ok := s.faults[op+":"+id]; ok {
				if s.once == op+":"+id {
					delete(s.faults, s.once)
				}
				return errors.New(reason)
			}
			return nil
		},
	})
	return s
}

// thing provides resources that are nothing but their properties.
type thing struct{ s *scenario }

func (p thing) Create(_ context.Context, req Request) (Resource, error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.made++
	made := Resource{PhysicalID: fmt.Sprintf("%s-%d", strings.ToLower(req.LogicalID), p.s.made), Attributes: map[string]any{"Value": req.Properties["Value"]}}
	made.Note, _ = req.Properties["Note"].(string)
	return made, nil
}

// existing is there unless its name says otherwise.
func (p thing) existing(_ context.Context, req Request) (Resource, error) {
	if strings.HasPrefix(req.PhysicalID, "no-") {
		return Resource{}, NotThere(req)
	}
	return Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"Value": req.Properties["Value"]}}, nil
}

func (p thing) Update(_ context.Context, req Request) (Resource, error) {
	return Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"Value": req.Properties["Value"]}}, nil
}

func (p thing) Delete(context.Context, Request) error { return nil }

func (s *scenario) command(line string) {
	if line == "" || strings.HasPrefix(line, "#") {
		return
	}
	fmt.Fprintf(&s.log, "> %s\n", line)
	verb, rest, _ := strings.Cut(line, " ")
	args := strings.Fields(rest)
	var err error
	switch verb {
	case "fail":
		s.fault(rest)
	case "once":
		s.fault(rest)
		s.once, _, _ = strings.Cut(rest, " ")
	case "continue":
		_, err = s.e.ContinueUpdateRollback(context.Background(), ContinueUpdateRollbackInput{StackName: args[0], ResourcesToSkip: args[1:]})
		if err == nil {
			s.follow(args[0])
		}
	case "option":
		name, value, _ := strings.Cut(rest, "=")
		s.option[name] = value
	case "create", "update", "delete":
		err = s.operate(verb, args)
	case "changeset", "newset", "execute", "import":
		err = s.changeSet(verb, args)
	case "show":
		err = s.show(args[0])
	case "events":
		err = s.events(args[0])
	case "template":
		var out GetTemplateOutput
		out, err = s.e.GetTemplate(context.Background(), GetTemplateInput{StackName: args[0]})
		s.log.WriteString(out.TemplateBody)
	default:
		s.t.Fatalf("unknown command %q", line)
	}
	if err != nil {
		fmt.Fprintln(&s.log, err)
	}
}

func (s *scenario) fault(rest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rest == "" {
		clear(s.faults)
		return
	}
	at, reason, _ := strings.Cut(rest, " ")
	s.faults[at] = reason
}

// take gives an option and forgets it.
func (s *scenario) take(name string) string {
	value := s.option[name]
	delete(s.option, name)
	return value
}

func (s *scenario) source(args []string) (body string, previous bool, params []Parameter, capabilities []string) {
	for _, arg := range args[2:] {
		name, value, given := strings.Cut(arg, "=")
		params = append(params, Parameter{ParameterKey: name, ParameterValue: value, UsePreviousValue: !given})
	}
	if c := s.take("capabilities"); c != "" {
		capabilities = []string{c}
	}
	return s.files[args[1]], args[1] == "-", params, capabilities
}

func (s *scenario) operate(verb string, args []string) error {
	ctx := context.Background()
	var err error
	switch verb {
	case "create":
		body, _, params, capabilities := s.source(args)
		in := CreateStackInput{
			StackName: args[0], TemplateBody: body, Parameters: params, Capabilities: capabilities,
			OnFailure: s.take("onFailure"), ClientRequestToken: s.take("token"), EnableTerminationProtection: s.take("protect") != "",
		}
		_, err = s.e.CreateStack(ctx, in)
	case "update":
		body, previous, params, capabilities := s.source(args)
		in := UpdateStackInput{
			StackName: args[0], TemplateBody: body, UsePreviousTemplate: previous, Parameters: params, Capabilities: capabilities,
			DisableRollback: s.take("disableRollback") != "", ClientRequestToken: s.take("token"),
		}
		_, err = s.e.UpdateStack(ctx, in)
	case "delete":
		in := DeleteStackInput{StackName: args[0], RetainResources: args[1:], DeletionMode: s.take("mode")}
		_, err = s.e.DeleteStack(ctx, in)
	}
	if err == nil {
		s.follow(args[0])
	}
	return err
}

// follow waits for the operation and prints what is new.
func (s *scenario) follow(name string) {
	s.e.mu.Lock()
	var st *state
	for _, other := range s.e.all {
		if other.ref.Name == name {
			st = other
		}
	}
	if st == nil || st.done == nil {
		s.e.mu.Unlock()
		return
	}
	done := st.done
	s.e.mu.Unlock()
	<-done
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for _, ev := range st.events[s.seen[st.ref.ID]:] {
		s.print(*ev)
	}
	s.seen[st.ref.ID] = len(st.events)
}

func (s *scenario) print(ev Event) {
	fmt.Fprintf(&s.log, "%-9s %-45s %s", ev.LogicalResourceID, ev.ResourceStatus, ev.PhysicalResourceID)
	if ev.ResourceStatusReason != "" {
		fmt.Fprintf(&s.log, "  %q", ev.ResourceStatusReason)
	}
	s.log.WriteString("\n")
}

func (s *scenario) changeSet(verb string, args []string) error {
	ctx := context.Background()
	body, previous, params, capabilities := s.source(args)
	s.count++
	in := CreateChangeSetInput{
		StackName: args[0], ChangeSetName: fmt.Sprintf("set%d", s.count), TemplateBody: body, UsePreviousTemplate: previous,
		Parameters: params, Capabilities: capabilities, IncludeNestedStacks: s.take("nested") != "", OnStackFailure: s.take("onFailure"),
	}
	if verb == "newset" {
		in.ChangeSetType = "CREATE"
	}
	if verb == "import" {
		in.ChangeSetType, in.Parameters = "IMPORT", nil
		for _, p := range params {
			in.ResourcesToImport = append(in.ResourcesToImport, ResourceToImport{"Test::Thing", p.ParameterKey, map[string]string{"Name": p.ParameterValue}})
		}
	}
	if _, err := s.e.CreateChangeSet(ctx, in); err != nil {
		return err
	}
	var out ChangeSetDescription
	for out.Status == "" || out.Status == changeSetCreatePending {
		var err error
		if out, err = s.e.DescribeChangeSet(ctx, DescribeChangeSetInput{StackName: in.StackName, ChangeSetName: in.ChangeSetName, IncludePropertyValues: true}); err != nil {
			return err
		}
	}
	fmt.Fprintf(&s.log, "%s %s %s\n", out.Status, out.ExecutionStatus, out.StatusReason)
	for _, c := range out.Changes {
		s.printChange(c.ResourceChange)
	}
	if verb == "changeset" {
		return nil
	}
	if _, err := s.e.ExecuteChangeSet(ctx, ExecuteChangeSetInput{StackName: in.StackName, ChangeSetName: in.ChangeSetName}); err != nil {
		return err
	}
	s.follow(in.StackName)
	if _, err := s.e.ExecuteChangeSet(ctx, ExecuteChangeSetInput{StackName: in.StackName, ChangeSetName: in.ChangeSetName}); err == nil {
		return errors.New("a change set was executed twice")
	}
	return nil
}

func (s *scenario) printChange(c ResourceChange) {
	fmt.Fprintf(&s.log, "%s %s %s %s %s %v\n", c.Action, c.LogicalResourceID, c.PhysicalResourceID, c.Replacement, c.PolicyAction, c.Scope)
	for _, d := range c.Details {
		fmt.Fprintf(&s.log, "    %s %s %s %s %q→%q by %s\n", d.Target.Path, d.Evaluation, d.ChangeSource, d.Target.RequiresRecreation, d.Target.BeforeValue, d.Target.AfterValue, d.CausingEntity)
	}
}

func (s *scenario) show(name string) error {
	if outer, inner, nested := strings.Cut(name, "/"); nested {
		name = s.e.live[liveKey("eu-north-1", outer)].resources[inner].physicalID
	}
	out, err := s.e.DescribeStacks(context.Background(), DescribeStacksInput{StackName: name})
	if err != nil {
		return err
	}
	d := out.Stacks[0]
	fmt.Fprintf(&s.log, "%s %s %s\n", d.StackName, d.StackStatus, d.StackStatusReason)
	for _, p := range d.Parameters {
		fmt.Fprintf(&s.log, "    parameter %s = %s %s\n", p.ParameterKey, p.ParameterValue, p.ResolvedValue)
	}
	for _, o := range d.Outputs {
		fmt.Fprintf(&s.log, "    output %s = %s %s\n", o.OutputKey, o.OutputValue, o.ExportName)
	}
	list, err := s.e.ListStackResources(context.Background(), ListStackResourcesInput{StackName: name})
	for _, r := range list.StackResourceSummaries {
		properties, _ := json.Marshal(s.e.live[liveKey("eu-north-1", d.StackName)].resources[r.LogicalResourceID].properties)
		fmt.Fprintf(&s.log, "    %s %s %s %s\n", r.LogicalResourceID, r.ResourceStatus, r.PhysicalResourceID, properties)
	}
	return err
}

func (s *scenario) events(name string) error {
	out, err := s.e.DescribeStackEvents(context.Background(), DescribeStackEventsInput{StackName: name})
	for _, ev := range slices.Backward(out.StackEvents) {
		s.print(ev)
		if ev.ResourceProperties != "" {
			fmt.Fprintf(&s.log, "    %s\n", ev.ResourceProperties)
		}
	}
	return err
}

var (
	randomID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)
	blanks      = regexp.MustCompile(`(?m) +$`)
	randomToken = regexp.MustCompile(`-[A-Z2-7]{12}\b`)
)

// normal takes what is random out of a log.
func (s *scenario) normal(log string) string {
	log = randomToken.ReplaceAllString(randomID.ReplaceAllString(log, "UUID"), "-TOKEN")
	return blanks.ReplaceAllString(log, "")
}
