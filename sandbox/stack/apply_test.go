package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counter provides resources and counts what it is asked for.
type counter struct{ created, updated, deleted, at, most atomic.Int32 }

func (c *counter) Create(_ context.Context, req Request) (Resource, error) {
	c.created.Add(1)
	now := c.at.Add(1)
	defer c.at.Add(-1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	if req.Properties["Fail"] != nil {
		return Resource{}, errors.New("it will not do")
	}
	if req.Properties["Slow"] != nil {
		time.Sleep(time.Millisecond) // work, not waiting
	}
	return Resource{PhysicalID: req.Name(64)}, nil
}

func (c *counter) Update(_ context.Context, req Request) (Resource, error) {
	c.updated.Add(1)
	return Resource{PhysicalID: req.PhysicalID}, nil
}

func (c *counter) Delete(context.Context, Request) error {
	c.deleted.Add(1)
	return nil
}

func newCounted(tb testing.TB) (*Engine, *counter) {
	c := &counter{}
	e := New(Options{Account: "123456789012", Region: "us-east-1", Registrations: map[string]Registration{"Test::Thing": {Provider: c}}})
	tb.Cleanup(e.Close)
	return e, c
}

// Apply makes, leaves alone, changes, and makes anew what could not be made.
func TestApply(t *testing.T) {
	e, c := newCounted(t)
	ctx := context.Background()
	one := []byte("Resources: {A: {Type: Test::Thing, Properties: {N: 1}}}\nOutputs: {A: {Value: !Ref A}}")
	two := []byte("Resources: {A: {Type: Test::Thing, Properties: {N: 2}}}")
	bad := []byte("Resources: {A: {Type: Test::Thing}, B: {Type: Test::Thing, DependsOn: A, Properties: {Fail: 1}}}")
	var seen []string
	apply := func(name string, body []byte) error {
		seen = nil
		return e.Apply(ctx, name, body, nil, func(ev Event) { seen = append(seen, ev.LogicalResourceID+" "+ev.ResourceStatus) })
	}
	if err := apply("app", one); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 5 || seen[4] != "app CREATE_COMPLETE" || e.Outputs("app")["A"] == "" {
		t.Errorf("events %v, outputs %v", seen, e.Outputs("app"))
	}
	if err := apply("app", one); err != nil || len(seen) != 0 || c.updated.Load() != 0 {
		t.Errorf("unchanged: %v, events %v", err, seen)
	}
	if err := apply("app", two); err != nil || c.updated.Load() != 1 {
		t.Errorf("changed: %v, %d updates", err, c.updated.Load())
	}
	err := apply("other", bad)
	if err == nil || err.Error() != "stack other: ROLLBACK_COMPLETE: B (Test::Thing): it will not do" {
		t.Errorf("failed creation: %v", err)
	}
	if err := apply("other", one); err != nil {
		t.Errorf("made anew: %v", err)
	}
	if err := apply("app", []byte("Resources: {A: {Type: Nope}}")); err == nil || !strings.Contains(err.Error(), "Unrecognized resource types: [Nope]") {
		t.Errorf("unknown type: %v", err)
	}
	if err := e.Remove(ctx, "app", nil); err != nil || e.Outputs("app") != nil {
		t.Errorf("removed: %v", err)
	}
	if err := e.Remove(ctx, "app", nil); err != nil {
		t.Errorf("removed twice: %v", err)
	}
}

// Independent resources are worked on at once, up to the limit.
func TestParallel(t *testing.T) {
	e, c := newCounted(t)
	if err := e.Apply(context.Background(), "wide", wide(100, "Slow"), nil, nil); err != nil {
		t.Fatal(err)
	}
	if most := c.most.Load(); most < 2 || most > 8 {
		t.Errorf("%d at once", most)
	}
}

// Closing in the middle ends what is under way and refuses what comes.
func TestClose(t *testing.T) {
	e, _ := newCounted(t)
	if _, err := e.CreateStack(context.Background(), CreateStackInput{StackName: "app", TemplateBody: string(wide(300, "Slow"))}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	out, err := e.DescribeStacks(context.Background(), DescribeStacksInput{StackName: "app"})
	if err != nil || underWay(out.Stacks[0].StackStatus) {
		t.Errorf("after closing: %+v %v", out, err)
	}
	if _, err := e.CreateStack(context.Background(), CreateStackInput{StackName: "late", TemplateBody: string(wide(1, "N"))}); !errors.Is(err, errStopping) {
		t.Errorf("a late stack: %v", err)
	}
}

// wide is a template of n resources, each tenth of which the next nine refer to.
func wide(n int, property string) []byte {
	var b strings.Builder
	b.WriteString(`{"Resources":{`)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `"R%d":{"Type":"Test::Thing","Properties":{"%s":%d`, i, property, i)
		if i%10 != 0 {
			fmt.Fprintf(&b, `,"On":{"Fn::Sub":"arn:${AWS::Partition}:x:${R%d}"}`, i/10*10)
		}
		b.WriteString("}}")
	}
	b.WriteString("}}")
	return []byte(b.String())
}

func BenchmarkCreate(b *testing.B) {
	for _, n := range []int{10, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			body := wide(n, "N")
			for b.Loop() {
				e, _ := newCounted(b)
				if err := e.Apply(context.Background(), "app", body, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a saved file costs when the template did not change by it.
func BenchmarkUnchanged(b *testing.B) {
	for _, n := range []int{10, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, _ := newCounted(b)
			body := wide(n, "N")
			for b.Loop() {
				if err := e.Apply(context.Background(), "app", body, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A stack that is deployed again and again keeps its last events, and whoever
// reads them page by page meanwhile meets none twice.
func TestEventsAreBounded(t *testing.T) {
	e, _ := newCounted(t)
	ctx := context.Background()
	for n := range 700 { // five events each
		if err := e.Apply(ctx, "app", fmt.Appendf(nil, "Resources: {A: {Type: Test::Thing, Properties: {N: %d}}}", n), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	in := DescribeStackEventsInput{StackName: "app"}
	for pages := 0; ; pages++ {
		out, err := e.DescribeStackEvents(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range out.StackEvents {
			if seen[ev.EventID] {
				t.Fatalf("%s came twice", ev.EventID)
			}
			seen[ev.EventID] = true
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			break
		}
		if pages == 3 {
			for n := range 300 {
				if err := e.Apply(ctx, "app", fmt.Appendf(nil, "Resources: {A: {Type: Test::Thing, Properties: {N: -%d}}}", n), nil, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	e.mu.Lock()
	st, err := e.find(ctx, "app")
	kept := len(st.events)
	e.mu.Unlock()
	if err != nil || kept < mostEvents || kept > mostEvents+10 || len(seen) < 400 || len(seen) > kept {
		t.Errorf("%d events are kept, %d were read: %v", kept, len(seen), err)
	}
}
