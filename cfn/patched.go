package cfn

import "encoding/json"

// Patched is a resource with properties that goformation's struct does not
// have, or that it can hold no intrinsic in: newer ones, numbers and lists.
// Every use of it stands in this file with its reason: the list to go through
// when the structs are replaced.
type Patched struct {
	Resource
	Properties map[string]any // put over the resource's own; values may be marked strings
}

// MarshalJSON merges the properties.
func (p Patched) MarshalJSON() ([]byte, error) {
	raw, err := rawJSON(p.Resource)
	if err != nil {
		return nil, err
	}
	var resource struct {
		Type                string
		Properties          map[string]json.RawMessage
		DependsOn           json.RawMessage `json:",omitempty"`
		Metadata            json.RawMessage `json:",omitempty"`
		DeletionPolicy      json.RawMessage `json:",omitempty"`
		UpdateReplacePolicy json.RawMessage `json:",omitempty"`
		Condition           json.RawMessage `json:",omitempty"`
	}
	if err := json.Unmarshal(raw, &resource); err != nil {
		return nil, err
	}
	for name, v := range p.Properties {
		value, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		resource.Properties[name] = value
	}
	return json.Marshal(resource)
}
