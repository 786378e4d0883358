package stack

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/cfn"
	"arc/cfn/registry"
)

// template is a template that passed every check, with values for its
// parameters and its conditions decided.
type template struct {
	body []byte // as it was sent
	// processed is what transforms made of it; nil = there are none.
	processed []byte
	doc       *cfn.Document
	params    parameters
	// decided are the conditions, each as one that always comes out the same;
	// nil until they have been evaluated.
	decided map[string]any
	// discreet has what custom resources keep secret replaced, for whatever is shown.
	discreet bool
	deps     map[string][]string // by logical ID, of the resources whose condition holds
	// open says of a resource, by logical ID, that its place in the order is ours.
	open map[string]string
}

// source is what a request says about its template.
type source struct {
	body         string
	url          string
	usePrevious  bool
	parameters   []Parameter
	capabilities []string
	// direct is a stack operation of its own, without a change set that shows
	// first what transforms make of the template.
	direct bool
	// trusted templates come from this program and not over the wire: neither
	// the limit on inline templates nor the need for capabilities applies.
	trusted bool
}

// read gets the text of the template that a request names.
func (e *Engine) read(ctx context.Context, src source, previous *template) ([]byte, error) {
	given := 0
	for _, yes := range []bool{src.body != "", src.url != "", src.usePrevious} {
		if yes {
			given++
		}
	}
	if given != 1 {
		return nil, invalid("Either Template URL or Template Body must be specified.")
	}
	switch {
	case src.usePrevious:
		if previous == nil {
			return nil, invalid("UsePreviousTemplate cannot be true: the stack has no template yet.")
		}
		return previous.body, nil
	case src.body != "":
		if !src.trusted && len(src.body) > cfn.MaxInlineTemplate {
			return nil, invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", cfn.MaxInlineTemplate)
		}
		return []byte(src.body), nil
	}
	if e.options.Fetch == nil {
		return nil, invalid("TemplateURL %s: this endpoint has no S3 to read templates from", src.url)
	}
	body, err := e.options.Fetch(ctx, src.url)
	if err != nil {
		return nil, invalid("S3 error: %v", err)
	}
	if len(body) > cfn.MaxTemplate {
		return nil, invalid("Template may not exceed %d bytes in size.", cfn.MaxTemplate)
	}
	return body, nil
}

// prepare reads, checks and binds the template of a request. previous is the
// stack's present template; nil for a new stack.
func (e *Engine) prepare(ctx context.Context, src source, ref Ref, previous *template) (*template, error) {
	body, err := e.read(ctx, src, previous)
	if err != nil {
		return nil, err
	}
	doc, err := parse(body)
	if err != nil {
		return nil, err
	}
	transforms := doc.Transform != nil || len(doc.Macros) > 0
	if !transforms {
		if err := e.check(doc); err != nil {
			return nil, err
		}
	}
	t := &template{body: body, doc: doc}
	if t.params, err = e.bind(ctx, doc, src.parameters, previous); err != nil {
		return nil, err
	}
	if transforms {
		if src.direct && !slices.Contains(src.capabilities, autoExpand) {
			return nil, &Error{Code: "InsufficientCapabilitiesException", Message: "Requires capabilities : [" + autoExpand + "]"}
		}
		if doc, t.processed, err = e.expand(ctx, doc, t.params, ref); err != nil {
			return nil, err
		}
		if err := e.check(doc); err != nil {
			return nil, err
		}
		t.doc = doc
	}
	if !src.trusted {
		if missing := missingCapabilities(doc, src.capabilities); missing != "" {
			return nil, &Error{Code: "InsufficientCapabilitiesException", Message: "Requires capabilities : [" + missing + "]"}
		}
	}
	if err := t.connect(ref); err != nil {
		return nil, err
	}
	if err := e.checkTypes(doc, ref.Name, func(id string) bool { _, made := t.deps[id]; return made }); err != nil {
		return nil, err
	}
	return t, e.preview(ctx, t, ref)
}

