package stack

import (
	"context"
	"maps"
	"slices"

	"arc/cfn"
)

// GetTemplateInput is the request of GetTemplate.
type GetTemplateInput struct{ StackName, ChangeSetName, TemplateStage string }

// GetTemplateOutput is the answer of GetTemplate.
type GetTemplateOutput struct {
	TemplateBody    string   `xml:",omitempty"`
	StagesAvailable []string `xml:"StagesAvailable>member"`
}

// GetTemplate gives a stack's template as it was sent, or a change set's. A stack
// that was only reviewed so far has none: the answer is without a body, which the
// CDK, for one, counts on.
// https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/api/cloudformation/stack-helpers.ts
func (e *Engine) GetTemplate(ctx context.Context, in GetTemplateInput) (GetTemplateOutput, error) {
	if err := e.fault("GetTemplate", ""); err != nil {
		return GetTemplateOutput{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var t *template
	if in.ChangeSetName != "" {
		_, cs, err := e.findChangeSet(ctx, in.ChangeSetName, in.StackName)
		if err != nil {
			return GetTemplateOutput{}, err
		}
		t = cs.template
	} else {
		st, err := e.find(ctx, in.StackName)
		if err != nil {
			return GetTemplateOutput{}, err
		}
		if t = st.current; t == nil {
			return GetTemplateOutput{StagesAvailable: []string{"Original"}}, nil
		}
	}
	body := t.body
	if in.TemplateStage == "Processed" && t.processed != nil {
		body = t.processed
	}
	return GetTemplateOutput{string(body), []string{"Original", "Processed"}}, nil
}

// GetTemplateSummaryInput is the request of GetTemplateSummary.
type GetTemplateSummaryInput struct{ TemplateBody, TemplateURL, StackName string }

// GetTemplateSummaryOutput is the answer of GetTemplateSummary.
type GetTemplateSummaryOutput struct {
	Parameters         []ParameterDeclaration `xml:"Parameters>member"`
	Description        string                 `xml:",omitempty"`
	Capabilities       []string               `xml:"Capabilities>member"`
	CapabilitiesReason string                 `xml:",omitempty"`
	ResourceTypes      []string               `xml:"ResourceTypes>member"`
	Version            string
	Metadata           string   `xml:",omitempty"` // JSON
	DeclaredTransforms []string `xml:"DeclaredTransforms>member"`
}

// ParameterDeclaration is a parameter as GetTemplateSummary tells it.
type ParameterDeclaration struct {
	ParameterKey         string
	DefaultValue         *string `xml:",omitempty"`
	ParameterType        string
	NoEcho               bool
	Description          string `xml:",omitempty"`
	ParameterConstraints struct {
		AllowedValues []string `xml:"AllowedValues>member"`
	}
}

// GetTemplateSummary tells what a template asks for, without checking more
// than that it can be read.
func (e *Engine) GetTemplateSummary(ctx context.Context, in GetTemplateSummaryInput) (GetTemplateSummaryOutput, error) {
	var body []byte
	if in.StackName != "" {
		t, err := e.GetTemplate(ctx, GetTemplateInput{StackName: in.StackName})
		if err != nil {
			return GetTemplateSummaryOutput{}, err
		}
		body = []byte(t.TemplateBody)
	} else {
		var err error
		if body, err = e.read(ctx, source{body: in.TemplateBody, url: in.TemplateURL}, nil); err != nil {
			return GetTemplateSummaryOutput{}, err
		}
	}
	doc, err := parse(body)
	if err != nil {
		return GetTemplateSummaryOutput{}, err
	}
	out := GetTemplateSummaryOutput{
		Parameters: declarations(doc), Description: doc.Description, Version: "2010-09-09", Metadata: asJSON(doc.Metadata),
	}
	out.DeclaredTransforms = declared(doc)
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(doc)
	for _, r := range doc.Resources {
		out.ResourceTypes = append(out.ResourceTypes, r.Type)
	}
	slices.Sort(out.ResourceTypes)
	out.ResourceTypes = slices.Compact(out.ResourceTypes)
	return out, nil
}

// declared are the transforms that a template names.
func declared(doc *cfn.Document) (names []string) {
	for _, call := range cfn.Transforms(map[string]any{"Transform": doc.Transform}) {
		if name, ok := call["Name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}

func capabilitiesOf(doc *cfn.Document) ([]string, string) {
	needed := neededCapability(doc)
	if needed == "" {
		return nil, ""
	}
	return []string{needed}, "The following resource(s) require capabilities: [" + iamTypes(doc) + "]"
}

func declarations(doc *cfn.Document) []ParameterDeclaration {
	var out []ParameterDeclaration
	for _, name := range slices.Sorted(maps.Keys(doc.Parameters)) {
		def := doc.Parameters[name]
		p := ParameterDeclaration{ParameterKey: name, ParameterType: def.Type, NoEcho: def.NoEcho, Description: def.Description}
		if s, ok := text(def.Default); ok {
			if def.NoEcho {
				s = secret
			}
			p.DefaultValue = &s
		}
		for _, v := range def.AllowedValues {
			s, _ := text(v)
			p.ParameterConstraints.AllowedValues = append(p.ParameterConstraints.AllowedValues, s)
		}
		out = append(out, p)
	}
	return out
}

// ValidateTemplateInput is the request of ValidateTemplate.
type ValidateTemplateInput struct{ TemplateBody, TemplateURL string }

// ValidateTemplateOutput is the answer of ValidateTemplate.
type ValidateTemplateOutput struct {
	Parameters         []TemplateParameter `xml:"Parameters>member"`
	Description        string              `xml:",omitempty"`
	Capabilities       []string            `xml:"Capabilities>member"`
	CapabilitiesReason string              `xml:",omitempty"`
	DeclaredTransforms []string            `xml:"DeclaredTransforms>member"`
}

// TemplateParameter is a parameter as ValidateTemplate tells it.
type TemplateParameter struct {
	ParameterKey string
	DefaultValue *string `xml:",omitempty"`
	NoEcho       bool
	Description  string `xml:",omitempty"`
}

// ValidateTemplate makes the checks that need no parameter values.
func (e *Engine) ValidateTemplate(ctx context.Context, in ValidateTemplateInput) (ValidateTemplateOutput, error) {
	body, err := e.read(ctx, source{body: in.TemplateBody, url: in.TemplateURL}, nil)
	if err != nil {
		return ValidateTemplateOutput{}, err
	}
	doc, err := parse(body)
	transforms := err == nil && (doc.Transform != nil || len(doc.Macros) > 0)
	if err == nil && !transforms {
		err = e.check(doc)
	}
	if err == nil && !transforms {
		err = e.checkTypes(doc, "", func(id string) bool { return doc.Resources[id].Condition == "" })
	}
	if err != nil {
		return ValidateTemplateOutput{}, err
	}
	out := ValidateTemplateOutput{Description: doc.Description, DeclaredTransforms: declared(doc)}
	out.Capabilities, out.CapabilitiesReason = capabilitiesOf(doc)
	for _, p := range declarations(doc) {
		out.Parameters = append(out.Parameters, TemplateParameter{p.ParameterKey, p.DefaultValue, p.NoEcho, p.Description})
	}
	return out, nil
}
