package plan

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"arc/deploy"

	"github.com/google/go-cmp/cmp"
)

func example() *Plan {
	return &Plan{
		Arc: "1.0.0", App: "demo", Stage: "production", Stack: "DemoProduction", Account: "111122223333", Region: "us-west-2",
		State:   deploy.State{StackID: "arn:aws:cloudformation:…", LastEvent: "e1"},
		Dangers: []Danger{{"data-loss", "table <accounts>: its items are deleted"}},
		Losses:  []string{"AccountsTable", "NotesTable"}, AllowLoss: []string{"NotesTable"}, Goes: []string{"AccountsTable", "NotesTable"},
		Tags: map[string]string{"team": "a"}, Variables: map[string]string{"SECRET": "3@1700000000"},
		Artifacts: []Artifact{{"aa.zip", "src/http/get-index"}, {"bb.zip", "src/ws/default"}},
		Static:    &Static{Files: []File{{"index.html", "00"}, {"app.js", "11"}}},
		Template:  `{"Resources":{}}`,
	}
}

func TestSealAndOpen(t *testing.T) {
	data, id, err := example().Seal()
	if err != nil {
		t.Fatal(err)
	}
	got, gotID, err := Open(data)
	if err != nil || gotID != id || len(id) != idLength {
		t.Fatalf("%s %s %v", id, gotID, err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(string(data), "arcplan 3 "+id) {
		t.Errorf("first line of %.100s", data)
	}
	if diff := cmp.Diff([]string{"AccountsTable"}, got.Unallowed()); diff != "" {
		t.Error(diff)
	}
}

// TestOpenRefuses changes each byte of a plan, and cuts it at each place.
func TestOpenRefuses(t *testing.T) {
	data, _, _ := example().Seal()
	for i := range data {
		changed := slices.Clone(data)
		changed[i] ^= 1
		if _, _, err := Open(changed); err == nil {
			t.Errorf("byte %d changed: opened", i)
		}
		if _, _, err := Open(data[:i]); err == nil {
			t.Errorf("cut at %d: opened", i)
		}
	}
	for _, other := range []string{"", "\n", "arcplan", "{}", "@app\ndemo\n", "PK\x03\x04\n"} {
		if _, _, err := Open([]byte(other)); !errors.Is(err, ErrNoPlan) {
			t.Errorf("%q: %v", other, err)
		}
	}
	newer := bytes.Replace(data, []byte("arcplan 3 "), []byte("arcplan 4 "), 1)
	if _, _, err := Open(newer); err == nil || !strings.Contains(err.Error(), `format "4"`) {
		t.Errorf("newer: %v", err)
	}
	for _, body := range []string{`{}`, `{"stack":"A","stack":"B"}`, `[]`, ``, `{"unknown":1}`} {
		if _, _, err := Open([]byte("arcplan 3 " + digest([]byte(body)) + "\n" + body)); err == nil || !strings.Contains(err.Error(), "make a new plan") {
			t.Errorf("body %s: %v", body, err)
		}
	}
}

func TestMoved(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Plan)
		want   []string
	}{
		"nothing":  {func(*Plan) {}, nil},
		"manifest": {func(p *Plan) { p.Template = "{}" }, []string{"the manifest or its settings make another template"}},
		"code":     {func(p *Plan) { p.Template, p.Artifacts[0].Key = "{}", "cc.zip" }, []string{"src/http/get-index: other code"}},
		"less":     {func(p *Plan) { p.Template, p.Artifacts = "{}", p.Artifacts[:1] }, []string{"src/ws/default: other code, or gone"}},
		"files": {func(p *Plan) { p.Static.Files = []File{{"index.html", "01"}, {"new.js", "2"}} },
			[]string{"static file index.html: changed", "static file new.js: new", "static file app.js: gone"}},
		"no folder": {func(p *Plan) { p.Static = nil }, []string{"static file index.html: gone", "static file app.js: gone"}},
		"pruned":    {func(p *Plan) { p.Static.Prune = true }, []string{"@static: other settings"}},
	} {
		now := example()
		c.change(now)
		if diff := cmp.Diff(c.want, example().Moved(now)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestOpenNeedsNames: a plan that does not say of which app, stage and stack it is,
// or of which template, is none, whoever sealed it.
func TestOpenNeedsNames(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"app":      func(p *Plan) { p.App = "" },
		"stage":    func(p *Plan) { p.Stage = "" },
		"stack":    func(p *Plan) { p.Stack = "" },
		"template": func(p *Plan) { p.Template = "" },
	} {
		p := example()
		change(p)
		data, _, err := p.Seal()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(data); err == nil || !strings.Contains(err.Error(), "make a new plan") {
			t.Errorf("without its %s: %v", name, err)
		}
	}
}

func TestMovedPlugins(t *testing.T) {
	a, b := Plugin{Name: "a", Version: "1"}, Plugin{Name: "b", Version: "2"}
	for name, c := range map[string]struct {
		before, now []Plugin
		want        []string
	}{
		"the same":    {[]Plugin{a, b}, []Plugin{a, b}, nil},
		"none":        {nil, nil, nil},
		"another one": {[]Plugin{a}, []Plugin{a, b}, []string{"plugin b: new"}},
		"one less":    {[]Plugin{a, b}, []Plugin{b}, []string{"plugin a: gone"}},
		"other code":  {[]Plugin{a, b}, []Plugin{a, {Name: "b", Version: "3"}}, []string{"plugin b: other code"}},
		"turned":      {[]Plugin{a, b}, []Plugin{b, a}, []string{"plugins: in another order"}},
	} {
		if diff := cmp.Diff(c.want, MovedPlugins(c.before, c.now)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestDiffers: what a plan keeps silent about and what it makes up are both told.
func TestDiffers(t *testing.T) {
	anew := example()
	anew.Dangers = []Danger{{"public", "the bucket is open"}}
	anew.Losses, anew.Goes = []string{"NotesTable"}, []string{"AccountsTable", "NotesTable", "Queue"}
	want := []string{
		"danger that it does not tell: public: the bucket is open",
		"danger that there is not: data-loss: table <accounts>: its items are deleted",
		"loss of data that there is not: AccountsTable",
		"resource to go that it does not tell: Queue",
	}
	if diff := cmp.Diff(want, example().Differs(anew)); diff != "" {
		t.Error(diff)
	}
	if lines := example().Differs(example()); lines != nil {
		t.Error(lines)
	}
}

// TestApprovals: each reason for which a person has to approve, and none without.
func TestApprovals(t *testing.T) {
	p := example()
	p.Adopt = true
	if diff := cmp.Diff([]string{"it is dangerous", "it gives up the data of NotesTable", "it takes over a stack that arc did not make"}, p.Approvals()); diff != "" {
		t.Error(diff)
	}
	if why := (&Plan{Losses: []string{"A"}}).Approvals(); why != nil {
		t.Error(why)
	}
}

func FuzzOpen(f *testing.F) {
	data, _, _ := example().Seal()
	f.Add(data)
	f.Add([]byte("arcplan 3 x\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, body, _ := bytes.Cut(data, []byte("\n"))
		// Almost nothing has the right digest, so each body is also tried with its own.
		for _, in := range [][]byte{data, append([]byte("arcplan 3 "+digest(body)+"\n"), body...)} {
			p, id, err := Open(in)
			if err != nil {
				continue
			}
			again, againID, err := p.Seal()
			if err != nil || againID != id || !bytes.Equal(again, in) {
				t.Errorf("opened and sealed again, it is another plan: %v", err)
			}
		}
	})
}
