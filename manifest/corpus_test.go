package manifest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"arc/manifest/syntax"
)

// corpusDir holds real manifests of public projects with what Architect 11.3
// makes of each. It is not part of the repository.
const corpusDir = "../../shared/corpus"

// corpusCase is one line of the corpus' facts.
type corpusCase struct {
	File string
	Kind string
	Bare *struct {
		OK    bool
		Facts corpusFacts
		Error struct{ Errors []string }
	}
	Parse struct{ OK bool }
}

type corpusFacts struct {
	App, Region string
	AWS         struct{ Profile, Bucket, APIGateway *string }
	HTTP, WS    []corpusFunction
	Events      []corpusFunction
	Queues      []corpusFunction
	Scheduled   []corpusFunction
	Streams     []corpusFunction `json:"tables-streams"`
	Tables      []struct {
		Name, PartitionKey, PartitionKeyType string
		SortKey, SortKeyType, TTL            *string
		Stream, Encrypt, PITR                any
		PointInTimeRecovery                  any
	}
	Indexes []struct {
		Name, IndexName, PartitionKey, PartitionKeyType string
		SortKey, SortKeyType                            *string
		ProjectionType                                  string
		ProjectionAttributes                            any
	} `json:"tables-indexes"`
	Static *struct {
		Folder              string
		Fingerprint         any
		Prefix              *string
		Prune, SPA          any
		Ignore              []string
		Compression         any
		Staging, Production *string
	}
	CDN         any
	Proxy       map[string]string
	RootHandler *string
	Plugins     []string
}

type corpusFunction struct {
	Name, Method, Path, Src, Table              string
	Runtime, RuntimeAlias, HandlerFile          string
	HandlerMethod                               string
	Memory, Timeout, Storage                    int
	Architecture                                string
	Concurrency                                 any
	Fifo, Shared, Views, Env                    *bool
	ASAP                                        bool
	Layers, Policies                            []string
	Rate, Cron                                  *struct{ Expression string }
	Timezone                                    string
	BatchSize, BatchWindow                      int
	Config                                      any
	HandlerModuleSystem, RuntimeConfig, Pragmas any
}

