// Package ci writes what GitHub needs to review and deploy an app: a workflow,
// and for each of the roles that it takes in AWS who may take it and what it
// may do. They are four, because each step of the way to production is trusted
// with less than the next: a pull request's preview, staging, the plan of what
// would happen to production, and production itself.
package ci

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

// Setup is what the files depend on.
type Setup struct {
	App        string // as @app has it
	Region     string
	Repository Repository
	Branch     string // is deployed when it is pushed to
	// Account is the number of the AWS account, "" when it is not known yet;
	// Production that of production's, which may be another.
	Account, Production string
	Role                string // begins the roles' names
	Boundary            string // @aws boundary, or ""
	// Source is the git repository that arc is built from, "" when it is not
	// known; Revision a commit of it, "" likewise.
	Source, Revision string

	ArtifactBucket  string   // @aws bucket, or ""
	StagingFiles    string   // the user's own buckets of static files, or ""
	ProductionFiles string   // likewise
	Keys            []string // ARNs of the keys that tables are encrypted with
}

// File is one file to write.
type File struct {
	Path    string // in the project folder, with slashes
	Content []byte
}

// The marks of what is not known yet. AWS and git refuse them, so that nobody
// takes them for the real thing.
const (
	noAccount = "ACCOUNT_ID"
	noSource  = "https://github.com/OWNER/arc"
	noCommit  = "COMMIT"
)

// The actions that the workflow uses, pinned to commits: a tag can be moved.
const (
	checkout         = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	setupGo          = "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0"
	uploadArtifact   = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0"
	downloadArtifact = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1"
	credentials      = "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c # v6.2.3"
)

// workflow has the delimiters [[ ]], since GitHub's own are {{ }}.
//
//go:embed workflow.yml.tmpl
var workflow string

// GitHub makes the files: the workflow first, then the policies of each role:
// who may take it, what it may do and, when it deploys, what the roles that it
// makes may do at most.
func GitHub(s Setup) ([]File, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	text, err := s.workflow()
	if err != nil {
		return nil, err
	}
	files := []File{{Path: ".github/workflows/arc.yml", Content: text}}
	for _, r := range s.roles() {
		docs := []policyFile{{"trust", s.trust(r)}, {"permissions", s.permissions(r)}}
		if !r.reads && !s.ownBoundary() {
			docs = append(docs, policyFile{"boundary", s.bounds(r)})
		}
		for _, doc := range docs {
			content, err := doc.document.json()
			if err != nil {
				return nil, fmt.Errorf("policy of role %s: %w", r.name, err)
			}
			files = append(files, File{Path: ".github/arc/" + r.name + "-" + doc.name + ".json", Content: content})
		}
	}
	return files, nil
}

type policyFile struct {
	name string
	document
}

// workflow fills in the template.
func (s Setup) workflow() ([]byte, error) {
	data := map[string]any{
		"App": s.App, "Region": s.Region, "Branch": s.Branch, "Ref": "refs/heads/" + s.Branch,
		"Source": s.source(), "Revision": s.revision(),
		"Checkout": checkout, "SetupGo": setupGo, "UploadArtifact": uploadArtifact, "DownloadArtifact": downloadArtifact,
	}
	arns := map[string]string{}
	for _, r := range s.roles() {
		arns[r.name] = s.roleARN(r)
	}
	tmpl, err := template.New("arc.yml").Delims("[[", "]]").Option("missingkey=error").Funcs(template.FuncMap{
		"yaml":   inYAML,
		"list":   func(items ...string) []string { return items },
		"quoted": func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" },
		"role": func(name string) map[string]string {
			return map[string]string{"Name": name, "ARN": arns[name], "Credentials": credentials}
		},
	}).Parse(workflow)
	if err != nil {
		return nil, fmt.Errorf("template of the workflow: %w", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("template of the workflow: %w", err)
	}
	return b.Bytes(), nil
}

// inYAML spells a value so that it means nothing but itself: JSON is YAML.
func inYAML(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSpace(b.String()), err
}

func (s Setup) source() string {
	if s.Source == "" {
		return noSource
	}
	return s.Source
}

func (s Setup) revision() string {
	if s.Revision == "" {
		return noCommit
	}
	return s.Revision
}

// Gaps tells what is still to be filled in, a flag each.
func (s Setup) Gaps() []string {
	var gaps []string
	if s.Account == "" {
		gaps = append(gaps, noAccount+", the AWS account: --account 123456789012")
	}
	if s.Boundary == "" {
		gaps = append(gaps, "@aws in the manifest, without which the roles deploy nothing: boundary "+s.boundaryName())
	}
	if s.Source == "" {
		gaps = append(gaps, noSource+", where arc is built from: --source URL")
	}
	if s.Revision == "" {
		gaps = append(gaps, noCommit+", the commit that arc is built from: --source URL#COMMIT")
	}
	return gaps
}
