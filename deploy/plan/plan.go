// Package plan keeps a reviewed change in a file, so that exactly this change
// is deployed later, or nothing. A plan holds the template, the hashes of all
// code and files, the state of the stack, and what was approved. It holds no
// secret: of environment variables it has the names, and the versions that SSM
// counts.
package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"arc/deploy"
)

// Plan is a change that was reviewed. Lists are sorted.
type Plan struct {
	Arc       string            `json:"arc"` // version of the program that made it
	App       string            `json:"app"`
	Stage     string            `json:"stage"` // "preview", "staging" or "production"
	Name      string            `json:"name"`  // of a further stack of the stage; ""
	Stack     string            `json:"stack"`
	Account   string            `json:"account"`
	Region    string            `json:"region"`
	Local     bool              `json:"local"` // the stack is one of the project's local cloud
	State     deploy.State      `json:"state"`
	Dangers   []Danger          `json:"dangers"`
	Losses    []string          `json:"losses"`    // logical IDs of what holds data and would be deleted or replaced
	AllowLoss []string          `json:"allowLoss"` // those that were given up by name
	Adopt     bool              `json:"adopt"`     // the stack bears no mark, and becomes the app's
	Goes      []string          `json:"goes"`      // logical IDs that are removed or may be replaced
	Bucket    string            `json:"bucket"`    // artifact bucket that the manifest names; ""
	Tags      map[string]string `json:"tags"`
	Variables map[string]string `json:"variables"` // name of each environment variable → its version in SSM
	Plugins   []Plugin          `json:"plugins"`   // that ran, in the order of the manifest
	Artifacts []Artifact        `json:"artifacts"`
	Static    *Static           `json:"static"` // nil: nothing is published
	Template  string            `json:"template"`
}

// Danger is a reason for which the review is dangerous.
type Danger struct {
	Class string `json:"class"`
	Text  string `json:"text"`
}

// Plugin is a plugin that had its say in the change, and the state of its code.
type Plugin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Artifact is a zip or a nested template, named by the hash of its content.
type Artifact struct {
	Key   string `json:"key"`
	Label string `json:"label"` // the folder it comes from
}

// Static is what is published, and how.
type Static struct {
	Bucket string   `json:"bucket"` // "" = the stack's own
	Prefix string   `json:"prefix"`
	Prune  bool     `json:"prune"`
	Ignore []string `json:"ignore"`
	Files  []File   `json:"files"`
}

// File is one published file.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// format is the first word of a plan; version what follows it. A program
// refuses the plans of another version: it cannot know what they bind it to.
const (
	format  = "arcplan"
	version = 3
)

// maxPlan bounds what is read, in bytes: a template has at most 1 MB, and a
// line for each of 10,000 files takes about as much.
const maxPlan = 64 << 20

// ErrNoPlan tells that a file is something else than a plan.
var ErrNoPlan = errors.New("not a plan that arc diff -o wrote")

// Seal writes a plan: a line with the SHA-256 digest of all the rest, then
// JSON. The plan's ID is the digest's beginning.
func (p *Plan) Seal() (data []byte, id string, err error) {
	body, err := p.body()
	if err != nil {
		return nil, "", err
	}
	sum := digest(body)
	head := fmt.Sprintf("%s %d %s\n", format, version, sum)
	return append([]byte(head), body...), sum[:idLength], nil
}

// idLength is that of a plan's ID, in hexadecimal digits: 64 bits, more than
// anybody can try to make a second plan for.
const idLength = 16

func (p *Plan) body() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return b.Bytes(), nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Open reads a plan and checks its seal. It fails with ErrNoPlan for other
// files, and with errors of their own for a plan of another version and for one
// that is not as it was written.
func Open(data []byte) (p *Plan, id string, err error) {
	head, body, ok := bytes.Cut(data, []byte("\n"))
	words := strings.Split(string(head[:min(len(head), 200)]), " ")
	if !ok || len(words) != 3 || words[0] != format || len(data) > maxPlan {
		return nil, "", ErrNoPlan
	}
	if n, err := strconv.Atoi(words[1]); err != nil || n != version {
		return nil, "", fmt.Errorf("it is a plan of format %q, and this arc reads format %d: make and deploy a plan with the same arc", words[1], version)
	}
	changed := errors.New("it is not as arc diff -o wrote it: cut short, or changed since; make a new plan")
	if words[2] != digest(body) {
		return nil, "", changed
	}
	p = &Plan{}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return nil, "", changed
	}
	// Whatever JSON lets one say in two ways, a plan says in one.
	if again, err := p.body(); err != nil || !bytes.Equal(again, body) {
		return nil, "", changed
	}
	if p.Stack == "" || p.Template == "" || p.Stage == "" || p.App == "" {
		return nil, "", changed
	}
	return p, words[2][:idLength], nil
}