// TestCorpus compares: what Architect accepts, arc accepts with the same facts;
// what it refuses, arc refuses. corpusDifferences lists the exceptions, each
// with its reason.
func TestCorpus(t *testing.T) {
	f, err := os.Open(filepath.Join(corpusDir, "facts.jsonl"))
	if os.IsNotExist(err) {
		t.Skipf("no corpus at %s", corpusDir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tally := map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var c corpusCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", c.File, err)
		}
		src, err := os.ReadFile(filepath.Join(corpusDir, c.File))
		if err != nil {
			t.Fatal(err)
		}
		if c.Bare == nil {
			loadNeighbour(t, c, src, tally)
			continue
		}
		compareManifest(t, c, src, tally)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	for _, k := range slices.Sorted(mapKeys(tally)) {
		fmt.Fprintf(&report, "\n%5d  %s", tally[k], k)
	}
	t.Logf("the corpus:%s", report.String())
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// corpusName is the name that a corpus file has in its project.
func corpusName(c corpusCase) string {
	_, name, _ := strings.Cut(path.Base(c.File), "__")
	if strings.HasPrefix(c.Kind, "manifest") && !slices.Contains(append(ManifestFiles, "package.json"), name) {
		return "app.arc" // named in the project's own way, by a script
	}
	return name
}

// loadNeighbour reads a config or preferences file beside a small app. The
// original has no facts about those but that they parse.
func loadNeighbour(t *testing.T, c corpusCase, src []byte, tally map[string]int) {
	files := fstest.MapFS{"app.arc": {Data: []byte("@app\nmy-app\n@http\nget /\n")}}
	name := corpusName(c)
	switch c.Kind {
	case "config":
		files["src/http/get-index/"+name] = &fstest.MapFile{Data: src}
	case "prefs":
		files[name] = &fstest.MapFile{Data: src}
	default:
		tally[c.Kind+": not read"]++
		return
	}
	r := Load(files, Options{})
	codes := errorCodes(r.Diagnostics)
	switch {
	case !c.Parse.OK && len(codes) > 0:
		tally[c.Kind+": refused by both"]++
	case len(codes) == 0:
		tally[c.Kind+": accepted"]++
	default:
		for _, code := range codes {
			if corpusRefusals[code] == "" && configRefusals[code] == "" {
				t.Errorf("%s: refused\n%s", c.File, rendered(r))
			}
		}
		tally[c.Kind+": refused for "+strings.Join(codes, ", ")]++
	}
}

// corpusRefusals are the codes of errors that arc gives where the original is
// silent, each with the reason.
var corpusRefusals = map[string]string{
	"runtime":      "runtimes that Architect 11 knew and 12 does not, because AWS has retired them",
	"path-outside": "folders outside the project cannot be in a git tree's or a zip's project",
}

// configRefusals are errors in a function's own config file, of which the
// facts only tell that it parses; Architect refuses these as well.
var configRefusals = map[string]string{
	"layer-arn":     "the layer is no ARN",
	"layer-region":  "the layer's region is not the small app's",
	"setting-range": "out of Lambda's range",
}

func compareManifest(t *testing.T, c corpusCase, src []byte, tally map[string]int) {
	files := fstest.MapFS{corpusName(c): {Data: src}}
	if c.Bare.OK {
		addHandlers(files, c.Bare.Facts)
	}
	r := Load(files, Options{})
	if r.Tree != nil && (r.Tree.Pragma("plugins") != nil || r.Tree.Pragma("macros") != nil) {
		what := "accepted"
		if codes := errorCodes(r.Diagnostics); len(codes) > 0 {
			what = "refused for " + strings.Join(codes, ", ")
		}
		tally["with plugins or macros: "+what]++
	}
	codes := errorCodes(r.Diagnostics)
	if !c.Bare.OK {
		if len(codes) > 0 {
			tally["manifest: refused by both"]++
			return
		}
		why := corpusLeniency(c.Bare.Error.Errors)
		if why == "" {
			t.Errorf("%s: accepted, but Architect says %q", c.File, c.Bare.Error.Errors)
		}
		tally["manifest: refused by Architect alone: "+why]++
		return
	}
	if r.App == nil {
		t.Errorf("%s: no App\n%s", c.File, rendered(r))
		return
	}
	for _, code := range codes {
		if corpusRefusals[code] == "" {
			t.Errorf("%s: refused: %s\n%s", c.File, code, rendered(r))
		}
	}
	want, got := corpusText(c.Bare.Facts), appText(r.App)
	if slices.Contains(codes, "runtime") {
		// The retired runtime was refused, so the default stands in its place.
		want, got = withoutRuntimes(want), withoutRuntimes(got)
	}
	var odd []string
	for _, l := range diffLines(want, got) {
		if why := explained(l, codes); why != "" {
			tally["  line explained: "+why]++
			continue
		}
		odd = append(odd, l)
	}
	if len(odd) > 0 {
		t.Errorf("%s: facts differ (-Architect +arc):\n%s\n%s", c.File, strings.Join(odd, "\n"), rendered(r))
		return
	}
	if len(codes) > 0 {
		tally["manifest: same facts, refused for "+strings.Join(codes, ", ")]++
		return
	}
	tally["manifest: accepted with the same facts"]++
}

// corpusLeniency explains why arc takes what the original refuses.
func corpusLeniency(errs []string) string {
	all := strings.Join(errs, " ")
	switch {
	case strings.Contains(all, "nodejs24.x"):
		return "nodejs24.x came with Architect 12"
	case strings.HasSuffix(all, "runtime: typescript"), strings.HasSuffix(all, "runtime: rust"):
		return "the runtime comes with a plugin, whose work arc does itself"
	}
	if _, retired := retirements[all[strings.LastIndex(all, " ")+1:]]; retired {
		return "a retired runtime is a warning: AWS still updates functions with most of them"
	}
	return ""
}

// explained gives the reason for one line that differs; "" when there is none.
func explained(line string, codes []string) string {
	if strings.HasPrefix(line[1:], "static ") && slices.Contains(codes, "path-outside") {
		return "the folder outside the project was refused"
	}
	return ""
}

var runtimeWord = regexp.MustCompile(`runtime=\S+`)

func withoutRuntimes(lines []string) []string {
	for i := range lines {
		lines[i] = runtimeWord.ReplaceAllString(lines[i], "")
	}
	return lines
}

func errorCodes(ds syntax.Diagnostics) []string {
	var codes []string
	for _, d := range ds {
		if d.Severity == syntax.Error && !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

func rendered(r Result) string {
	var b bytes.Buffer
	r.Diagnostics.Render(&b, r.Sources)
	return b.String()
}

// addHandlers makes the folders that the original was run with: each holds an
// empty handler.
func addHandlers(files fstest.MapFS, facts corpusFacts) {
	for _, fns := range [][]corpusFunction{facts.HTTP, facts.WS, facts.Events, facts.Queues, facts.Scheduled, facts.Streams} {
		for _, fn := range fns {
			if name, ok := strings.CutPrefix(fn.HandlerFile, "<CWD>/"); ok && fs.ValidPath(name) {
				files[name] = &fstest.MapFile{}
			}
		}
	}
}
