package stack

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   string `cfn:"required"`
	Size   int
	On     bool
	Maybe  *int
	Parts  []struct{ Key, Value string }
	Labels map[string]string
	Free   any
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, properties, want string
		harmless               []string
	}{
		{name: "all", properties: `{"Name":"a","Size":3,"On":true,"Maybe":0,"Parts":[{"Key":"k","Value":"v"}],"Labels":{"x":"y"},"Free":{"any":[1]}}`},
		{name: "spelled as strings", properties: `{"Name":7,"Size":"3","On":"true","Labels":{"x":1,"y":true}}`},
		{name: "harmless", properties: `{"Name":"a","Tags":[]}`, harmless: []string{"Tags"}},
		{name: "null counts as absent", properties: `{"Name":"a","Size":null}`},
		{name: "required", properties: `{}`, want: "property Name: is required"},
		{name: "empty", properties: `{"Name":""}`, want: "property Name: is required"},
		{name: "case", properties: `{"Name":"a","size":3}`, want: "property size: not known: misspelled, or not emulated by the local cloud"},
		{name: "nested", properties: `{"Name":"a","Parts":[{"Kye":"k"}]}`, want: "property Parts[0].Kye: not known: misspelled, or not emulated by the local cloud"},
		{name: "all mistakes, sorted", properties: `{"Size":"many","On":1.5,"Parts":{},"Labels":[]}`,
			want: "property Labels: must be an object; property Name: is required; property On: must be true or false; property Parts: must be a list; property Size: must be a whole number"},
		{name: "object for text", properties: `{"Name":{"Ref":"x"}}`, want: "property Name: must be a string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var properties map[string]any
			if err := json.Unmarshal([]byte(c.properties), &properties); err != nil {
				t.Fatal(err)
			}
			numbers(properties)
			var got sample
			err := Read(properties, &got, c.harmless...)
			if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if c.name == "all" {
				zero := 0
				want := sample{Name: "a", Size: 3, On: true, Maybe: &zero, Parts: []struct{ Key, Value string }{{"k", "v"}}, Labels: map[string]string{"x": "y"},
					Free: map[string]any{"any": []any{json.Number("1")}}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// numbers makes numbers what the engine hands on.
func numbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case float64:
		text, _ := json.Marshal(v)
		return json.Number(text)
	}
	return value
}
