package diff_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"arc/cfn"
	"arc/cfn/diff"
	"arc/cfn/diff/values"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"
)

// TestChosen lets a parameter choose what an edit leaves as it was, by Fn::If within
// Fn::If before, and after by a mapping, by an element of a list or of a text that is
// split, or by conditions that ask the same in other words: the verdict is that of
// Fn::If within Fn::If on both sides, for every case of testdata/templates.
func TestChosen(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	count := 0
	for i, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(3) {
			before, plain, after := parse(t, ar.Files[0].Data), parse(t, ar.Files[1].Data), parse(t, ar.Files[1].Data)
			if after.Transform != nil || before.Transform != nil {
				continue
			}
			w := chooser{rand.New(rand.NewPCG(uint64(i), seed)), &count, map[string]any{}}
			for _, doc := range []*cfn.Document{before, plain, after} {
				askable(doc)
				doc.Parameters["Level"] = cfn.ParameterDef{Type: "String", Default: "dev", AllowedValues: []any{"dev", "test", "prod"}}
				is := func(level string) any {
					return map[string]any{"Fn::Equals": []any{map[string]any{"Ref": "Level"}, level}}
				}
				doc.Conditions["LevelProd"], doc.Conditions["LevelTest"] = is("prod"), is("test")
			}
			after.Conditions["LevelLow"] = map[string]any{"Fn::Or": []any{
				map[string]any{"Fn::Equals": []any{"dev", map[string]any{"Ref": "Level"}}}, map[string]any{"Condition": "LevelTest"}}}
			for _, id := range slices.Sorted(maps.Keys(after.Resources)) {
				r := after.Resources[id]
				old, ok := before.Resources[id]
				if !ok || old.Type != r.Type {
					continue
				}
				was, same, is := w.choose(any(old.Properties), any(r.Properties))
				old.Properties, _ = was.(map[string]any)
				before.Resources[id] = old
				r.Properties, _ = same.(map[string]any)
				plain.Resources[id] = r
				r.Properties, _ = is.(map[string]any)
				after.Resources[id] = r
			}
			if after.Mappings = maps.Clone(after.Mappings); after.Mappings == nil {
				after.Mappings = map[string]any{}
			}
			after.Mappings["Levels"] = w.mapping
			want := verdictOf(diff.Compose(before, plain, diff.Options{}))
			if d := cmp.Diff(want, verdictOf(diff.Compose(before, after, diff.Options{}))); d != "" {
				t.Errorf("%s, seed %d: -want +got\n%s", file, seed, d)
			}
		}
	}
	if count < 200 {
		t.Errorf("%d values were chosen only", count)
	}
}

// chooser lets a parameter choose values.
type chooser struct {
	*rand.Rand
	count   *int
	mapping map[string]any // of the new template
}

// choose gives both sides of a value, and the second one chosen in another way.
func (w chooser) choose(before, after any) (was, same, is any) {
	switch b := before.(type) {
	case map[string]any:
		a, ok := after.(map[string]any)
		if !ok || b == nil || values.IsIntrinsic(b) || values.IsIntrinsic(a) {
			return before, after, after
		}
		outB, outS, outA := maps.Clone(b), maps.Clone(a), maps.Clone(a)
		for _, k := range values.KeysOfBoth(b, a) {
			if _, has := a[k]; has && b[k] != nil {
				outB[k], outS[k], outA[k] = w.choose(b[k], a[k])
			}
		}
		return outB, outS, outA
	case []any:
		a, ok := after.([]any)
		if !ok || len(a) != len(b) {
			return before, after, after
		}
		outB, outS, outA := slices.Clone(b), slices.Clone(a), slices.Clone(a)
		for i := range b {
			outB[i], outS[i], outA[i] = w.choose(b[i], a[i])
		}
		return outB, outS, outA
	case string:
		if before != after || w.IntN(2) > 0 || strings.Contains(b, "|") {
			return before, after, after
		}
		*w.count++
		test, prod := b+"-test", b+"-prod"
		asked := ifs("LevelProd", prod, ifs("LevelTest", test, b))
		return asked, asked, w.otherwise(b, test, prod)
	}
	return before, after, after
}

func ifs(condition string, yes, no any) any {
	return map[string]any{"Fn::If": []any{condition, yes, no}}
}

