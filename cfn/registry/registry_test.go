package registry

import (
	"cmp"
	"flag"
	"fmt"
	"os"
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
		if Of(d.Name).Word != d.Word {
			t.Errorf("%s is not found", d.Name)
		}
	}
	if Of("Acme::Thing").Name != "Acme::Thing" || Holds("Acme::Thing", nil) {
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

var update = flag.Bool("update", false, "rewrite goldens")

// TestDescriptions prints every description in words: testdata/descriptions.txt
// is what a reviewer reads when one changes, since data may hang on a word of it.
func TestDescriptions(t *testing.T) {
	var b strings.Builder
	for _, d := range descriptions {
		var facts []string
		say := func(yes bool, format string, args ...any) {
			if yes {
				facts = append(facts, fmt.Sprintf(format, args...))
			}
		}
		say(d.Word != "", "called %s", d.Word)
		say(d.HoldsData, "holds data")
		say(d.Retention.Property != "", "keeps %s for %s %s, %d unless said", d.Retention.What, d.Retention.Property, d.Retention.Unit, d.Retention.Default)
		say(d.CustomName != "", "named by %s", d.CustomName)
		say(d.ARN != "", "known as %s", d.ARN)
		for _, part := range d.Parts {
			say(true, "%s is %s", part.End, part.What)
		}
		say(d.Addressed, "has an address")
		say(d.ByContent, "is known by its content")
		say(d.Wiring, "is told by what it serves")
		say(d.Rights == HasRights, "has rights")
		say(d.Rights == GivesRights, "gives rights")
		say(d.Policy.Property != "", "%s is the policy of %s", d.Policy.Property, cmp.Or(d.Policy.Of, "itself"))
		say(d.PublicAddress != "", "public by %s", d.PublicAddress)
		say(d.HeldBy != "", "but where %s names what does", d.HeldBy)
		say(d.Snapshots, "leaves a snapshot")
		say(len(d.Names) > 0, "found by %s", strings.Join(d.Names, " and "))
		say(d.Gone != "", "when it goes, %s", d.Gone)
		say(d.Unique, "never the same again")
		say(d.Inner, "its policy only limits")
		say(d.Watches != "", "a guard: when it goes, %s", d.Watches)
		for _, s := range d.Settings {
			kind := [...]string{"guards", "backs up", "locks", "encrypts", "runs", "grants", "opens", "mutes"}[s.Kind]
			say(true, "%s %s by %s (%s)", kind, cmp.Or(s.Default, "?"), s.Path, s.Good)
		}
		say(d.InPlace, "always updated in place")
		for _, name := range d.Settled {
			say(true, "never changes %s", name)
		}
		say(d.Charge.Item != "", "%s costs %s, hourly %t", d.Charge.How, d.Charge.Item, d.Charge.Hourly)
		fmt.Fprintf(&b, "%s: %s\n", d.Name, strings.Join(facts, "; "))
	}
	const golden = "testdata/descriptions.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	wanted, got := strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")
	for i := range max(len(wanted), len(got)) {
		if i >= len(wanted) || i >= len(got) || wanted[i] != got[i] {
			t.Fatalf("line %d differs: run go test ./cfn/registry -update and read the difference", i+1)
		}
	}
}

// TestHolds: an instance of a cluster has its data there, unless it may stand alone.
func TestHolds(t *testing.T) {
	absent := map[string]any{"Ref": "AWS::NoValue"}
	for _, c := range []struct {
		typ        string
		properties map[string]any
		want       bool
	}{
		{DynamoDBTable, nil, true},
		{SNSTopic, nil, false},
		{RDSDBInstance, nil, true},
		{RDSDBInstance, map[string]any{"Engine": "mysql"}, true},
		{RDSDBInstance, map[string]any{"DBClusterIdentifier": map[string]any{"Ref": "Cluster"}}, false},
		{RDSDBInstance, map[string]any{"DBClusterIdentifier": absent}, true},
		{RDSDBInstance, map[string]any{"DBClusterIdentifier": map[string]any{"Fn::If": []any{"InCluster", "c", absent}}}, true},
		{RDSDBInstance, map[string]any{"DBClusterIdentifier": map[string]any{"Fn::If": []any{"Blue", "b", "g"}}}, false},
	} {
		if got := Holds(c.typ, c.properties); got != c.want {
			t.Errorf("Holds(%s, %v) = %t", c.typ, c.properties, got)
		}
	}
}
