package rights

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"

	"arc/cfn/iam"
	"arc/cfn/registry"
	"arc/sandbox/activity"
	"arc/sandbox/stack"
)

//go:embed handlers.txt
var handlersText string

// calling is one line of handlers.txt.
type calling struct {
	step, action string // "create" or "any"; may have *
	when         string // "always", "set:Role"
	resource     string // "" = the type's
	keys         [][2]string
}

// handler is what handlers.txt says of a type.
type handler struct {
	resource string
	calls    []calling
}

// handlers are the types of handlers.txt; "*" is all of them.
var handlers = sync.OnceValue(func() map[string]*handler {
	table := map[string]*handler{}
	var of *handler
	for line := range strings.Lines(handlersText) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "#"):
		case !strings.HasPrefix(line, "\t"):
			of = &handler{}
			if len(words) > 1 {
				of.resource = words[1]
			}
			table[words[0]] = of
		default:
			c := calling{step: words[0], action: words[1], when: words[2]}
			if len(words) > 3 {
				c.resource, c.keys = words[3], keysOf(words[4:])
			}
			of.calls = append(of.calls, c)
		}
	}
	return table
})

// callOf is the line about an action of a step with a type.
func callOf(kind, step, action string) calling {
	own := handlers()[kind]
	if own == nil {
		return calling{when: "maybe"}
	}
	for _, c := range slices.Concat(own.calls, handlers()["*"].calls) {
		if c.step != step && c.step != "any" {
			continue
		}
		if ok, _ := path.Match(c.action, action); ok {
			if c.resource == "" {
				c.resource = own.resource
				if serviceOf(own) != prefix(action) {
					c.resource = "*"
				}
			}
			return c
		}
	}
	c := calling{when: "maybe", resource: own.resource}
	if serviceOf(own) != prefix(action) {
		c.resource = "*"
	}
	return c
}

// serviceOf is the service that a type's resources are of: that of what makes one.
func serviceOf(h *handler) string { return prefix(h.calls[0].action) }

func prefix(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return service
}

// MayHandle says why a stack operation may not make, change or delete a resource
// ("Create", "Update", "Delete"): its caller, or the role that it was given, lacks
// a right that what the template sets takes. nil = it may, or what it takes is not
// known; what it may take, and its caller lacks, is told. The context is that of
// the call to CloudFormation.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
func (g *Guard) MayHandle(ctx context.Context, op string, req stack.Request, role string) *Denial {
	c, ok := Of(ctx)
	if role != "" {
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
		c = Caller{
			ARN:  stack.ARN(g.options.Region, "sts", "", g.options.Account, "assumed-role/"+role[strings.LastIndexByte(role, '/')+1:]+"/AWSCloudFormation"),
			Role: role,
		}
	} else if !ok {
		return nil // the administrator
	}
	if registry.IsCustom(req.Type) && !g.options.Off {
		return g.mayAsk(ctx, c, req)
	}
	of, known := registry.HandlerOf(req.Type)
	if g.options.Off || !known {
		return nil
	}
	step := strings.ToLower(op)
	var perhaps []string
	r := (&http.Request{Header: http.Header{}}).WithContext(ctx)
	for _, action := range inOrder(req.Type, step, map[string][]string{"create": of.Create, "update": of.Update, "delete": of.Delete}[step]) {
		call := callOf(req.Type, step, action)
		sure, may := call.applies(step, req)
		if !sure && !may {
			continue
		}
		for _, q := range g.questionsOf(stack.RegionIn(ctx, g.options.Region), call, action, req) {
			if sure {
				if why := g.ask(c, q, r); why != nil {
					return why
				}
			} else if g.lacks(c, q, r) && !slices.Contains(perhaps, action) {
				perhaps = append(perhaps, action)
			}
		}
	}
	if len(perhaps) > 0 {
		slices.Sort(perhaps)
		g.say("perhaps-"+c.ARN+req.Type+step, activity.Event{Kind: activity.Notice, Text: fmt.Sprintf(
			"%s: to %s an %s CloudFormation may also ask for\n  %s,\n  which it may not: when is not known here: let through", c.Called(), step, req.Type, strings.Join(perhaps, ",\n  "))})
	}
	return nil
}

// mayAsk says why a stack operation may not send the request of a custom resource to
// the function or topic that its ServiceToken names.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html
func (g *Guard) mayAsk(ctx context.Context, c Caller, req stack.Request) *Denial {
	token, _ := req.Properties["ServiceToken"].(string)
	action := "lambda:InvokeFunction"
	if parts := strings.SplitN(token, ":", 4); len(parts) == 4 && parts[2] == "sns" {
		action = "sns:Publish"
	}
	return g.ask(c, question{action: action, resource: token}, (&http.Request{Header: http.Header{}}).WithContext(ctx))
}

