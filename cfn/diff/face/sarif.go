package face

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"arc/cfn/diff"
)

// The part of SARIF 2.1.0 that a review needs.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool      `json:"tool"`
		Results    []sarifResult  `json:"results"`
		ColumnKind string         `json:"columnKind"`
		Properties map[string]any `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
		FullDescription  sarifMessage `json:"fullDescription"`
		Help             sarifMessage `json:"help"`
		HelpURI          string       `json:"helpUri"`
		Default          sarifDefault `json:"defaultConfiguration"`
		Properties       sarifTags    `json:"properties"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifTags struct {
		Tags []string `json:"tags"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// SARIF prints the risks of a review as annotations at manifest lines. manifest
// is the file that a risk without a line of its own is put at. It holds what
// GitHub's code scanning asks for beyond the schema.
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
func SARIF(w io.Writer, r *diff.Review, manifest string) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "arc"}}, Results: []sarifResult{}, ColumnKind: "utf16CodeUnits",
		Properties: map[string]any{"stack": visible(r.Stack), "verdict": r.Verdict},
	}
	if r.Cost != nil {
		run.Properties["cost"] = costSummary(r.Cost)
	}
	index, err := sarifRules(&run, r)
	if err != nil {
		return err
	}
	same := map[string]int{} // results of one fingerprint so far
	tell := func(result sarifResult, rule diff.Rule) {
		result.RuleIndex = index[rule]
		hash := result.Fingerprints[lineHash]
		same[hash]++
		result.Fingerprints[lineHash] = fmt.Sprintf("%s:%d", hash, same[hash])
		run.Results = append(run.Results, result)
	}
	for _, g := range r.Groups {
		for _, it := range g.Items {
			for _, risk := range it.Risks {
				tell(sarifRisk(r.Stack, risk, it.Position, manifest), risk.Rule)
			}
			for _, risk := range it.Accepted {
				result := sarifRisk(r.Stack, risk.Risk, it.Position, manifest)
				result.Suppressions = []sarifSuppression{{"external", visible("until " + risk.Until + ": " + risk.Because)}}
				tell(result, risk.Rule)
			}
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarifRules puts the explanations of the rules that a review needs into the run,
// and says where each stands.
func sarifRules(run *sarifRun, r *diff.Review) (map[diff.Rule]int, error) {
	needed := map[diff.Rule]bool{}
	for _, g := range r.Groups {
		for _, it := range g.Items {
			for _, risk := range it.Risks {
				needed[risk.Rule] = true
			}
			for _, risk := range it.Accepted {
				needed[risk.Rule] = true
			}
		}
	}
	all, err := diff.Explanations()
	if err != nil {
		return nil, err
	}
	run.Tool.Driver.Rules = []sarifRule{}
	index := map[diff.Rule]int{}
	for _, e := range all {
		if !needed[e.Rule] {
			continue
		}
		index[e.Rule] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: string(e.Rule), ShortDescription: sarifMessage{e.Title},
			FullDescription: sarifMessage{e.Title + " Brought about by: " + e.Property + "."},
			Help:            sarifMessage{strings.Join(slices.Concat(e.Order, []string{""}, e.Instead), "\n")},
			HelpURI:         e.Page, Default: sarifDefault{levelOf(e.Class)}, Properties: sarifTags{[]string{string(e.Class)}},
		})
	}
	return index, nil
}

// lineHash is the one fingerprint that GitHub reads. Ours is of what is said,
// so that it stays when lines move.
const lineHash = "primaryLocationLineHash"

func sarifRisk(stack string, risk diff.Risk, at *diff.Position, manifest string) sarifResult {
	if at == nil {
		at = &diff.Position{File: manifest}
	}
	sum := sha256.Sum256([]byte(stack + "\x00" + string(risk.Class) + "\x00" + risk.Text))
	result := sarifResult{
		RuleID: string(risk.Rule), Level: levelOf(risk.Class),
		Message:      sarifMessage{visible(risk.Text)},
		Locations:    []sarifLocation{},
		Fingerprints: map[string]string{lineHash: hex.EncodeToString(sum[:8])},
	}
	if at.Plugin != "" {
		result.Message.Text += " (" + visible(at.Plugin) + ")"
	}
	if at.File != "" {
		line, column := max(at.Line, 1), max(at.Column, 1)
		result.Locations = append(result.Locations, sarifLocation{sarifPhysical{
			sarifArtifact{uriPath(at.File)}, sarifRegion{line, column, line, column + 1},
		}})
	}
	return result
}

func levelOf(c diff.Class) string {
	switch {
	case c.Dangerous():
		return "error"
	case c == diff.Public:
		return "note"
	}
	return "warning"
}

// uriPath writes a relative path as a URI.
func uriPath(path string) string { return (&url.URL{Path: path}).EscapedPath() }
