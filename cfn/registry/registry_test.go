package registry

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

// TestDescriptionsAreSorted: they are searched by halves.
func TestDescriptionsAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(descriptions[:], func(a, b Type) int { return cmp.Compare(a.Name, b.Name) }) {
		t.Error("descriptions are not sorted by name")
	}
	for i, d := range descriptions {
		if i > 0 && descriptions[i-1].Name == d.Name {
			t.Errorf("%s is described twice", d.Name)
		}
		if d.HoldsData != HoldsData(d.Name) || Of(d.Name).Word != d.Word {
			t.Errorf("%s is not found", d.Name)
		}
	}
	if Of("Acme::Thing").Name != "Acme::Thing" || HoldsData("Acme::Thing") {
		t.Error("what has no description is not described")
	}
}

// TestFree: no type stands twice in the list of those that cost nothing.
func TestFree(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(free) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if seen[line] {
			t.Errorf("%s stands there twice", line)
		}
		seen[line] = true
	}
}
