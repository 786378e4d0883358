package ci

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// Review is what the workflow of a repository depends on whose CloudFormation
// is reviewed and not deployed.
type Review struct {
	Templates []string // paths of templates, or of folders that Synth writes
	Synth     string   // the command that writes them; "" = they are committed
	// Source and Revision are as in Setup.
	Source, Revision string
}

//go:embed review.yml.tmpl
var reviewWorkflow string

// GitHubReview makes the workflow that reviews pull requests, and nothing else.
func GitHubReview(r Review) ([]File, error) {
	if len(r.Templates) == 0 {
		return nil, errors.New("there is no template to review")
	}
	for _, t := range r.Templates {
		if t == "" || strings.ContainsAny(t, "\n\x00") || strings.HasPrefix(t, "/") || strings.HasPrefix(t, "-") || strings.Contains(t, "${{") {
			return nil, fmt.Errorf("%q: not a path in the repository", t)
		}
	}
	if strings.Contains(r.Synth, "${{") {
		return nil, fmt.Errorf("%q: GitHub would put an expression into it: write it into the workflow yourself", r.Synth)
	}
	source := Setup{Source: r.Source, Revision: r.Revision}
	tmpl, err := template.New("arc-diff.yml").Delims("[[", "]]").Option("missingkey=error").Funcs(template.FuncMap{"yaml": inYAML}).Parse(reviewWorkflow)
	if err != nil {
		return nil, fmt.Errorf("template of the workflow: %w", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, map[string]any{
		"Source": source.source(), "Revision": source.revision(), "Synth": r.Synth, "Templates": strings.Join(r.Templates, "\n"),
		"Checkout": checkout, "SetupGo": setupGo, "UploadArtifact": uploadArtifact, "DownloadArtifact": downloadArtifact,
	}); err != nil {
		return nil, fmt.Errorf("template of the workflow: %w", err)
	}
	return []File{{Path: ".github/workflows/arc-diff.yml", Content: b.Bytes()}}, nil
}

// Gaps tells what is still to be filled in, a flag each.
func (r Review) Gaps() []string {
	return Setup{Account: "-", Boundary: "-", Source: r.Source, Revision: r.Revision}.Gaps()
}
