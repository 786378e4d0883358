package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
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
		Default          sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
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
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// meanings are the classes in a sentence.
var meanings = map[Class]string{
	DataLoss:     "data is deleted",
	Replaced:     "what holds data, or has an address, becomes another one",
	Rights:       "something may do more than before",
	Exposure:     "something is newly open to the public",
	Refused:      "the deploy would fail",
	Protection:   "a safeguard goes",
	Interruption: "something does not answer for a while",
	Removal:      "something that others may use is gone",
	Public:       "one public route more",
}

// SARIF prints the risks of a review as annotations at manifest lines. manifest
// is the file that a risk without a line of its own is put at.
func SARIF(w io.Writer, r *Review, manifest string) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "arc"}}, Results: []sarifResult{}, ColumnKind: "utf16CodeUnits",
		Properties: map[string]any{"stack": visible(r.Stack), "verdict": r.Verdict},
	}
	if r.Cost != nil {
		run.Properties["cost"] = costSummary(r.Cost)
	}
	index := map[Class]int{}
	for i, c := range classes {
		index[c] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(c), sarifMessage{meanings[c]}, sarifDefault{levelOf(c)}})
	}
	for _, g := range r.Groups {
		for _, it := range g.Items {
			for _, risk := range it.Risks {
				at := it.Position
				if at == nil {
					at = &Position{File: manifest, Line: 1}
				}
				sum := sha256.Sum256([]byte(r.Stack + "\x00" + string(risk.Class) + "\x00" + risk.Text))
				result := sarifResult{
					RuleID: string(risk.Class), RuleIndex: index[risk.Class], Level: levelOf(risk.Class),
					Message:      sarifMessage{visible(risk.Text)},
					Locations:    []sarifLocation{},
					Fingerprints: map[string]string{"arcDiff/v1": hex.EncodeToString(sum[:16])},
				}
				if at.File != "" {
					result.Locations = append(result.Locations, sarifLocation{sarifPhysical{
						sarifArtifact{uriPath(at.File)}, sarifRegion{max(at.Line, 1), at.Column},
					}})
				}
				run.Results = append(run.Results, result)
			}
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func levelOf(c Class) string {
	switch {
	case isDangerous(c):
		return "error"
	case c == Public:
		return "note"
	}
	return "warning"
}

// uriPath writes a relative path as a URI.
func uriPath(path string) string { return (&url.URL{Path: path}).EscapedPath() }