// Unallowed lists the losses that nobody has given up.
func (p *Plan) Unallowed() []string {
	allowed := map[string]bool{}
	for _, id := range p.AllowLoss {
		allowed[id] = true
	}
	var rest []string
	for _, id := range p.Losses {
		if !allowed[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// Approvals tells for what a person has to approve the plan by its ID, in words;
// none = it may be deployed without. What the file says to be given up counts
// for nothing by itself: who can write the file can write that.
func (p *Plan) Approvals() []string {
	var why []string
	if len(p.Dangers) > 0 {
		why = append(why, "it is dangerous")
	}
	if len(p.AllowLoss) > 0 {
		why = append(why, "it gives up the data of "+strings.Join(p.AllowLoss, ", "))
	}
	if p.Adopt {
		why = append(why, "it takes over a stack that arc did not make")
	}
	return why
}

// Differs tells how a plan differs from what was worked out anew of the same
// templates, in the parts that say how dangerous it is: a line each.
func (p *Plan) Differs(anew *Plan) []string {
	var lines []string
	compare := func(what string, said, found []string) {
		for _, item := range found {
			if !slices.Contains(said, item) {
				lines = append(lines, what+" that it does not tell: "+item)
			}
		}
		for _, item := range said {
			if !slices.Contains(found, item) {
				lines = append(lines, what+" that there is not: "+item)
			}
		}
	}
	compare("danger", dangerLines(p.Dangers), dangerLines(anew.Dangers))
	compare("loss of data", p.Losses, anew.Losses)
	compare("resource to go", p.Goes, anew.Goes)
	return lines
}

func dangerLines(list []Danger) []string {
	var lines []string
	for _, d := range list {
		lines = append(lines, d.Class+": "+d.Text)
	}
	return lines
}

// Moved tells how the working tree, from which now was made, differs from what
// the plan was made of: a line each, in the user's words; none = it does not.
func (p *Plan) Moved(now *Plan) []string {
	moved := append(MovedPlugins(p.Plugins, now.Plugins), movedArtifacts(p.Artifacts, now.Artifacts)...)
	if p.Bucket != now.Bucket || p.Template != now.Template && len(moved) == 0 {
		moved = append(moved, "the manifest or its settings make another template")
	}
	return append(moved, movedStatic(p.Static, now.Static)...)
}

// movedArtifacts compares by folder: functions that share one share the zip.
func movedArtifacts(before, after []Artifact) []string {
	had, has := map[Artifact]bool{}, map[Artifact]bool{}
	for _, a := range before {
		had[a] = true
	}
	labels := map[string]bool{}
	var moved []string
	for _, a := range after {
		has[a] = true
		if !had[a] && !labels[a.Label] {
			labels[a.Label] = true
			moved = append(moved, a.Label+": other code")
		}
	}
	for _, a := range before {
		if !has[a] && !labels[a.Label] {
			labels[a.Label] = true
			moved = append(moved, a.Label+": other code, or gone")
		}
	}
	return moved
}

// MovedPlugins tells how the plugins differ that are there now: a line each.
func MovedPlugins(before, now []Plugin) []string {
	had := map[string]string{}
	for _, p := range before {
		had[p.Name] = p.Version
	}
	var moved []string
	for _, p := range now {
		switch was, ok := had[p.Name]; {
		case !ok:
			moved = append(moved, "plugin "+p.Name+": new")
		case was != p.Version:
			moved = append(moved, "plugin "+p.Name+": other code")
		}
		delete(had, p.Name)
	}
	for _, p := range before {
		if _, left := had[p.Name]; left {
			moved = append(moved, "plugin "+p.Name+": gone")
		}
	}
	if len(moved) == 0 && !slices.Equal(before, now) {
		moved = append(moved, "plugins: in another order")
	}
	return moved
}

func movedStatic(before, after *Static) []string {
	if before == nil && after == nil {
		return nil
	}
	var none Static
	if before == nil {
		before = &none
	}
	if after == nil {
		after = &none
	}
	var moved []string
	if before.Bucket != after.Bucket || before.Prefix != after.Prefix || before.Prune != after.Prune || strings.Join(before.Ignore, "\n") != strings.Join(after.Ignore, "\n") {
		moved = append(moved, "@static: other settings")
	}
	sums := map[string]string{}
	for _, f := range before.Files {
		sums[f.Path] = f.SHA256
	}
	for _, f := range after.Files {
		switch sum, ok := sums[f.Path]; {
		case !ok:
			moved = append(moved, "static file "+f.Path+": new")
		case sum != f.SHA256:
			moved = append(moved, "static file "+f.Path+": changed")
		}
		delete(sums, f.Path)
	}
	for _, f := range before.Files {
		if _, left := sums[f.Path]; left {
			moved = append(moved, "static file "+f.Path+": gone")
		}
	}
	return moved
}
