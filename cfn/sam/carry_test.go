package sam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"arc/cfn"
	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// compiled is an app's plain template and what View makes of it.
type compiled struct {
	plain, view []byte
	functions   []cfn.Function
}

// compiledApps compiles every case of the compiler's tests and every app of the
// repository that has a manifest.
func compiledApps(t testing.TB) map[string]compiled {
	t.Helper()
	apps := map[string]compiled{}
	files, err := filepath.Glob("../testdata/templates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		project := fstest.MapFS{}
		for _, f := range ar.Files {
			project[f.Name] = &fstest.MapFile{Data: f.Data}
		}
		if c, ok := compileApp(t, manifest.Load(project, manifest.Options{Region: "us-east-1"})); ok {
			apps[strings.TrimSuffix(filepath.Base(file), ".txtar")] = c
		}
	}
	for _, name := range []string{"every", "notes", "shop", "chat", "team"} {
		c, ok := compileApp(t, manifest.Load(os.DirFS("../../testdata/apps/"+name), manifest.Options{Region: "us-east-1"}))
		if !ok {
			t.Fatalf("the app %s does not compile", name)
		}
		apps["app-"+name] = c
	}
	return apps
}

func compileApp(t testing.TB, loaded manifest.Result) (compiled, bool) {
	t.Helper()
	if loaded.App == nil || loaded.Diagnostics.HasErrors() {
		return compiled{}, false
	}
	stack, _ := cfn.Compile(loaded.App, cfn.Options{Stage: "staging"})
	if stack == nil {
		return compiled{}, false
	}
	plain, err := stack.Template.JSON()
	if err != nil {
		t.Fatal(err)
	}
	view, err := View(plain, stack.Functions)
	if err != nil {
		t.Fatal(err)
	}
	return compiled{plain, view, stack.Functions}, true
}

// TestViewIsExpanded: what View shows is a SAM template without mistakes, of which
// nothing is changed when nothing was changed.
func TestViewIsExpanded(t *testing.T) {
	for name, app := range compiledApps(t) {
		view, err := decode(app.view)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := Expand(view); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		carried, problems, err := Carry(app.plain, app.view, app.view)
		if err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
		if diff := cmp.Diff(tree(t, app.plain), tree(t, carried.Template)); diff != "" {
			t.Errorf("%s: an unchanged view changes the template:\n%s", name, diff)
		}
		if len(carried.Added)+len(carried.Changed)+len(carried.Removed)+len(carried.Code) > 0 {
			t.Errorf("%s: %+v", name, carried)
		}
	}
}

// viewDiffers are what the view has otherwise than Architect 12 on purpose: the
// beginning of "ID key", and why.
var viewDiffers = map[string]string{
	"HourlyScheduleLambda ":              "ours keeps the logical IDs of Architect 11, which stacks have",
	"NightlyScheduleLambda ":             "the same",
	"OftenScheduleLambda ":               "the same",
	"WeeklyScheduleLambda ":              "the same",
	"GetNotesHTTPLambda Properties>Role": "its role is its own, from @uses",
	"ThumbnailsQueue":                    "the app is written for ours, whose queues are not FIFO",
	"MailsQueueLambda":                   "the same",
}

// TestViewIsAsArchitects: testdata/view/every.txt lists the resources of the
// template that @architect/package 11.0.4 makes of testdata/apps/every, each with
// its type and all its keys; a plugin finds them in ours.
func TestViewIsAsArchitects(t *testing.T) {
	app, ok := compileApp(t, manifest.Load(os.DirFS("../../testdata/apps/every"), manifest.Options{Region: "us-west-2"}))
	if !ok {
		t.Fatal("the app does not compile")
	}
	view, err := decode(app.view)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/view/every.txt")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	differs := func(at string) bool {
		for start := range viewDiffers {
			if strings.HasPrefix(at, start) {
				used[start] = true
				return true
			}
		}
		return false
	}
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		if words[1] == "output" {
			if asObject(view["Outputs"])[words[0]] == nil {
				t.Errorf("there is no output %s", words[0])
			}
			continue
		}
		r := asObject(asObject(view["Resources"])[words[0]])
		if asText(r["Type"]) != words[1] && !differs(words[0]+" ") {
			t.Errorf("%s is %v, want %s", words[0], r["Type"], words[1])
			continue
		}
		for _, key := range words[2:] {
			if differs(words[0]+" "+key) || strings.HasSuffix(key, "DependsOn") || strings.Contains(key, "Fn::") {
				continue
			}
			var at any = r
			for _, part := range strings.Split(key, ">") {
				next, ok := asObject(at)[part]
				if !ok {
					t.Errorf("%s has no %s", words[0], key)
					break
				}
				at = next
			}
		}
	}
	for start, why := range viewDiffers {
		if !used[start] {
			t.Errorf("%q is not needed: %s", start, why)
		}
	}
}

