package syntax

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// corpusDir holds real manifests with what Architect's parser makes of them. It
// is not part of the repository.
const corpusDir = "../../../shared/corpus"

// parsed is what Architect's parser made of a text.
type parsed struct {
	OK   bool
	JSON map[string]any
}

// trapsInFiles are the files that Architect reads otherwise, with the reason.
// It loses data in each.
var trapsInFiles = map[string]string{
	"files/0e8b59a301037398__app.arc": "keys four blanks deep: their map was empty",
	"files/89298590d5c8514e__app.arc": "a comment in column 1 ended the map",
	"files/ad482ceaef2d4d1f__app.arc": "keys one blank deep: their map was a lone name",
	"files/0b07c5a8d4bc8caa__app.arc": "a key's first deeper line has several words: the map was a list",
	"files/1323b63ab62732d5__app.arc": "refused: settings below get /path, which became routes",
	"files/d4d6fed0b8633b57__app.arc": "refused: settings below get /path, which became routes",
	"files/6c466b4ec63e5671__app.arc": "refused: settings below get /path, which became routes",
}

// trapsInMutations are the changes of white space after which Architect reads
// something else and ours reads on as before; with the reason.
var trapsInMutations = map[string]string{
	"blank":           "a blank line ended the block",
	"blankWs":         "a line of blanks was an error",
	"bom":             "a byte-order mark was an error",
	"commentCol0":     "a comment line ended the map",
	"commentIndented": "a comment line ended the map",
	"commentGlued":    "a number or boolean with # behind it was a string",
	"four":            "keys four blanks deep: their map was empty",
	"three":           "keys three blanks deep: their map was empty",
	"one":             "keys one blank deep: their map was a lone name",
}

// parseAs reads a file in the spelling of its name.
func parseAs(name string, src []byte) (*File, Diagnostics) {
	switch {
	case path.Base(name) == "package.json" || strings.HasSuffix(name, "__package.json"):
		return ParsePackageJSON(name, src)
	case path.Ext(name) == ".json":
		return ParseJSON(name, src)
	case path.Ext(name) == ".yaml" || path.Ext(name) == ".yml":
		return ParseYAML(name, src)
	}
	return Parse(name, src)
}

// readLines decodes each line of a file of the corpus, and skips the test
// without one.
func readLines[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(filepath.Join(corpusDir, name))
	if err != nil {
		t.Skipf("the corpus of real manifests is not here: %v", err)
	}
	defer f.Close()
	var all []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

type tally map[string]int

func (n tally) log(t *testing.T) {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(&b, "\n%5d %s", n[k], k)
	}
	t.Log(b.String())
}

func told(ds Diagnostics, src []byte) string {
	var b strings.Builder
	if len(ds) > 0 {
		_ = ds.Render(&b, map[string][]byte{ds[0].Pos.File: src})
	}
	return b.String()
}

// TestCorpus holds that what Architect's parser accepts means the same to ours.
func TestCorpus(t *testing.T) {
	n := tally{}
	for _, c := range readLines[struct {
		File, Kind string
		Parse      parsed
	}](t, "facts.jsonl") {
		src, err := os.ReadFile(filepath.Join(corpusDir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		file, ds := parseAs(c.File, src)
		refused := ds.HasErrors()
		diff := ""
		if !refused && c.Parse.OK {
			diff = cmp.Diff(c.Parse.JSON, model(file))
			checkFormat(t, src, func(_ string, src []byte) (*File, Diagnostics) { return parseAs(c.File, src) })
		}
		reason, trap := trapsInFiles[c.File]
		switch {
		case trap && (diff != "" || refused):
			n["a trap: "+reason]++
		case trap:
			t.Errorf("%s: no longer a trap", c.File)
		case refused && c.Parse.OK:
			t.Errorf("refused alone:\n%s", told(ds, src))
		case refused:
			n["refused by both"]++
		case !c.Parse.OK:
			t.Errorf("%s: accepted alone", c.File)
		case diff != "":
			t.Errorf("%s (-Architect +ours):\n%s", c.File, diff)
		default:
			n["the same"]++
		}
	}
	n.log(t)
}

// TestMutations holds that a change of white space, comments or quotes means
// to ours what it means to Architect's parser, and never loses data.
func TestMutations(t *testing.T) {
	type mutation struct {
		Base, Mutation, Input string
		Result                parsed
		SameAsBase            bool
	}
	cases := readLines[mutation](t, "mutations.jsonl")
	base := map[string]map[string]any{}
	for _, c := range cases {
		if c.SameAsBase {
			base[c.Base] = c.Result.JSON
		}
	}
	n := tally{}
	for _, c := range cases {
		file, ds := Parse("app.arc", []byte(c.Input))
		name, reason := c.Base+" "+c.Mutation, trapsInMutations[c.Mutation]
		got := model(file)
		switch {
		case ds.HasErrors() && !c.Result.OK:
			n["refused by both: "+c.Mutation]++
		case ds.HasErrors() && c.Mutation == "one" && ds[0].Code == "indentation":
			n["a trap: refused: a list one blank deep, which was a lone name and more of them"]++
		case ds.HasErrors():
			t.Errorf("%s: refused alone:\n%s", name, told(ds, []byte(c.Input)))
		case c.Result.OK && cmp.Equal(c.Result.JSON, got):
			n["the same: "+c.Mutation]++
		case reason != "" && cmp.Equal(base[c.Base], got):
			n["a trap: "+reason]++
		case c.Mutation == "indentAll":
			// Names are as deep as the lines of their blocks: ours sees no blocks.
			n["a trap: lines no deeper than their name were its block"]++
		default:
			t.Errorf("%s (-as before +ours):\n%s", name, cmp.Diff(base[c.Base], got))
		}
	}
	n.log(t)
}
