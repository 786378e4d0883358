package stack

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/journal"
)

// errand provides custom resources that answer when they are let.
type errand struct {
	mu    sync.Mutex
	asked []string
	begun chan struct{} // Create and Update say that they began, and answer to the end of the engine alone; nil = they answer
}

func (p *errand) ask(ctx context.Context, what string, req Request) (Resource, error) {
	p.mu.Lock()
	p.asked = append(p.asked, fmt.Sprintf("%s %s %v for %v", what, req.PhysicalID, req.Properties["N"], req.Old["N"]))
	p.mu.Unlock()
	if p.begun != nil && what != "Delete" {
		close(p.begun)
		<-ctx.Done()
		return Resource{}, ctx.Err()
	}
	return Resource{PhysicalID: "it", Attributes: map[string]any{"Word": "sesame"}, NoEcho: true, Object: "o"}, nil
}

func (p *errand) Create(ctx context.Context, req Request) (Resource, error) {
	if req.Whole() {
		return Resource{PhysicalID: req.PhysicalID, Attributes: req.Attributes}, nil
	}
	return p.ask(ctx, "Create", req)
}
func (p *errand) Update(ctx context.Context, req Request) (Resource, error) {
	return p.ask(ctx, "Update", req)
}
func (p *errand) Delete(ctx context.Context, req Request) error {
	_, err := p.ask(ctx, "Delete", req)
	return err
}

// A custom resource is what it was in the next run, its attributes secret still. Of
// an update that was cut off nobody knows what it did: the next one asks again, for
// the change from what there was before. What a creation had made is told of.
func TestCustomResourcesStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	template := func(n int) []byte {
		return fmt.Appendf(nil, `{"Resources": {"A": {"Type": "Custom::A", "Properties": {"ServiceToken": "t", "N": %d}}}, "Outputs": {"W": {"Value": {"Fn::GetAtt": ["A", "Word"]}}}}`, n)
	}
	start := func() (*Engine, *errand, []string, func()) {
		log, err := journal.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		p := &errand{}
		e := New(Options{Account: "123456789012", Region: "us-east-1", Custom: Registration{Provider: p}})
		e.Remember(log)
		return e, p, e.Revive(context.Background()), func() { e.Close(); log.Close() }
	}
	// begun applies a template of which the engine sees no end.
	begun := func(e *Engine, p *errand, name string, body []byte) {
		p.begun = make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		go func() { <-p.begun; cancel() }()
		if err := e.Apply(ctx, name, body, nil, nil); err == nil {
			t.Error("what answers nothing was done")
		}
	}

	e, p, _, end := start()
	if err := e.Apply(t.Context(), "app", template(1), nil, nil); err != nil {
		t.Fatal(err)
	}
	end()
	e, p, problems, end := start()
	if len(problems)+len(p.asked) > 0 || e.Outputs("app")["W"] != starred {
		t.Errorf("brought back: %v, asked %v, output %s", problems, p.asked, e.Outputs("app"))
	}
	killed := func() { // the process ends before the engine hears of it
		e.mu.Lock()
		log := e.memory
		e.memory = nil
		e.mu.Unlock()
		end()
		log.Close()
	}
	begun(e, p, "app", template(2))
	killed()
	e, p, _, end = start()
	if err := e.Apply(t.Context(), "app", template(2), nil, nil); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Update it 2 for 1"}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
	p.asked = nil
	begun(e, p, "other", template(1))
	killed()
	e, p, problems, end = start()
	defer end()
	if len(problems) != 1 || !strings.Contains(problems[0], "stack other: its creation was cut off") {
		t.Errorf("of a creation that was cut off is told %q", problems)
	}
	if err := e.Remove(t.Context(), "app", nil); err != nil || !slices.Equal(p.asked, []string{"Delete it 2 for <nil>"}) {
		t.Errorf("removed: %v, asked %q", err, p.asked)
	}
}
