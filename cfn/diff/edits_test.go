package diff_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/face"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// edit is one edit of one resource, R, as testdata/diff has them.
type edit struct {
	name, typ     string
	both, was, is string    // properties
	attributes    [2]string // DeletionPolicy and the like
	gone, isNew   bool
	parameters    []string
	sections      [2][]string // Conditions, Mappings
	with          [2][]string // other resources
	verdict       []string
	says, hides   []string
}

// readEdit reads a section of testdata/diff:
//
//	# why it is so
//	type AWS::RDS::DBInstance
//	both Engine: mysql                  (properties on both sides)
//	was BackupRetentionPeriod: 7        (… before; is: after)
//	was: DeletionPolicy: Retain         (beside the properties; is: after)
//	gone                                (after has no R; new: before has none)
//	with Name: {…}                      (another resource; before, after: of one side)
//	parameter Name: {…}
//	section Mappings: {…}               (section-was: before; section-is: after)
//	verdict safe: protection            (and a line for what changes, as in the other corpora)
//	says words                          (hides: words that must not be said)
func readEdit(t *testing.T, name, text string) edit {
	t.Helper()
	e := edit{name: name}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "#":
		case "type":
			e.typ = rest
		case "both":
			e.both = rest
		case "was":
			e.was = rest
		case "is":
			e.is = rest
		case "was:":
			e.attributes[0] = rest
		case "is:":
			e.attributes[1] = rest
		case "gone":
			e.gone = true
		case "new":
			e.isNew = true
		case "parameter":
			e.parameters = append(e.parameters, rest)
		case "section":
			e.sections[0], e.sections[1] = append(e.sections[0], rest), append(e.sections[1], rest)
		case "section-was":
			e.sections[0] = append(e.sections[0], rest)
		case "section-is":
			e.sections[1] = append(e.sections[1], rest)
		case "with":
			e.with[0], e.with[1] = append(e.with[0], rest), append(e.with[1], rest)
		case "before":
			e.with[0] = append(e.with[0], rest)
		case "after":
			e.with[1] = append(e.with[1], rest)
		case "verdict":
			e.verdict = []string{rest}
		case "R:", "Host:", "TokenSecret:":
			e.verdict = append(e.verdict, line)
		case "says":
			e.says = append(e.says, rest)
		case "hides":
			e.hides = append(e.hides, rest)
		default:
			t.Fatalf("%s: what is %q", name, line)
		}
	}
	return e
}

// side writes one side's template.
func (e edit) side(after int) string {
	var b strings.Builder
	if len(e.parameters) > 0 {
		fmt.Fprintf(&b, "Parameters:\n  %s\n", strings.Join(e.parameters, "\n  "))
	}
	for _, section := range e.sections[after] {
		b.WriteString(section + "\n")
	}
	b.WriteString("Resources:\n  Stays: {Type: AWS::SNS::Topic}\n")
	for _, other := range e.with[after] {
		fmt.Fprintf(&b, "  %s\n", other)
	}
	if after == 1 && e.gone || after == 0 && e.isNew {
		return b.String()
	}
	var properties []string
	for _, p := range []string{e.both, [2]string{e.was, e.is}[after]} {
		if p != "" {
			properties = append(properties, p)
		}
	}
	fmt.Fprintf(&b, "  R:\n    Type: %s\n    Properties: {%s}\n", e.typ, strings.Join(properties, ", "))
	if e.attributes[after] != "" {
		fmt.Fprintf(&b, "    %s\n", e.attributes[after])
	}
	return b.String()
}

// TestEdits reads testdata/diff of the project: edits of single resources, of any
// type, with the verdict that a person worked out from AWS's documentation. There
// is no -update for these. The corpus stays as wide as it is: 320 edits at least,
// of 130 types, and half of them on types that our own templates do not hold.
func TestEdits(t *testing.T) {
	files, err := filepath.Glob("../../testdata/diff/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	ours := ownTypes(t)
	types, foreign, count := map[string]bool{}, 0, 0
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			e := readEdit(t, f.Name, string(f.Data))
			count++
			types[e.typ] = true
			if !ours[e.typ] {
				foreign++
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+f.Name, func(t *testing.T) { e.check(t) })
		}
	}
	t.Logf("%d edits of %d types, %d of them on types that are not ours", count, len(types), foreign)
	if count < 320 || len(types) < 130 || foreign < count/2 {
		t.Error("the corpus has become narrower")
	}
}

// retiredForTest stands for the table of runtimes that the manifest has.
func retiredForTest(runtime string, create bool) (refused, warning string) {
	switch runtime {
	case "nodejs8.10", "python2.7":
		return "AWS takes no functions with the runtime " + runtime, ""
	case "nodejs18.x":
		return "", "AWS has retired the runtime " + runtime
	}
	return "", ""
}

func (e edit) check(t *testing.T) {
	var sides [2]*cfn.Document
	for i := range sides {
		var err error
		if sides[i], err = cfn.Parse([]byte(e.side(i))); err != nil {
			t.Fatalf("%v\n%s", err, e.side(i))
		}
	}
	review := diff.Compose(sides[0], sides[1], diff.Options{Retired: retiredForTest})
	var b strings.Builder
	if err := face.Text(&b, review, face.TextOptions{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Join(e.verdict, "\n"), verdictOf(review)); d != "" {
		t.Errorf("-want +got\n%s\n%s", d, b.String())
	}
	for _, words := range e.says {
		if !strings.Contains(b.String(), words) {
			t.Errorf("nowhere is said: %s\n%s", words, b.String())
		}
	}
	for _, words := range e.hides {
		if strings.Contains(b.String(), words) {
			t.Errorf("it says: %s\n%s", words, b.String())
		}
	}
}

// ownTypes are the types of the templates that we make: those of the compiler's
// goldens.
func ownTypes(t *testing.T) map[string]bool {
	t.Helper()
	types := map[string]bool{}
	literal := regexp.MustCompile(`"Type": "(AWS::\w+::\w+)"`)
	for _, root := range []string{"../testdata", "../../testdata/templates"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			for _, m := range literal.FindAllStringSubmatch(string(data), -1) {
				types[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(types) < 20 {
		t.Fatalf("we make %d types only", len(types))
	}
	return types
}
