package custom

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Endpoint is none of its own: answers come to the bucket of answers.
func (d *Desk) Endpoint() wire.Endpoint { return wire.Endpoint{Service: "cloudformation-functions"} }

// Registrations are macros; custom resources have types of any name.
func (d *Desk) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::CloudFormation::Macro": {Provider: stack.Steps{OnCreate: d.createMacro, OnUpdate: d.updateMacro, OnDelete: d.deleteMacro}},
	}
}

// Restore has nothing to do: macros come back with their stacks.
func (d *Desk) Restore(*journal.Log) error { return nil }

// Close has nothing to do: stacks end what waits for answers.
func (d *Desk) Close(context.Context) error { return nil }

// macroProperties are those of a macro.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-macro.html
type macroProperties struct {
	Name         string `cfn:"required"`
	FunctionName string `cfn:"required"`
}

func readMacro(req stack.Request) (p macroProperties, err error) {
	return p, stack.Read(req.Properties, &p, "Description", "LogGroupName", "LogRoleARN")
}

func (d *Desk) createMacro(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readMacro(req)
	if err != nil {
		return stack.Resource{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	key := macroKey(req.Stack.Region, p.Name)
	if d.macros[key] != "" {
		return stack.Resource{}, fmt.Errorf("%s already exists", p.Name)
	}
	d.macros[key] = p.FunctionName
	return stack.Resource{PhysicalID: p.Name}, nil
}

func (d *Desk) updateMacro(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, err := readMacro(req)
	if err != nil {
		return stack.Resource{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.macros[macroKey(req.Stack.Region, p.Name)] = p.FunctionName
	return stack.Resource{PhysicalID: req.PhysicalID}, nil
}

func (d *Desk) deleteMacro(_ context.Context, req stack.Request) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.macros, macroKey(req.Stack.Region, req.PhysicalID))
	return nil
}

func macroKey(region, name string) string { return region + "/" + name }

// Expand has the function of a macro make something of a part of a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html
func (d *Desk) Expand(ctx context.Context, call stack.MacroCall) (any, error) {
	name := strings.TrimPrefix(call.Name, d.options.Account+"::")
	d.mu.Lock()
	function := d.macros[macroKey(call.Region, name)]
	d.mu.Unlock()
	if function == "" {
		return nil, stack.ErrNoMacro
	}
	if d.options.May != nil {
		arn := function
		if !strings.HasPrefix(arn, "arn:") {
			arn = stack.ARN(call.Region, "lambda", call.Region, d.options.Account, "function:"+function)
		}
		if err := d.options.May(ctx, arn); err != nil {
			return nil, err
		}
	}
	called := d.options.Account + "::" + name
	id := wire.NewRequestID()
	event, err := json.Marshal(map[string]any{
		"region": call.Region, "accountId": d.options.Account, "fragment": call.Fragment, "transformId": called,
		"params": call.Params, "requestId": id, "templateParameterValues": call.Values,
	})
	if err != nil {
		return nil, err
	}
	result, err := d.options.Run(invoke.WithRequestID(ctx, id), function, event)
	if err != nil {
		return nil, fmt.Errorf("Transform %s failed with: %w", called, err) //nolint:staticcheck // CloudFormation's words
	}
	var out struct {
		RequestID    string          `json:"requestId"`
		Status       string          `json:"status"`
		Fragment     json.RawMessage `json:"fragment"`
		ErrorMessage string          `json:"errorMessage"`
	}
	wrong := invoke.Exact(result.Payload, &out)
	var fragment any
	if wrong == nil && out.Fragment != nil {
		decoder := json.NewDecoder(bytes.NewReader(out.Fragment))
		decoder.UseNumber()
		wrong = decoder.Decode(&fragment)
	}
	switch {
	case result.Failed != "":
		return nil, fmt.Errorf("Received malformed response from transform %s (%s failed: %s)", called, d.options.Called(function), result.Payload) //nolint:staticcheck // CloudFormation's words
	case wrong == nil && out.Status != "" && !strings.EqualFold(out.Status, "success"):
		if out.ErrorMessage == "" {
			return nil, fmt.Errorf("Transform %s failed without an error message.", called) //nolint:staticcheck // CloudFormation's words
		}
		return nil, fmt.Errorf("Transform %s failed with: %s", called, out.ErrorMessage) //nolint:staticcheck // CloudFormation's words
	case wrong != nil || out.RequestID != id || out.Status == "" || fragment == nil:
		return nil, fmt.Errorf("Received malformed response from transform %s (it needs the requestId of the request, the status success, and a fragment)", called) //nolint:staticcheck // CloudFormation's words
	}
	return fragment, nil
}
