package cfn

import (
	"encoding/json"
	"fmt"
	"strings"

	"arc/cfn/registry"
)

// Mark tells which stack of which app a template makes. It stands in the
// template's Metadata, which CloudFormation keeps and GetTemplateSummary gives
// back; a tag of the stack would be a change of every resource in it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html
type Mark struct {
	App   string `json:"app"`
	Stage string `json:"stage"`
	Name  string `json:"name,omitempty"` // of a further stack of the stage
}

// Mark is that of the options' stack of an app.
func (o Options) Mark(app string) Mark { return Mark{App: app, Stage: o.Stage, Name: o.Name} }

// markKey is the key of the mark in Metadata.
const markKey = "arc"

// Metadata is what a template says of itself.
type Metadata struct {
	Mark *Mark `json:"arc,omitempty"`
}

// String says in words whose stack it is: "shop, production (blue)".
func (m Mark) String() string {
	text := m.App + ", " + m.Stage
	if m.Name != "" {
		text += " (" + m.Name + ")"
	}
	return text
}

// ReadMark finds the mark in the Metadata of a template, as JSON; nil when
// there is none. A mark that cannot be read is an error: something else than
// arc has written it.
func ReadMark(metadata string) (*Mark, error) {
	if metadata == "" {
		return nil, nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(metadata), &all); err != nil {
		return nil, fmt.Errorf("metadata of the template: %w", err)
	}
	raw := all[markKey]
	if raw == nil {
		return nil, nil
	}
	var m Mark
	if err := json.Unmarshal(raw, &m); err != nil || m.App == "" || m.Stage == "" {
		return nil, fmt.Errorf("metadata of the template: %s is not a mark of arc's: %s", markKey, raw)
	}
	return &m, nil
}

// Mark is ReadMark of the document.
func (d *Document) Mark() (*Mark, error) {
	text, err := json.Marshal(d.Metadata)
	if err != nil {
		return nil, fmt.Errorf("metadata of the template: %w", err)
	}
	return ReadMark(string(text))
}

// MadeBefore recognises a stack that was made for m before there were marks: by
// arc, whose templates have always said so in their description, or by
// Architect, which gives the app's name and the stage to every function. A stack
// of Architect's without functions, of static files alone, tells neither; it is
// taken for the app's when its name cannot be read in another way.
func (d *Document) MadeBefore(m Mark) bool {
	if d.Description == m.String() {
		return true
	}
	functions, ours := 0, 0
	for _, r := range d.Resources {
		if r.Type != registry.LambdaFunction && r.Type != registry.ServerlessFunction {
			continue
		}
		environment, _ := r.Properties["Environment"].(map[string]any)
		variables, _ := environment["Variables"].(map[string]any)
		app, stage := variables["ARC_APP_NAME"], variables["ARC_ENV"]
		if app == nil && stage == nil {
			continue // a plugin's
		}
		functions++
		if app == m.App && stage == m.Stage {
			ours++
		}
	}
	if functions > 0 {
		return ours == functions
	}
	return strings.HasPrefix(d.Description, "Exported by architect/package@") && oneReading(StackName(m.App, m.Stage, m.Name))
}

// oneReading reports whether a stack's name has one stage in it: of
// ShopStagingProduction nobody can tell whether it is production of the app
// shop-staging or a further staging of shop.
func oneReading(stackName string) bool {
	return strings.Count(stackName, "Staging")+strings.Count(stackName, "Production") == 1
}
