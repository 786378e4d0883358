package rights

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed operations.txt
var operationsText string

// operation is one line of operations.txt.
type operation struct {
	action   string // "dynamodb:PutItem"
	resource string // "" = it is never refused
	keys     [][2]string
}

// operations are the lines of operations.txt, by service and operation.
var operations = sync.OnceValue(func() map[string]map[string][]operation {
	table := map[string]map[string][]operation{}
	service := ""
	for line := range strings.Lines(operationsText) {
		text, isOperation := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t")
		words := strings.Fields(text)
		switch {
		case len(words) == 0 || strings.HasPrefix(text, "#"):
			continue
		case !isOperation:
			service = words[0]
			table[service] = map[string][]operation{}
			continue
		}
		op := operation{action: prefixOf(service) + ":" + words[1]}
		if strings.Contains(words[1], ":") {
			op.action = words[1] // of another service
		}
		if len(words) > 2 {
			op.resource, op.keys = words[2], keysOf(words[3:])
		}
		table[service][words[0]] = append(table[service][words[0]], op)
	}
	return table
})

// Known reports whether the local cloud has an operation of a service.
func Known(service, operation string) bool {
	_, known := operations()[service][operation]
	return known
}

// keysOf reads KEY=VALUE.
func keysOf(words []string) (keys [][2]string) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		keys = append(keys, [2]string{strings.ToLower(key), value})
	}
	return keys
}

// prefixOf is how actions of a service begin, which clients sign for by another
// name.
func prefixOf(service string) string {
	if service == "monitoring" {
		return "cloudwatch"
	}
	return service
}

// members give what a request says: the values of a member, by its path as
// operations.txt writes it.
type members interface{ get(path string) []string }

// question is what IAM is asked about a request.
type question struct {
	action, resource string
	keys             [][2]string // condition keys that the request tells, and where
	told             [][2]string // condition keys with their values
	service          string
	of               members
}

// value is that of a condition key that the request tells; known is false when it
// tells no such key, or it cannot be told.
func (g *Guard) value(q question, key string) (values []string, known bool) {
	for _, k := range q.told {
		if k[0] == key {
			return []string{k[1]}, true
		}
	}
	for _, k := range q.keys {
		if k[0] == key {
			return g.values(q.service, k[1], q.of)
		}
	}
	return nil, false
}

// questions are those of an operation; known is false when the table has none of
// its name. A request that lacks what its resource is told by has none: the
// service refuses it.
func (g *Guard) questions(region, service, name string, of members) (list []question, known bool) {
	ops, known := operations()[service][name]
	for _, op := range ops {
		if op.resource == "" {
			continue
		}
		q := question{action: op.action, resource: "*", keys: op.keys, service: service, of: of}
		if op.resource == "*" {
			list = append(list, q)
			continue
		}
		seen := map[string]bool{}
		for _, resource := range g.expand(service, op.resource, of) {
			if seen[resource] {
				continue
			}
			seen[resource] = true
			if resource != "*" && !strings.HasPrefix(resource, "arn:") {
				resource = g.arn(region, service, resource)
			}
			q.resource = resource
			list = append(list, q)
		}
	}
	return list, known
}

// arn is that of a resource of this account in the region that a call is for.
func (g *Guard) arn(region, service, resource string) string {
	account := g.options.Account
	switch service {
	case "s3":
		region, account = "", ""
	case "iam", "cloudfront":
		region = ""
	case "apigateway":
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
		account = ""
	}
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", g.options.Partition, prefixOf(service), region, account, resource)
}

// expand fills in a resource: all that its fields give, none when one is missing.
// A field that holds an ARN is the resource with what follows.
func (g *Guard) expand(service, text string, of members) []string {
	out := []string{""}
	for text != "" {
		at := strings.IndexAny(text, "{[")
		if at < 0 {
			at = len(text)
		}
		for i := range out {
			out[i] += text[:at]
		}
		if text = text[at:]; text == "" {
			break
		}
		closing := "}"
		if text[0] == '[' {
			closing = "]"
		}
		end := strings.LastIndex(text[:endOf(text, closing[0])+1], closing)
		inside := text[1:end]
		text = text[end+1:]
		var values []string
		if closing == "]" {
			if values = g.expand(service, inside, of); len(values) == 0 {
				continue
			}
		} else {
			var ok bool
			if values, ok = g.values(service, "{"+inside+"}", of); !ok || len(values) == 0 {
				return nil
			}
		}
		var longer []string
		for _, front := range out {
			for _, value := range values {
				if strings.HasPrefix(value, "arn:") {
					front = ""
				}
				longer = append(longer, front+value)
			}
		}
		out = longer
	}
	return out
}

// endOf is where the bracket that a text begins with is closed; those of lists in
// a field do not count.
func endOf(text string, closing byte) int {
	depth := 0
	for i := range len(text) {
		switch {
		case text[i] == '{':
			depth++
		case text[i] == '}':
			depth--
			if closing == '}' && depth == 0 {
				return i
			}
		case text[i] == ']' && closing == ']' && depth == 0:
			return i
		}
	}
	return len(text) - 1
}

// values are those of a field; ok is false when they cannot be told.
func (g *Guard) values(service, field string, of members) (values []string, ok bool) {
	field = strings.Trim(field, "{}")
	field, filter, filtered := strings.Cut(field, ":")
	paths := strings.Split(field, "|")
	for _, path := range paths {
		if otherwise, ok := strings.CutPrefix(path, "'"); ok {
			otherwise = strings.TrimSuffix(otherwise, "'")
			if len(values) == 0 {
				return []string{otherwise}, true
			}
			for i, value := range values {
				if value == "" {
					values[i] = otherwise
				}
			}
			break
		}
		if len(values) == 0 {
			values = of.get(path)
		}
	}
	values = slices.DeleteFunc(values, func(value string) bool { return value == "" })
	if !filtered {
		return values, true
	}
	return g.filtered(service, filter, values, of)
}
