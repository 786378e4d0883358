package cfn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"

	"github.com/awslabs/goformation/v7/cloudformation/cloudformation"
	"github.com/awslabs/goformation/v7/cloudformation/lambda"
)

// layout is a template that is split.
type layout struct {
	template *Template
	key      func(name string) string // of a part in the artifact bucket
	root     *section
	parts    map[string]*section // by logical ID of the nested stack
	home     map[string]*section // of each resource
	outputs  sync.Mutex          // guards section.outputs: any section may ask for one
}

// section is the part of a template that becomes one stack.
type section struct {
	layout      *layout
	name        string // logical ID of the nested stack; "" = the root
	description string
	metadata    Metadata                  // the root's
	foreign     map[string]map[string]any // the root's
	resources   map[string]Resource
	parameters  map[string]Parameter
	values      map[string]string // of the parameters, as the root stack sees them
	outputs     map[string]Output
	texts       map[string][]byte // of the resources, printed once
	wrong       []error
	body        []byte // the template, printed
	err         error
}

func newLayout(t *Template, key func(name string) string) *layout {
	l := &layout{template: t, key: key, parts: map[string]*section{}, home: make(map[string]*section, len(t.Resources))}
	l.root = &section{layout: l, description: t.Description, resources: maps.Clone(t.Resources), parameters: t.Parameters, outputs: t.Outputs, metadata: t.Metadata, foreign: t.Foreign}
	for id := range t.Resources {
		l.home[id] = l.root
	}
	return l
}

func (l *layout) move(id, to, description string) {
	part := l.parts[to]
	if part == nil {
		part = &section{
			layout: l, name: to, description: description, resources: map[string]Resource{},
			parameters: map[string]Parameter{}, values: map[string]string{}, outputs: map[string]Output{},
		}
		l.parts[to] = part
	}
	part.resources[id] = l.root.resources[id]
	delete(l.root.resources, id)
	l.home[id] = part
}

// finish settles what goes in and out of the parts, prints them and puts the
// nested stacks into the root.
func (l *layout) finish() []Part {
	sections := []*section{l.root}
	for _, name := range slices.Sorted(maps.Keys(l.parts)) {
		sections = append(sections, l.parts[name])
	}
	each(sections, (*section).printResources)
	parts := make([]Part, len(sections)-1)
	each(sections[1:], func(s *section) { s.body, s.err = s.print() })
	for i, s := range sections[1:] {
		if s.err != nil {
			l.root.wrong = append(l.root.wrong, s.err)
		}
		sum := sha256.Sum256(s.body)
		parts[i] = Part{LogicalID: s.name, Key: l.key(hex.EncodeToString(sum[:]) + ".json"), Body: s.body}
		l.root.resources[s.name] = &cloudformation.Stack{
			Parameters:  s.values,
			TemplateURL: Sub("https://s3.${AWS::Region}.${AWS::URLSuffix}/${" + ArtifactBucketParameter + "}/" + parts[i].Key),
		}
		l.home[s.name] = l.root
	}
	l.template.Resources, l.template.layout = l.root.resources, l
	l.root.body, l.root.err = l.root.print()
	return parts
}

// each does something to all sections side by side.
func each(sections []*section, do func(*section)) {
	var all sync.WaitGroup
	for _, s := range sections {
		all.Go(func() { do(s) })
	}
	all.Wait()
}

// printResources prints the section's resources that are not printed yet, and
// notes on the way what they refer to.
func (s *section) printResources() {
	if s.texts == nil {
		s.texts = make(map[string][]byte, len(s.resources))
	}
	p := &printer{known: s.layout.knows, rename: s.refer, depth: 2}
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		if s.texts[id] != nil {
			continue
		}
		p.buf, p.path = p.buf[:0], []step{{key: []byte("Resources")}, {key: []byte(id)}}
		raw, err := rawJSON(s.resources[id])
		if err != nil {
			p.fail("%w", err)
		} else {
			p.value(raw)
		}
		s.texts[id] = bytes.Clone(p.buf)
	}
	s.wrong = append(s.wrong, p.wrong...)
}

// print prints the section as a template.
func (s *section) print() ([]byte, error) {
	s.printResources()
	t := &Template{Description: s.description, Metadata: s.metadata, Parameters: s.parameters, Outputs: s.outputs, Foreign: s.foreign}
	size := 4096 + 256*(len(s.parameters)+len(s.outputs))
	for id, text := range s.texts {
		size += len(id) + len(text) + 10
	}
	p := &printer{known: s.layout.knows, rename: s.refer, wrong: s.wrong, buf: make([]byte, 0, size)}
	return t.print(p, func() {
		for _, id := range slices.Sorted(maps.Keys(s.resources)) {
			p.next()
			p.buf = append(appendQuoted(p.buf, id), ": "...)
			p.buf = append(p.buf, s.texts[id]...)
		}
	})
}

// knows is Template.knows for all sections together.
func (l *layout) knows(name string) (known, resource bool) {
	if l.home[name] != nil {
		return true, true
	}
	_, ok := l.root.parameters[name]
	return ok || pseudoParameters[name], false
}

// refer gives what s refers to a name and attribute by. What is not in s goes
// out of where it is as an output, and comes into s as a parameter.
func (s *section) refer(name, attribute string) (string, string) {
	home := s.layout.home[name]
	if home == s || home == nil && (s.name == "" || pseudoParameters[name] && name != "AWS::StackName") {
		return name, attribute
	}
	if attribute == dependency {
		if home == s.layout.root || s.name != "" {
			return name, "" // no part depends on another by name
		}
		return home.name, ""
	}
	if attribute == "" && isFunction(home, name) {
		attribute = "Arn" // does where the name does; one link will do for both
	}
	link := linkName(name, attribute)
	value := Ref(name)
	if attribute != "" {
		value = GetAtt(name, attribute)
	}
	if home != nil && home.name != "" {
		s.layout.outputs.Lock()
		home.outputs[link] = Output{Value: value}
		s.layout.outputs.Unlock()
		if s.name == "" {
			return home.name, "Outputs." + link
		}
		value = GetAtt(home.name, "Outputs."+link)
	}
	s.parameters[link] = Parameter{Type: "String", NoEcho: s.layout.root.parameters[name].NoEcho}
	s.values[link] = value
	return link, ""
}

// linkName names the parameter and the output that carry a reference from one
// stack to another.
func linkName(name, attribute string) string {
	if name == "AWS::StackName" {
		return "RootStackName"
	}
	return name + attribute
}

func isFunction(home *section, name string) bool {
	if home == nil {
		return false
	}
	_, ok := home.resources[name].(*lambda.Function)
	return ok
}
