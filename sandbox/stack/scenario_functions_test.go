package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// asked provides custom resources, as their properties say: Id is the physical ID that is
// answered, but for an Update with Keep, Data the attributes, NoEcho that they are secret; by FAILED in Status the
// answer is an error. What is asked is in the log, before the events of the operation.
type asked struct{ s *scenario }

func (p asked) answer(what string, req Request) (Resource, error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	now, _ := json.Marshal(req.Properties)
	was, _ := json.Marshal(req.Old)
	fmt.Fprintf(&p.s.log, "%s of %s %q %s %s\n", what, req.LogicalID, req.PhysicalID, now, was)
	id, _ := req.Properties["Id"].(string)
	if req.Properties["Keep"] == true && what == "Update" {
		id = req.PhysicalID
	}
	data, _ := req.Properties["Data"].(map[string]any)
	made := Resource{PhysicalID: id, Attributes: data, NoEcho: req.Properties["NoEcho"] == true, Object: req.Stack.ID + "|" + req.LogicalID}
	switch {
	case what == "Update" && req.Properties["ServiceToken"] != req.Old["ServiceToken"]:
		return Resource{}, Untouched{errors.New("another token")}
	case req.Properties["Status"] == "FAILED" && what != "Delete":
		return made, fmt.Errorf("%s failed with %v", what, req.Properties["Reason"])
	}
	return made, nil
}

func (p asked) Create(_ context.Context, req Request) (Resource, error) {
	return p.answer("Create", req)
}

func (p asked) Update(_ context.Context, req Request) (Resource, error) {
	return p.answer("Update", req)
}

func (p asked) Delete(_ context.Context, req Request) error {
	_, err := p.answer("Delete", req)
	return err
}

// macro says what it is asked for. Copy makes a second Thing of a whole template, Fill
// gives what is beside it a Value, Text is a text, and Fail fails.
func (s *scenario) macro(_ context.Context, call MacroCall) (any, error) {
	told, _ := json.Marshal(call)
	fmt.Fprintf(&s.log, "macro %s\n", told)
	entries, _ := call.Fragment.(map[string]any)
	switch call.Name {
	case "Copy":
		resources := entries["Resources"].(map[string]any)
		resources["Second"] = resources["Thing"]
		return entries, nil
	case "Fill":
		entries["Value"] = call.Params["With"]
		return entries, nil
	case "Text":
		return "a text", nil
	case "Fail":
		return nil, errors.New("Transform 123456789012::Fail failed with: on purpose")
	}
	return nil, ErrNoMacro
}