func parse(body []byte) (*cfn.Document, error) {
	doc, err := cfn.Parse(body)
	if err != nil {
		return nil, invalid("Template format error: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return doc, nil
}

// check refuses what can be told from the document alone.
func (e *Engine) check(doc *cfn.Document) error {
	switch {
	case len(doc.Resources) == 0:
		return invalid("Template format error: At least one Resources member must be defined.")
	case len(doc.Resources) > cfn.MaxResources:
		return invalid("Template format error: Number of resources, %d, is greater than maximum allowed, %d", len(doc.Resources), cfn.MaxResources)
	case len(doc.Outputs) > cfn.MaxOutputs:
		return invalid("Template format error: Number of outputs, %d, is greater than maximum allowed, %d", len(doc.Outputs), cfn.MaxOutputs)
	case len(doc.Parameters) > cfn.MaxParameters:
		return invalid("Template format error: Number of parameters, %d, is greater than maximum allowed, %d", len(doc.Parameters), cfn.MaxParameters)
	}
	for _, id := range slices.Sorted(maps.Keys(doc.Resources)) {
		if !alphanumeric(id) {
			return invalid("Template format error: Resource name %s is non alphanumeric.", id)
		}
		if len(id) > maxName {
			return tooLongName("Resource", id)
		}
		if _, both := doc.Parameters[id]; both {
			return invalid("Template format error: %s names both a parameter and a resource", id)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Parameters)) {
		if len(name) > maxName {
			return tooLongName("Parameter", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Outputs)) {
		if len(name) > maxName {
			return tooLongName("Output", name)
		}
	}
	if len(doc.Description) > maxDescription {
		return invalid("Template format error: 'Description' length is greater than %d.", maxDescription)
	}
	return checkNames(doc)
}

// Limits of names and of the description.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxName        = 255
	maxDescription = 1024
)

func tooLongName(what, name string) error {
	return invalid("Template format error: %s name %s… is too long: it has %d characters and may have %d", what, name[:40], len(name), maxName)
}

// customType is how types of custom resources are called.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
var customType = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(Custom::[A-Za-z0-9_@-]{1,60}|AWS::CloudFormation::CustomResource)$`)
})

// checkTypes refuses resource types that nobody here makes, of the resources that
// made lets through: those that no condition leaves out. Those that are made and do
// nothing are told. stackName is "" where a template is only looked at.
func (e *Engine) checkTypes(doc *cfn.Document, stackName string, made func(logicalID string) bool) error {
	var unknown, idle []string
	for id, r := range doc.Resources {
		_, ok := e.registrations[r.Type]
		custom := registry.IsCustom(r.Type)
		switch {
		case ok || !made(id):
		case custom && e.options.Custom.Provider != nil && customType().MatchString(r.Type):
		case custom || e.registration(r.Type).Provider == nil:
			unknown = append(unknown, r.Type)
		default:
			idle = append(idle, r.Type)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return invalid("Template format error: Unrecognized resource types: [%s] (the local cloud does not run them)", strings.Join(slices.Compact(unknown), ", "))
	}
	if stackName == "" || e.options.NotRun == nil || e.options.SetAside != nil && e.options.SetAside(stackName) {
		return nil
	}
	slices.Sort(idle)
	idle = slices.DeleteFunc(slices.Compact(idle), func(typ string) bool {
		_, said := e.notRun.LoadOrStore([2]string{stackName, typ}, true)
		return said
	})
	if len(idle) > 0 {
		e.options.NotRun(stackName, idle)
	}
	return nil
}

// checkNames finds references to parameters, resources and conditions that do
// not exist.
func checkNames(doc *cfn.Document) error {
	known := func(name string) bool {
		_, resource := doc.Resources[name]
		_, parameter := doc.Parameters[name]
		return resource || parameter
	}
	var inResources, inOutputs, conditions []string
	for _, r := range doc.Resources {
		for _, name := range cfn.References(r.Properties) {
			if !known(name) {
				inResources = append(inResources, name)
			}
		}
		for _, name := range r.DependsOn {
			if _, ok := doc.Resources[name]; !ok {
				inResources = append(inResources, name)
			}
		}
		conditions = append(conditions, r.Condition)
	}
	for _, o := range doc.Outputs {
		for _, name := range cfn.References([]any{o.Value, o.ExportName}) {
			if !known(name) {
				inOutputs = append(inOutputs, name)
			}
		}
		conditions = append(conditions, o.Condition)
	}
	if len(inResources) > 0 {
		return unresolved(inResources, "Resources")
	}
	if len(inOutputs) > 0 {
		return unresolved(inOutputs, "Outputs")
	}
	slices.Sort(conditions)
	for _, name := range conditions {
		if _, ok := doc.Conditions[name]; name != "" && !ok {
			return invalid("Template format error: Unresolved condition dependency %s in the Resources block of the template", name)
		}
	}
	return nil
}

func unresolved(names []string, block string) error {
	slices.Sort(names)
	return invalid("Template format error: Unresolved resource dependencies [%s] in the %s block of the template",
		strings.Join(slices.Compact(names), ", "), block)
}

func alphanumeric(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
