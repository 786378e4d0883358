package cfn

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"arc/cfn/registry"

	"github.com/awslabs/goformation/v7/cloudformation/apigatewayv2"
	"github.com/awslabs/goformation/v7/cloudformation/dynamodb"
	"github.com/awslabs/goformation/v7/cloudformation/lambda"
)

// propertyLimit is a Limit of a property, with its path and pattern taken apart.
type propertyLimit struct {
	Limit
	path    []string
	pattern func() *regexp.Regexp // nil = any text
}

// pathOf takes a path apart: "A[].B" → A, [], B.
func pathOf(property string) []string {
	return strings.Split(strings.ReplaceAll(property, "[]", ".[]"), ".")
}

// refuses says in words what AWS has against a value: text, a number, or how
// many items there are; "" when it takes it.
func (l *propertyLimit) refuses(v reflect.Value) string {
	n, quoted := 0, ""
	if number, is := v.Interface().(json.Number); is {
		whole, err := number.Int64()
		if err != nil {
			return ""
		}
		v = reflect.ValueOf(whole)
	}
	switch {
	case v.Kind() == reflect.String:
		text := v.String()
		quoted = fmt.Sprintf("%q ", brief(text))
		switch l.Unit {
		case "characters":
			n = utf8.RuneCountInString(text)
		case "levels":
			n = strings.Count(strings.TrimPrefix(text, "/"), "/") + 1
		}
		if (l.Max == 0 || n <= l.Max) && l.pattern != nil && !l.pattern().MatchString(text) {
			return quoted + "is not of the form " + l.Pattern
		}
	case v.Kind() == reflect.Slice:
		n = v.Len()
	case v.CanInt():
		n = int(v.Int())
	default:
		return ""
	}
	if n >= l.Min && (l.Max == 0 || n <= l.Max) {
		return ""
	}
	takes := fmt.Sprintf("%d to %d", l.Min, l.Max)
	if l.Max == 0 {
		takes = fmt.Sprintf("%d or more", l.Min)
	} else if l.Min == 0 {
		takes = fmt.Sprintf("%d at most", l.Max)
	}
	if l.Unit == "" {
		return fmt.Sprintf("is %d, but AWS takes %s", n, takes)
	}
	return fmt.Sprintf("%shas %d %s, but AWS takes %s", quoted, n, l.Unit, takes)
}

// brief cuts text for a message.
func brief(text string) string {
	if utf8.RuneCountInString(text) <= 40 {
		return text
	}
	return string([]rune(text)[:37]) + "..."
}

// checkValues holds every value of the template that is known before a deploy
// to the table of limits. It comes before the template is divided.
func (c *compiler) checkValues() {
	known := c.pseudo()
	for _, id := range slices.Sorted(maps.Keys(c.t.Resources)) {
		r := c.t.Resources[id]
		limits := limitsByType()[r.AWSCloudFormationType()]
		for i := range limits {
			l := &limits[i]
			walk(reflect.ValueOf(r), l.path, func(v reflect.Value) {
				if _, number := v.Interface().(json.Number); v.Kind() == reflect.String && !number {
					text, ok := resolved(v.String(), known)
					if !ok {
						return
					}
					v = reflect.ValueOf(text)
				}
				if why := l.refuses(v); why != "" {
					c.errorf(c.stack.Origins[id], l.Code, l.Hint, "%s of %s %s", l.Property, id, why)
				}
			})
		}
	}
	c.checkCounts(known)
}

// walk hands over what stands at a path of a value, if anything does.
func walk(v reflect.Value, path []string, found func(reflect.Value)) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if w, is := writtenOf(v); is {
		v = reflect.ValueOf(w.Body["Properties"])
		if !v.IsValid() {
			return
		}
	}
	switch {
	case len(path) == 0:
		found(v)
	case path[0] == "[]":
		if v.Kind() == reflect.Slice {
			for i := range v.Len() {
				walk(v.Index(i), path[1:], found)
			}
		}
	case v.Kind() == reflect.Map:
		if inner := v.MapIndex(reflect.ValueOf(path[0])); inner.IsValid() {
			walk(inner, path[1:], found)
		}
	case v.Kind() == reflect.Struct:
		field := v.FieldByName(path[0])
		if field.IsValid() && !(field.Kind() == reflect.Slice && field.IsNil()) {
			walk(field, path[1:], found)
		}
	}
}

// writtenOf is a resource that somebody else has written.
func writtenOf(v reflect.Value) (Written, bool) {
	if v.Kind() != reflect.Struct || !v.CanInterface() {
		return Written{}, false
	}
	w, is := v.Interface().(Written)
	return w, is
}

