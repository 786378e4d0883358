package rights

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// filtered is what the filters of operations.txt make of values; ok is false when
// that cannot be told.
func (g *Guard) filtered(service, filter string, values []string, of members) (out []string, ok bool) {
	if filter == "bus" {
		return []string{busFolder(values)}, true
	}
	if filter == "stack" && len(values) == 0 {
		return []string{"stack/*/*"}, true // all there are
	}
	for _, value := range values {
		if strings.HasPrefix(value, "arn:") && !slices.Contains([]string{"topic", "function", "machine", "qualifier"}, filter) {
			out = append(out, value)
			continue
		}
		switch filter {
		case "queue": // its URL
			out = append(out, value[strings.LastIndexByte(value, '/')+1:])
		case "topic": // a subscription's ARN ends with its ID
			out = append(out, value[:max(strings.LastIndexByte(value, ':'), 0)])
		case "machine", "qualifier":
			// Versions and aliases are authorized by the state machine's ARN, and a
			// condition may name theirs.
			// https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
			parts := strings.SplitN(value, ":", 8)
			if filter == "machine" {
				out = append(out, strings.Join(parts[:min(7, len(parts))], ":"))
			} else if len(parts) == 8 {
				out = append(out, parts[7])
			}
		case "parameter":
			out = append(out, strings.TrimPrefix(value, "/"))
		case "function":
			out = append(out, functionName(value))
		case "function-arn":
			if !strings.HasPrefix(value, "arn:") {
				value = g.arn(g.options.Region, "lambda", "function:"+functionName(value))
			}
			out = append(out, value)
		case "stack":
			out = append(out, "stack/"+value+"/*")
		case "role", "secret":
			found := ""
			if g.options.Find != nil {
				found = g.options.Find(service, value)
			}
			if found == "" {
				found = filter + "/" + value
				if filter == "secret" {
					found = "secret:" + value
				}
			}
			out = append(out, found)
		case "hash":
			key, known := g.leadingKey(value, of)
			if !known {
				return nil, false
			}
			out = append(out, key)
		case "select", "insert", "update", "delete":
			if verb, table := statementOf(value); verb == filter {
				out = append(out, table)
			}
		}
	}
	return out, true
}

// busFolder is the part of a rule's ARN that names its bus, if it is not the
// default one.
func busFolder(values []string) string {
	if len(values) == 0 {
		return ""
	}
	name := values[0][strings.LastIndexByte(values[0], '/')+1:]
	if name == "default" || name == "" {
		return ""
	}
	return name + "/"
}

// functionName is the name in what a function may be called by, with the version
// or alias behind it: ARNs and parts of them.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestSyntax
func functionName(called string) string {
	if _, end, ok := strings.Cut(called, "function:"); ok {
		return end
	}
	return called
}

// leadingKey is the value of an item's partition key.
func (g *Guard) leadingKey(item string, of members) (string, bool) {
	names := of.get("TableName")
	if len(names) != 1 || g.options.PartitionKey == nil {
		return "", false
	}
	var attributes map[string]map[string]any
	if json.Unmarshal([]byte(item), &attributes) != nil {
		return "", false
	}
	for _, value := range attributes[g.options.PartitionKey(names[0])] {
		text, ok := value.(string)
		return text, ok
	}
	return "", false
}

// statements tell the verb and the table of PartiQL; an index is named behind it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.statements.html
var statements = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)^\s*(?:(select)\b.*?\bfrom|(insert)\s+into|(update)|(delete)\s+from)\s+("[^"]+"|[\w.-]+)(?:\."([^"]+)")?`)
})

func statementOf(text string) (verb, table string) {
	m := statements().FindStringSubmatch(text)
	if m == nil {
		return "", ""
	}
	verb = strings.ToLower(m[slices.IndexFunc(m[1:5], func(s string) bool { return s != "" })+1])
	table = strings.Trim(m[5], `"`)
	if m[6] != "" {
		table += "/index/" + m[6]
	}
	return verb, table
}
