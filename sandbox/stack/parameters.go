package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"arc/cfn"
)

// parameters are the values that a template's parameters have.
type parameters struct {
	given  map[string]string // as the request or the default spelled them
	values map[string]any    // what Ref gives: a string, or a list of strings
	noEcho map[string]bool
}

// bind gives every parameter of a document its value: the request's, the one
// it had before, or its default.
func (e *Engine) bind(ctx context.Context, doc *cfn.Document, given []Parameter, previous *template) (parameters, error) {
	p := parameters{given: map[string]string{}, values: map[string]any{}, noEcho: map[string]bool{}}
	for _, g := range given {
		if _, ok := doc.Parameters[g.ParameterKey]; !ok {
			return p, invalid("Parameters: [%s] do not exist in the template", g.ParameterKey)
		}
		if !g.UsePreviousValue {
			p.given[g.ParameterKey] = g.ParameterValue
			continue
		}
		value, ok := "", false
		if previous != nil {
			value, ok = previous.params.given[g.ParameterKey]
		}
		if !ok {
			return p, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", g.ParameterKey)
		}
		p.given[g.ParameterKey] = value
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(doc.Parameters)) {
		def := doc.Parameters[name]
		if _, ok := p.given[name]; !ok {
			text, ok := text(def.Default)
			if !ok {
				missing = append(missing, name)
				continue
			}
			p.given[name] = text
		}
		if def.NoEcho {
			p.noEcho[name] = true
		}
		value, err := e.parameterValue(ctx, name, def, p.given[name])
		if err != nil {
			return p, err
		}
		p.values[name] = value
	}
	if len(missing) > 0 {
		return p, invalid("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return p, nil
}

// parameterValue checks a parameter's text against its declaration and gives
// what Ref makes of it.
func (e *Engine) parameterValue(ctx context.Context, name string, def cfn.ParameterDef, given string) (any, error) {
	kind := def.Type
	if inner, ok := strings.CutPrefix(kind, "AWS::SSM::Parameter::Value<"); ok {
		if e.options.Parameter == nil {
			return nil, invalid("Parameter '%s': this endpoint has no parameter store to read %s from", name, given)
		}
		value, err := e.options.Parameter(ctx, given)
		if err != nil {
			return nil, invalid("Unable to fetch parameters [%s] from parameter store for this account.", given)
		}
		given, kind = value, strings.TrimSuffix(inner, ">")
	}
	list := kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<")
	values := []string{given}
	if list {
		values = strings.Split(given, ",")
	}
	var out []any
	for _, v := range values {
		if list {
			v = strings.TrimSpace(v)
		}
		if err := checkParameter(name, def, kind, v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if list {
		if given == "" {
			out = []any{}
		}
		return out, nil
	}
	return given, nil
}

// checkParameter refuses a value that the declaration does not take.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
func checkParameter(name string, def cfn.ParameterDef, kind, value string) error {
	if err := checkConstraints(name, def, kind, value); err != nil {
		if def.ConstraintDescription != "" {
			return invalid("Parameter '%s' failed to satisfy constraint: %s", name, def.ConstraintDescription)
		}
		return err
	}
	if kind == "Number" || kind == "List<Number>" {
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return invalid("Parameter '%s' must be a number.", name)
		}
	}
	if len(def.AllowedValues) == 0 {
		return nil
	}
	var allowed []string
	for _, a := range def.AllowedValues {
		s, _ := text(a)
		if s == value {
			return nil
		}
		allowed = append(allowed, s)
	}
	return invalid("Parameter '%s' must be one of AllowedValues [%s]", name, strings.Join(allowed, ", "))
}

// checkConstraints are the declaration's pattern, lengths and limits. A pattern
// that only Java's regular expressions have is let through.
func checkConstraints(name string, def cfn.ParameterDef, kind, value string) error {
	if def.AllowedPattern != "" {
		if pattern, err := regexp.Compile("^(?:" + def.AllowedPattern + ")$"); err == nil && !pattern.MatchString(value) {
			return invalid("Parameter '%s' must match pattern %s", name, def.AllowedPattern)
		}
	}
	length := float64(utf8.RuneCountInString(value))
	if least, err := strconv.ParseFloat(def.MinLength, 64); err == nil && length < least {
		return invalid("Parameter '%s' must contain at least %s characters", name, def.MinLength)
	}
	if most, err := strconv.ParseFloat(def.MaxLength, 64); err == nil && length > most {
		return invalid("Parameter '%s' must contain at most %s characters", name, def.MaxLength)
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || kind != "Number" && kind != "List<Number>" {
		return nil
	}
	if least, err := strconv.ParseFloat(def.MinValue, 64); err == nil && n < least {
		return invalid("Parameter '%s' must be a number not less than %s", name, def.MinValue)
	}
	if most, err := strconv.ParseFloat(def.MaxValue, 64); err == nil && n > most {
		return invalid("Parameter '%s' must be a number not greater than %s", name, def.MaxValue)
	}
	return nil
}

// shown lists the parameters as any answer may show them, sorted by name.
func (p parameters) shown() []Parameter {
	out := []Parameter{}
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		shown := Parameter{ParameterKey: name, ParameterValue: p.given[name]}
		if p.noEcho[name] {
			shown.ParameterValue = secret
		} else if resolved, ok := p.values[name].(string); ok && resolved != p.given[name] {
			shown.ResolvedValue = resolved
		}
		out = append(out, shown)
	}
	return out
}

// hide takes the values of NoEcho parameters out of a text, so that no
// provider's message can carry one into an event.
func (p parameters) hide(s string) string {
	for name := range p.noEcho {
		// A value of a character or two would tear ordinary words apart.
		if v := p.given[name]; len(v) > 2 {
			s = strings.ReplaceAll(s, v, secret)
		}
	}
	return s
}

// hideIn takes them out of properties, wherever an attribute of another
// resource may have carried them. v itself is left alone.
func (p parameters) hideIn(v any) any {
	if len(p.noEcho) == 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		return p.hide(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, el := range v {
			out[key] = p.hideIn(el)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			out[i] = p.hideIn(el)
		}
		return out
	}
	return v
}

// text is a scalar as CloudFormation spells it in strings.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool, int, float64:
		return fmt.Sprint(v), true
	}
	return "", false
}