// pseudo are the pseudo parameters with values as long as they can be.
func (c *compiler) pseudo() *strings.Replacer {
	region := c.app.AWS.Region
	if region == "" {
		region = "ap-southeast-1" // no region has a longer name
	}
	return strings.NewReplacer("${AWS::StackName}", c.stack.Name, "${AWS::Region}", region,
		"${AWS::AccountId}", "123456789012", "${AWS::Partition}", "aws", "${AWS::URLSuffix}", "amazonaws.com", "${!", "\x00")
}

// resolved is the text that a value will be: as written, or with the pseudo
// parameters of a Ref or Sub filled in. ok is false when only a deploy knows.
func resolved(text string, pseudo *strings.Replacer) (value string, ok bool) {
	raw, marked := strings.CutPrefix(text, mark)
	if !marked {
		return text, true
	}
	function, argument, _ := strings.Cut(strings.TrimSuffix(raw, "}"), `":`)
	if !strings.HasPrefix(argument, `"`) {
		return "", false
	}
	argument = string(unquote([]byte(argument)))
	switch function {
	case `{"Ref`:
		argument = "${" + argument + "}"
	case `{"Fn::Sub`:
	default:
		return "", false
	}
	argument = pseudo.Replace(argument)
	if strings.Contains(argument, "${") {
		return "", false // another resource's
	}
	return strings.ReplaceAll(argument, "\x00", "${"), true
}

// checkCounts reports more of something than AWS takes.
func (c *compiler) checkCounts(known *strings.Replacer) {
	actions, size := 0, 0
	var crowded []string // functions with too much environment
	for _, id := range slices.Sorted(maps.Keys(c.t.Resources)) {
		switch r := c.t.Resources[id].(type) {
		case *apigatewayv2.Api:
			body, _ := r.Body.(openAPI)
			n := 0
			for _, methods := range body.Paths {
				n += len(methods)
			}
			if n > maxIntegrations {
				c.errorf(c.stack.Origins[id], "integration-count", "let one function answer several routes: any /admin/*; or "+divideApp,
					"%d routes, each with an integration: an HTTP API takes %d integrations, and AWS raises that for nobody", n, maxIntegrations)
			}
		case *apigatewayv2.Route:
			if actions++; actions == maxActions+1 {
				c.warnf(c.stack.Origins[id], "action-count", "ask AWS for a higher quota of routes per API before the deploy",
					"a WebSocket API takes %d actions unless the account's quota is higher", maxActions)
			}
		case *dynamodb.Table:
			if n := len(r.GlobalSecondaryIndexes); n > maxIndexes {
				c.errorf(c.stack.Origins[id], "index-count", "remove indexes, or divide the table", "the table has %d indexes, but DynamoDB takes %d", n, maxIndexes)
			}
		case *lambda.Function:
			if n := environmentSize(r, known); n > maxEnvironment {
				crowded = append(crowded, id)
				size = max(size, n)
			}
		case Written:
			if n := writtenEnvironmentSize(r); n > maxEnvironment {
				crowded = append(crowded, id)
				size = max(size, n)
			}
		}
	}
	if len(crowded) > 0 {
		more := ""
		if n := len(crowded) - 1; n > 0 {
			more = fmt.Sprintf(" (and those of %d more)", n)
		}
		c.errorf(c.stack.Origins[crowded[0]], "env-size", "keep large values in a file or in SSM, and read them from there; env in @uses narrows what a function is given",
			"the environment variables of %s%s have up to %d bytes without the values of yours, but Lambda takes %d", crowded[0], more, size, maxEnvironment)
	}
}

// environmentSize is how many bytes a function's variables have, as far as they
// are known without the values of the user's.
func environmentSize(f *lambda.Function, known *strings.Replacer) int {
	if f.Environment == nil {
		return 0
	}
	size := 0
	for name, value := range f.Environment.Variables {
		text, _ := resolved(value, known)
		size += len(name) + len(text)
	}
	return size
}

// writtenEnvironmentSize is environmentSize of a function that somebody else has
// written.
func writtenEnvironmentSize(w Written) int {
	size := 0
	if w.Type != registry.LambdaFunction {
		return 0
	}
	walk(reflect.ValueOf(w), []string{"Environment", "Variables"}, func(v reflect.Value) {
		variables, _ := v.Interface().(map[string]any)
		for name, value := range variables {
			text, _ := value.(string)
			size += len(name) + len(text)
		}
	})
	return size
}
