package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
)

// Registrations are the resource types that the service provides.
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::StepFunctions::StateMachine": {
			Check: s.look, Provider: stack.Steps{OnCreate: s.create, OnUpdate: s.update, OnDelete: s.delete},
		},
		"AWS::StepFunctions::Activity": {Provider: stack.Steps{OnCreate: s.createActivity, OnUpdate: s.createActivity, OnDelete: s.deleteActivity}},
		"AWS::StepFunctions::StateMachineVersion": {Provider: stack.Steps{
			OnCreate: s.createVersion, OnDelete: s.deleteVersion, Attributes: func(req stack.Request) map[string]any { return map[string]any{"Arn": req.PhysicalID} },
		}},
		"AWS::StepFunctions::StateMachineAlias": {Provider: stack.Steps{OnCreate: s.createAlias, OnUpdate: s.updateAlias, OnDelete: s.deleteAlias}},
	}
}

// properties are those of AWS::StepFunctions::StateMachine.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
type properties struct {
	StateMachineName, StateMachineType string
	RoleArn                            string `cfn:"required"`
	Definition                         any
	DefinitionString                   string
	DefinitionS3Location               *struct {
		Bucket  string `cfn:"required"`
		Key     string `cfn:"required"`
		Version string
	}
	DefinitionSubstitutions map[string]any
	LoggingConfiguration    any
	TracingConfiguration    any
	Tags                    []any
}

func read(given map[string]any) (p properties, err error) {
	err = stack.Read(given, &p, "EncryptionConfiguration")
	if err != nil && !errors.Is(err, stack.ErrUnknown) {
		return p, err
	}
	n := 0
	for _, name := range []string{"Definition", "DefinitionString", "DefinitionS3Location"} {
		if given[name] != nil {
			n++
		}
	}
	if n != 1 {
		return p, errors.New("property Definition: exactly one of Definition, DefinitionString and DefinitionS3Location must be given")
	}
	if t := p.StateMachineType; t != "" && t != "STANDARD" && t != "EXPRESS" {
		return p, fmt.Errorf("property StateMachineType: %q: must be STANDARD or EXPRESS", t)
	}
	return p, err
}

// look looks at a definition before anything is made, as far as it is known: an ARN
// stands for what is not.
func (s *Service) look(given map[string]any) error {
	p, err := read(given)
	if err != nil && !errors.Is(err, stack.ErrUnknown) {
		return err
	}
	if _, whole := given["Definition"].(map[string]any); !whole && p.DefinitionString == "" {
		return stack.ErrUnknown
	}
	if p.Definition != nil {
		p.Definition = stood(given["Definition"])
	}
	p.DefinitionSubstitutions, _ = stood(given["DefinitionSubstitutions"]).(map[string]any)
	text, err := s.definition(p)
	if err != nil {
		return err
	}
	if !json.Valid([]byte(text)) && strings.Contains(text, unknownARN) {
		return stack.ErrUnknown // a number may stand there
	}
	_, err = s.parse(text, p.StateMachineType == "EXPRESS")
	return err
}

// unknownARN stands for a value that is not known yet: most are ARNs of functions.
const unknownARN = "arn:aws:lambda:us-east-1:000000000000:function:unknown"

// stood is a value with that in the place of what is not known.
func stood(v any) any {
	switch v := v.(type) {
	case stack.Unknown:
		return unknownARN
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = stood(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = stood(v[i])
		}
		return out
	}
	return v
}

// substitution is ${name} in a definition.
var substitution = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([A-Za-z0-9_.:-]+)\}`) })

// definition is the text of a definition, with what is substituted.
func (s *Service) definition(p properties) (string, error) {
	text := p.DefinitionString
	switch {
	case p.DefinitionS3Location != nil:
		at := p.DefinitionS3Location
		data, err := s.options.Object(at.Bucket, at.Key)
		if err != nil {
			return "", fmt.Errorf("property DefinitionS3Location: s3://%s/%s: %w", at.Bucket, at.Key, err)
		}
		if text = string(data); !json.Valid(data) {
			// YAML is taken from there, too.
			var v any
			if err := yaml.Unmarshal(data, &v); err == nil {
				if out, err := json.Marshal(v); err == nil && out[0] == '{' {
					text = string(out)
				}
			}
		}
	case p.Definition != nil:
		text = asl.Encode(p.Definition)
	}
	return substitution().ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := stack.Text(p.DefinitionSubstitutions[found[2:len(found)-1]]); ok {
			return value
		}
		return found
	}), nil
}

func (s *Service) create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := read(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.StateMachineName
	if name == "" {
		name = req.Name(64) // as long as rights reckon with
	}
	arn := s.arn(req.Stack.Region, "stateMachine:"+name)
	s.mu.Lock()
	taken := s.machines[arn] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("State Machine Already Exists: '%s'", arn) //nolint:staticcheck // Step Functions' words
	}
	return s.made(ctx, arn, name, p)
}

func (s *Service) update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := read(req.Properties)
	if err != nil {
		return stack.Resource{}, err
	}
	return s.made(ctx, req.PhysicalID, req.PhysicalID[strings.LastIndexByte(req.PhysicalID, ':')+1:], p)
}

func (s *Service) made(ctx context.Context, arn, name string, p properties) (stack.Resource, error) {
	text, err := s.definition(p)
	if err != nil {
		return stack.Resource{}, err
	}
	m, err := s.put(ctx, machine{
		Name: name, ARN: arn, Role: p.RoleArn, Definition: text, Express: p.StateMachineType == "EXPRESS",
		Logging: p.LoggingConfiguration, Tracing: p.TracingConfiguration, Tags: lowered(p.Tags).([]any),
	}, false)
	if err != nil {
		return stack.Resource{}, err
	}
	return stack.Resource{
		PhysicalID: arn, Attributes: map[string]any{"Arn": arn, "Name": name, "StateMachineRevisionId": m.Revision}, Note: strings.Join(m.notes(), "; "),
	}, nil
}

// lowered is what a template says, as the API does.
func lowered(v any) any {
	if list, ok := v.([]any); ok && list == nil {
		return []any{}
	}
	return renamed(v, strings.ToLower)
}

func (s *Service) delete(_ context.Context, req stack.Request) error { return s.remove(req.PhysicalID) }
