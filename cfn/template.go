// Package cfn compiles an App into plain CloudFormation: no Transform, no
// timestamp, no path, no account number. The same App gives the same bytes on
// every machine. It also reads templates back (Document) and evaluates their
// intrinsics, for the sandbox and for diff.
//
// One file a pragma: http.go compiles what manifest/http.go read.
package cfn

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// Resource is any CloudFormation resource; every goformation struct is one.
type Resource interface {
	AWSCloudFormationType() string
}

// Template is a CloudFormation template being written. Print it with JSON.
type Template struct {
	Description string
	Metadata    Metadata
	Parameters  map[string]Parameter
	Resources   map[string]Resource
	Outputs     map[string]Output
	Foreign     map[string]map[string]any // Mappings, Conditions and Rules, as plugins have written them

	layout *layout // where resources are, when the stack is split; nil = all here
}

// Parameter is a template parameter. NoEcho ones hold secrets.
type Parameter struct {
	Type        string
	Description string  `json:",omitempty"`
	Default     *string `json:",omitempty"`
	NoEcho      bool    `json:",omitempty"`

	written any // in place of all this, as somebody else has written it
}

// Output is a stack output. Value is a string, marked or plain.
type Output struct {
	Description string `json:",omitempty"`
	Value       string

	written any // in place of all this, as somebody else has written it
}

// JSON prints the template: two-space indent, keys in a fixed order (resources
// and map keys sorted), no HTML escapes, final newline. It fails, naming the
// path, on null, on a dangling Ref, GetAtt, Sub or DependsOn, and on a NoEcho
// parameter with a default: that is a secret in the template.
func (t *Template) JSON() ([]byte, error) {
	if t.layout != nil {
		return t.layout.root.body, t.layout.root.err
	}
	p := &printer{known: t.knows, buf: make([]byte, 0, 1024*(1+len(t.Resources)))}
	return t.print(p, func() { printAll(p, t.Resources) })
}

func (t *Template) print(p *printer, resources func()) ([]byte, error) {
	p.open('{')
	p.entry("AWSTemplateFormatVersion", "2010-09-09")
	if t.Description != "" {
		p.entry("Description", t.Description)
	}
	if t.Metadata.Mark != nil {
		p.entry("Metadata", t.Metadata)
	}
	if len(t.Parameters) > 0 {
		p.section("Parameters", func() { t.printParameters(p) })
	}
	for _, name := range foreignSections {
		if len(t.Foreign[name]) > 0 {
			p.section(name, func() { printAll(p, t.Foreign[name]) })
		}
	}
	p.section("Resources", resources)
	if len(t.Outputs) > 0 {
		p.section("Outputs", func() { printAll(p, t.Outputs) })
	}
	p.close('}')
	p.buf = append(p.buf, '\n')
	if len(p.wrong) > 0 {
		return nil, errors.Join(p.wrong...)
	}
	return p.compacted(), nil
}

func printAll[V any](p *printer, entries map[string]V) {
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		p.entry(name, entries[name])
	}
}

func (t *Template) printParameters(p *printer) {
	printAll(p, t.Parameters)
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		if def := t.Parameters[name]; def.NoEcho && def.Default != nil {
			p.fail("%s is NoEcho and has a default, which would print the secret: pass it to the deploy instead", name)
		}
	}
}

// knows reports whether a Ref to name resolves, and whether it is a resource,
// of which attributes can be had.
func (t *Template) knows(name string) (known, resource bool) {
	if _, ok := t.Resources[name]; ok {
		return true, true
	}
	_, ok := t.Parameters[name]
	return ok || pseudoParameters[name], false
}

// pseudoParameters are those CloudFormation gives every template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
var pseudoParameters = map[string]bool{
	"AWS::AccountId": true, "AWS::NoValue": true, "AWS::NotificationARNs": true, "AWS::Partition": true,
	"AWS::Region": true, "AWS::StackId": true, "AWS::StackName": true, "AWS::URLSuffix": true,
}

// rawJSON is a resource's JSON as goformation writes it. Calling the method
// spares encoding/json's second pass over what it returns.
func rawJSON(v any) ([]byte, error) {
	if m, ok := v.(json.Marshaler); ok {
		return m.MarshalJSON()
	}
	return json.Marshal(v)
}