func tree(t testing.TB, body []byte) any {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// edit is one change of a view, as in RFC 6902: op, a JSON pointer and a value.
type edit struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// apply changes a tree in place.
func (e edit) apply(root any) error {
	var value any
	if e.Op != "remove" {
		dec := json.NewDecoder(bytes.NewReader(e.Value))
		dec.UseNumber()
		if err := dec.Decode(&value); err != nil {
			return err
		}
	}
	parts := strings.Split(strings.TrimPrefix(e.Path, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return change(root, parts, e.Op, value, func(any) {})
}

func change(at any, parts []string, op string, value any, put func(any)) error {
	last := len(parts) == 1
	switch at := at.(type) {
	case map[string]any:
		switch {
		case last && op == "remove":
			if _, ok := at[parts[0]]; !ok {
				return fmt.Errorf("there is no %s to remove", parts[0])
			}
			delete(at, parts[0])
		case last:
			at[parts[0]] = value
		default:
			return change(at[parts[0]], parts[1:], op, value, func(v any) { at[parts[0]] = v })
		}
		return nil
	case []any:
		if last && parts[0] == "-" {
			put(append(at, value))
			return nil
		}
		i, err := strconv.Atoi(parts[0])
		if err != nil || i < 0 || i >= len(at) {
			return fmt.Errorf("there is no element %s", parts[0])
		}
		switch {
		case last && op == "remove":
			put(slices.Delete(slices.Clone(at), i, i+1))
		case last && op == "add":
			put(slices.Insert(slices.Clone(at), i, value))
		case last:
			at[i] = value
		default:
			return change(at[i], parts[1:], op, value, func(v any) { at[i] = v })
		}
		return nil
	}
	return fmt.Errorf("there is nothing at %s", strings.Join(parts, "/"))
}

// TestCarry reads testdata/carry/*.txtar: "app NAME" before the first file, the
// edits of its view, and what comes of them in want.txt: what is another in our
// template, what the deploy is told, and the problems.
func TestCarry(t *testing.T) {
	apps := compiledApps(t)
	files, err := filepath.Glob("testdata/carry/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := ""
			for _, line := range strings.Split(string(ar.Comment), "\n") {
				if rest, ok := strings.CutPrefix(line, "app "); ok {
					name = rest
				}
			}
			app, ok := apps[name]
			if !ok {
				t.Fatalf("there is no app %q", name)
			}
			var edits []edit
			if err := json.Unmarshal(ar.Files[0].Data, &edits); err != nil || ar.Files[0].Name != "edits.json" {
				t.Fatalf("edits.json comes first: %v", err)
			}
			after := tree(t, app.view)
			for _, e := range edits {
				if err := e.apply(after); err != nil {
					t.Fatalf("%s %s: %v", e.Op, e.Path, err)
				}
			}
			carried, problems, err := Carry(app.plain, app.view, encode(after))
			if err != nil {
				t.Fatal(err)
			}
			got := []txtar.File{ar.Files[0], {Name: "want.txt", Data: append(differing(t, app.plain, carried.Template), report(carried, problems)...)}}
			want := txtar.Format(ar)
			if now := txtar.Format(&txtar.Archive{Comment: ar.Comment, Files: got}); !bytes.Equal(now, want) {
				if *update {
					if err := os.WriteFile(file, now, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				t.Errorf("run go test ./cfn/sam -update and read the difference\n%s", cmp.Diff(string(want), string(now)))
			}
		})
	}
}

// differing lists what is not the same in two templates: "+ path: value" for what
// is new, "~" for what is another, "- path" for what is gone.
func differing(t *testing.T, was, now []byte) []byte {
	var b strings.Builder
	differences(&b, "", tree(t, was), tree(t, now))
	return []byte(b.String())
}

func differences(b *strings.Builder, path string, was, now any) {
	x, y := asObject(was), asObject(now)
	switch {
	case same(was, now):
	case x != nil && y != nil:
		for _, key := range sections(x, y) {
			differences(b, strings.TrimPrefix(path+"."+key, "."), x[key], y[key])
		}
	case asList(was) != nil && asList(now) != nil:
		x, y := asList(was), asList(now)
		for i := range max(len(x), len(y)) {
			at := fmt.Sprintf("%s[%d]", path, i)
			switch {
			case i >= len(x):
				differences(b, at, nil, y[i])
			case i >= len(y):
				differences(b, at, x[i], nil)
			default:
				differences(b, at, x[i], y[i])
			}
		}
	case was == nil:
		fmt.Fprintf(b, "+ %s: %s\n", path, compact(now))
	case now == nil:
		fmt.Fprintf(b, "- %s\n", path)
	default:
		fmt.Fprintf(b, "~ %s: %s\n", path, compact(now))
	}
}

func compact(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return strings.TrimSpace(out.String())
}

func report(carried Carried, problems []Problem) []byte {
	var b strings.Builder
	for _, list := range []struct {
		word string
		ids  []string
	}{{"added", carried.Added}, {"changed", carried.Changed}, {"removed", carried.Removed}} {
		if len(list.ids) > 0 {
			fmt.Fprintf(&b, "%s %s\n", list.word, strings.Join(list.ids, " "))
		}
	}
	for _, id := range sorted(carried.Code) {
		fmt.Fprintf(&b, "code of %s: %s\n", id, carried.Code[id])
	}
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&b, "%s: %s\n", kind, p.Error())
	}
	return []byte(b.String())
}