// otherwise chooses one of three texts as Fn::If within Fn::If does.
func (w chooser) otherwise(dev, test, prod string) any {
	var key string
	level := map[string]any{"Ref": "Level"}
	look := func(of, second any) any { return map[string]any{"Fn::FindInMap": []any{"Levels", of, second}} }
	three := func(texts ...string) {
		key = fmt.Sprintf("k%d", *w.count)
		for i, name := range []string{"dev", "test", "prod"} {
			below, _ := w.mapping[name].(map[string]any)
			if below == nil {
				below = map[string]any{}
				w.mapping[name] = below
			}
			below[key] = texts[i]
		}
	}
	switch w.IntN(5) {
	case 0:
		three(dev, test, prod)
		return look(level, key)
	case 1:
		return ifs("LevelLow", ifs("LevelTest", test, dev), prod)
	case 2:
		three("0", "1", "2")
		return map[string]any{"Fn::Select": []any{look(level, key), []any{dev, test, prod}}}
	case 3:
		return map[string]any{"Fn::Select": []any{ifs("LevelLow", ifs("LevelTest", json.Number("1"), "0"), "2"), map[string]any{"Fn::Split": []any{"|", dev + "|" + test + "|" + prod}}}}
	}
	three("", "-test", "-prod")
	return map[string]any{"Fn::Sub": []any{"${front}${end}", map[string]any{"front": dev, "end": look(level, key)}}}
}

// TestWrittenInYAML writes the new template of every case of testdata/templates in
// another style, at random: quoted or not, in a block or on a line, yes for true, the
// long form of a function for its tag. The verdict is the same.
func TestWrittenInYAML(t *testing.T) {
	files, err := filepath.Glob("testdata/templates/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	count := 0
	for i, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before, want := parse(t, ar.Files[0].Data), strings.TrimSpace(string(ar.Files[2].Data))
		for seed := range uint64(2) {
			var doc yaml.Node
			if err := yaml.Unmarshal(ar.Files[1].Data, &doc); err != nil {
				t.Fatal(err)
			}
			w := styler{rand.New(rand.NewPCG(uint64(i), seed)), &count}
			w.restyle(&doc, false)
			doc.Content[0].Style = 0 // what begins with a brace is JSON to CloudFormation
			text, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			after, err := cfn.Parse(text)
			if err != nil {
				t.Errorf("%s: %v\n%s", file, err, text)
				continue
			}
			if d := cmp.Diff(want, verdictOf(diff.Compose(before, after, diff.Options{}))); d != "" {
				t.Errorf("%s, seed %d: -want +got\n%s\n%s", file, seed, d, text)
			}
		}
	}
	if count < 2000 {
		t.Errorf("%d places were written otherwise only", count)
	}
}

// styler writes YAML in another style.
type styler struct {
	*rand.Rand
	count *int
}

// restyle changes how a node is written, and not what it is. A key stays as it is.
func (w styler) restyle(n *yaml.Node, key bool) {
	short := strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
	for i, child := range n.Content {
		w.restyle(child, n.Kind == yaml.MappingNode && i%2 == 0)
	}
	if key || w.IntN(2) == 0 {
		return
	}
	*w.count++
	switch {
	case short && n.Kind == yaml.ScalarNode && n.Tag != "!Condition":
		w.long(n)
	case n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode:
		n.Style ^= yaml.FlowStyle
	case n.Kind != yaml.ScalarNode || short:
	case n.ShortTag() == "!!str" && n.Style&yaml.LiteralStyle == 0 && !strings.Contains(n.Value, "\n"):
		n.Style = []yaml.Style{yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle}[w.IntN(2)]
	case n.ShortTag() == "!!bool":
		on, off := []string{"true", "yes", "on", "True", "YES", "On"}, []string{"false", "no", "off", "False", "NO", "Off"}
		n.Tag = "" // or else the writer adds it to what YAML 1.2 takes for text
		if at := w.IntN(len(on)); n.Value == "true" {
			n.Value = on[at]
		} else if n.Value == "false" {
			n.Value = off[at]
		}
	}
}

// long writes !Ref x as {Ref: x}, and !GetAtt a.b as {Fn::GetAtt: [a, b]}.
func (w styler) long(n *yaml.Node) {
	function := "Fn::" + strings.TrimPrefix(n.Tag, "!")
	arg := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: n.Value, Style: yaml.DoubleQuotedStyle}
	switch {
	case n.Tag == "!Ref":
		function = "Ref"
	case n.Tag == "!GetAtt":
		id, attribute, _ := strings.Cut(n.Value, ".")
		arg = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, part := range []string{id, attribute} {
			arg.Content = append(arg.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: part, Style: yaml.SingleQuotedStyle})
		}
	}
	*n = yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: function}, arg}}
}
