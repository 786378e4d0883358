package rights

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"
	"sync"

	"arc/sandbox/stack"
)

//go:embed handlers.txt
var handlersText string

// handler is what it takes to make, change and delete a resource.
type handler struct {
	actions  map[string]string // by "Create", "Update", "Delete"; "-" = none
	resource string
}

// handlers are the lines of handlers.txt, by resource type.
var handlers = sync.OnceValue(func() map[string]handler {
	table := map[string]handler{}
	for line := range strings.Lines(handlersText) {
		words := strings.Fields(line)
		if len(words) == 5 && words[0] != "#" {
			table[words[0]] = handler{map[string]string{"Create": words[1], "Update": words[2], "Delete": words[3]}, words[4]}
		}
	}
	return table
})

// MayHandle says why a stack operation may not make, change or delete a resource
// ("Create", "Update", "Delete"): its caller, or the role that it was given, lacks
// the right. nil = it may, or what it takes is not known. The context is that of
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
	h := handlers()[req.Type]
	action := h.actions[op]
	if g.options.Off || action == "" || action == "-" {
		return nil
	}
	service, _, _ := strings.Cut(action, ":")
	resources := []string{"*"}
	if h.resource != "*" {
		resources = g.expand(service, h.resource, made{req})
	}
	for _, resource := range resources {
		if resource != "*" && !strings.HasPrefix(resource, "arn:") {
			resource = g.arn(stack.RegionIn(ctx, g.options.Region), service, resource)
		}
		q := question{action: action, resource: resource, service: service, of: rest{}}
		if why := g.ask(c, q, (&http.Request{Header: http.Header{}}).WithContext(ctx)); why != nil {
			return why
		}
	}
	return nil
}

// made is a resource of a stack as operations.txt asks about it.
type made struct{ stack.Request }

func (m made) get(path string) []string {
	if path != "name" {
		text, _ := m.Properties[path].(string)
		return slices.DeleteFunc([]string{text}, func(text string) bool { return text == "" })
	}
	if m.PhysicalID != "" {
		return []string{m.PhysicalID[strings.LastIndexAny(m.PhysicalID, "/:|")+1:]}
	}
	for _, property := range []string{"TableName", "RoleName", "ManagedPolicyName", "FunctionName", "LogGroupName", "BucketName", "TopicName", "QueueName", "Name"} {
		if text, _ := m.Properties[property].(string); text != "" {
			return []string{text}
		}
	}
	return []string{m.Name(maxName)}
}

// maxName is how long the names are that CloudFormation makes up for most.
const maxName = 64
