package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"arc/cfn"
)

// scopeOf is what a template knows of its values before it is deployed: the
// defaults of its parameters, and the region. What a resource gives is a text
// that no number is read from.
func scopeOf(doc *cfn.Document, region string) cfn.Scope {
	return cfn.Scope{
		Ref: func(name string) (any, error) {
			if name == "AWS::Region" {
				return region, nil
			}
			if _, ok := doc.Resources[name]; ok {
				return "(" + name + ")", nil
			}
			p := doc.Parameters[name]
			if p.Default == nil || p.NoEcho || strings.HasPrefix(p.Type, "AWS::SSM::") {
				return nil, fmt.Errorf("%s is known only when it is deployed", name)
			}
			return p.Default, nil
		},
		GetAtt:     func(resource, attribute string) (any, error) { return "(" + resource + "." + attribute + ")", nil },
		Mappings:   doc.Mappings,
		Conditions: doc.Conditions,
	}
}

// resource is a resource with the estimate that it is read for.
type resource struct {
	e   *estimator
	id  string
	def cfn.ResourceDef
}

// value evaluates a property and walks into it; nil = it is not there.
func (r resource) value(property string, path ...string) (any, error) {
	v, err := cfn.Eval(r.def.Properties[property], r.e.scope)
	if err != nil {
		return nil, err
	}
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v, nil
}

// number is a property that holds a number; otherwise stands for none.
func (r resource) number(otherwise float64, property string, path ...string) (float64, error) {
	v, err := r.value(property, path...)
	if err != nil || v == nil {
		return otherwise, err
	}
	return number(v)
}

// text is a property that holds a string.
func (r resource) text(property string, path ...string) (string, error) {
	v, err := r.value(property, path...)
	s, _ := v.(string)
	return s, err
}

func number(v any) (float64, error) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	case float64:
		return v, nil
	case int:
		return float64(v), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1e12 || n != n {
		return 0, errors.New("a number in it is known only when it is deployed")
	}
	return n, nil
}