// inOrder are the actions of a step in the order in which they are asked: what
// makes, changes or deletes the resource itself first, as the handler does it.
func inOrder(kind, step string, actions []string) []string {
	own := handlers()[kind]
	if own == nil {
		return actions
	}
	place := func(action string) int {
		i := slices.IndexFunc(own.calls, func(c calling) bool {
			ok, _ := path.Match(c.action, action)
			return ok && (c.step == step || c.step == "any")
		})
		if i < 0 {
			return len(own.calls)
		}
		return i
	}
	sorted := slices.Clone(actions)
	slices.SortStableFunc(sorted, func(a, b string) int { return place(a) - place(b) })
	return sorted
}

// applies says whether a step calls the action for what the template sets, and
// else whether it may.
func (c calling) applies(step string, req stack.Request) (sure, may bool) {
	when, list, _ := strings.Cut(c.when, ":")
	var names []string
	if list != "" {
		names = strings.Split(list, "|")
	}
	one := func(holds func(now, was any) bool) bool {
		return slices.ContainsFunc(names, func(name string) bool { return holds(within(req.Properties, name), within(req.Old, name)) })
	}
	set := one(func(now, was any) bool { return now != nil && (step != "update" || !reflect.DeepEqual(now, was)) })
	gone := step == "update" && one(func(now, was any) bool { return now == nil && was != nil })
	switch when {
	case "always":
		return true, false
	case "set":
		return set, false
	case "with":
		return one(func(now, _ any) bool { return now != nil }), false
	case "gone":
		return gone, step == "update" && set && one(func(_, was any) bool { return was != nil }) // parts of it may go
	case "but":
		return step == "update" && slices.ContainsFunc(changed(req), func(name string) bool { return !slices.Contains(names, name) }), false
	case "maybe":
		return false, len(names) == 0 || set || gone
	}
	return false, false
}

// changed are the properties that an update changes.
func changed(req stack.Request) []string {
	var names []string
	for name, now := range req.Properties {
		if !reflect.DeepEqual(now, req.Old[name]) {
			names = append(names, name)
		}
	}
	for name := range req.Old {
		if _, ok := req.Properties[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// within is a property by its path; nil = it is not set.
func within(properties map[string]any, name string) any {
	first, rest, deeper := strings.Cut(name, ".")
	value := properties[first]
	if !deeper {
		return value
	}
	inner, _ := value.(map[string]any)
	return within(inner, rest)
}

// questionsOf are those that a call asks IAM.
func (g *Guard) questionsOf(region string, c calling, action string, req stack.Request) []question {
	service := prefix(action)
	of := made{req, propertiesOf(req.Properties)}
	resources := []string{"*"}
	if c.resource != "*" && c.resource != "" {
		resources = g.expand(service, c.resource, of)
	}
	var list []question
	for _, resource := range resources {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			resource = g.arn(region, service, resource)
		}
		list = append(list, question{action: action, resource: resource, keys: c.keys, service: service, of: of})
	}
	return list
}

// propertiesOf are a resource's properties as the fields of a request.
func propertiesOf(properties map[string]any) object {
	var of object
	if raw, err := json.Marshal(properties); err == nil {
		json.Unmarshal(raw, &of) // an object, as it was
	}
	return of
}

// lacks reports whether a caller may not do something.
func (g *Guard) lacks(c Caller, q question, r *http.Request) bool {
	d, _ := g.decide(c, q, r)
	return d.Effect == iam.Denied
}

// made is a resource of a stack as handlers.txt asks about it.
type made struct {
	stack.Request
	properties object
}

func (m made) get(path string) []string {
	switch path {
	case "id":
		if m.PhysicalID == "" {
			return nil
		}
		return []string{m.PhysicalID}
	case "name":
		return []string{m.called()}
	}
	return m.properties.get(path)
}

// called is what a resource is called in its ARN, or its ARN.
func (m made) called() string {
	switch id := m.PhysicalID; {
	case strings.HasPrefix(id, "http"):
		return id[strings.LastIndexByte(id, '/')+1:]
	case id != "":
		return id[strings.LastIndexByte(id, '|')+1:] // a rule is called by its bus as well
	}
	for _, property := range nameProperties {
		if text, _ := m.Properties[property].(string); text != "" {
			return text
		}
	}
	return m.Name(maxName)
}

// nameProperties are those by which templates name resources.
var nameProperties = [...]string{
	"TableName", "RoleName", "ManagedPolicyName", "FunctionName", "LogGroupName", "BucketName", "TopicName", "QueueName", "RepositoryName", "StateMachineName", "Name",
}

// maxName is how long the names are that CloudFormation makes up for most.
const maxName = 64
