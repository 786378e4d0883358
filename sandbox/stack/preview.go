package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"arc/cfn"
)

// Unknown stands in properties for a value that is not known before what it comes
// from is made.
type Unknown struct{}

// ErrUnknown is what Read says when it found no mistake, but not all values: more
// cannot be told yet, and nothing is to be made.
var ErrUnknown = errors.New("not all values are known before the stack is made")

// lookedAt is a property that no resource has: with it, Read never comes to the
// end that lets a provider go on.
const lookedAt = "\x00lookedAt"

// preview looks at the properties of all resources that are to be made, so that
// what is misspelled, of the wrong type or not emulated is refused before anything
// is made: all of it, by logical ID.
func (e *Engine) preview(ctx context.Context, t *template, ref Ref) error {
	var wrong []string
	for _, id := range slices.Sorted(maps.Keys(t.deps)) {
		def := t.doc.Resources[id]
		registration := e.registration(def.Type)
		err := error(nil)
		switch {
		case registration.Refused != "":
			err = errors.New(registration.Refused)
		case registration.Check != nil:
			err = registration.Check(known(def.Properties, t.scope(ref, nil, nil)))
		case registration.Reads:
			properties := known(def.Properties, t.scope(ref, nil, nil))
			properties[lookedAt] = Unknown{}
			_, err = registration.Provider.Create(ctx, Request{Stack: ref, LogicalID: id, Type: def.Type, Properties: properties, Token: newToken()})
		}
		if err != nil && !errors.Is(err, ErrUnknown) {
			wrong = append(wrong, fmt.Sprintf("%s (%s): %v", id, def.Type, t.params.hide(err.Error())))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return invalid("Properties validation failed: %s", strings.Join(wrong, "; "))
}

// known evaluates properties as far as that goes before anything is made.
func known(properties map[string]any, scope cfn.Scope) map[string]any {
	out := map[string]any{}
	for name, value := range properties {
		if x, there := knownValue(taken(value, scope), scope); there {
			out[name] = x
		}
	}
	return out
}

// knownValue is a value as far as it is known; there is false of AWS::NoValue.
func knownValue(v any, scope cfn.Scope) (value any, there bool) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 1 {
			for name := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					x, err := cfn.Eval(v, scope)
					if err != nil {
						return Unknown{}, true
					}
					if text, isText := x.(string); isText && strings.Contains(text, "{{resolve:") {
						return Unknown{}, true
					}
					return x, x != nil
				}
			}
		}
		out := make(map[string]any, len(v))
		for name, el := range v {
			if x, there := knownValue(el, scope); there {
				out[name] = x
			}
		}
		return out, true
	case []any:
		out := []any{}
		for _, el := range v {
			if x, there := knownValue(el, scope); there {
				out = append(out, x)
			}
		}
		return out, true
	case string:
		if strings.Contains(v, "{{resolve:") {
			return Unknown{}, true
		}
	}
	return v, true
}

// Previewed is what a provider says of a resource of which nothing is known but
// that its properties are looked at; nil = it made one.
func Previewed(name string, r Registration) error {
	if r.Refused != "" {
		return errors.New(r.Refused)
	}
	_, err := r.Provider.Create(context.Background(), Request{
		Stack: Ref{Name: "preview", ID: "preview", Region: "us-west-2", Account: "000000000000"}, LogicalID: "Preview", Type: name,
		Properties: map[string]any{lookedAt: Unknown{}}, Token: "PREVIEW",
	})
	return err
}
