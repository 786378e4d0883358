package deploy

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Provisioned concurrency that is taken from a function and given back needs a version
// of what was published already, which Lambda does not give: it is published under
// another description, and the function has its own again afterwards.
func TestPublishedAgain(t *testing.T) {
	clients := connectTo(t, wholeCloud(t))
	dp := &Deployer{Clients: clients}
	kept := func(r resources) { r["Version"]["DeletionPolicy"] = "Retain" }
	without := func(r resources) {
		delete(r, "Version")
		delete(r, "Alias")
	}
	for i, change := range []func(resources){kept, without, kept} {
		if out, err := dp.Deploy(t.Context(), directDemo("one", change)); err != nil || out.Unchanged {
			t.Fatalf("deploy %d: %v, unchanged %t", i, err, out.Unchanged)
		}
	}
	stack, err := clients.Describe(t.Context(), "DemoStaging")
	if err != nil {
		t.Fatal(err)
	}
	names, err := clients.functionNames(t.Context(), stack.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range names {
		if id != "Behind" {
			continue
		}
		var now functionState
		if err := clients.Functions.Send(t.Context(), http.MethodGet, "GetFunctionConfiguration", name, "configuration", nil, &now); err != nil {
			t.Fatal(err)
		}
		last, err := (&run{Clients: clients}).lastVersion(t.Context(), name)
		if err != nil || last == nil {
			t.Fatalf("the last version: %v, %v", last, err)
		}
		if now.Description != "" || last.Version != "2" || !strings.HasPrefix(last.Description, againMark) {
			t.Errorf("the function is %q, version %s %q", now.Description, last.Version, last.Description)
		}
	}
	if out, err := dp.Deploy(t.Context(), directDemo("one", kept)); err != nil || !out.Unchanged {
		t.Errorf("deployed once more: %v, unchanged %t", err, out.Unchanged)
	}
	if marked, err := clients.Direct(t.Context(), stack); err != nil || slices.Contains(marked, "Behind") {
		t.Errorf("marked: %v, %v", marked, err)
	}
}
