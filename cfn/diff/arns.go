package diff

import (
	"encoding/json"
	"strings"

	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// resourceText names what a right is about: "table notes" for ${NotesTable.Arn}.
func (r *reviewer) resourceText(text string) string {
	if text == "*" {
		return "everything"
	}
	if what := unreadText(text); what != "" {
		return what
	}
	for _, m := range []*model.App{r.after, r.before} {
		id, tail, ok := m.ResourceOf(text)
		if !ok {
			continue
		}
		for _, part := range registry.Of(m.Doc.Resources[id].Type).Parts {
			if tail == part.End {
				return part.What + " of " + r.describe(id)
			}
		}
		return r.describe(id) + tail
	}
	if name := r.bucketText(text); name != "" {
		return name
	}
	for front, what := range ownARNs {
		if rest, ok := strings.CutPrefix(text, front); ok && (rest == "" || rest == "/*") {
			return what
		}
	}
	return strings.ReplaceAll(text, "${AWS::", "${")
}

// bucketText names a bucket that is told by a name made of parameters: by its logical
// ID, or by the name that the parameters' defaults make; "" for anything else.
func (r *reviewer) bucketText(text string) string {
	_, name, ok := strings.Cut(strings.ReplaceAll(text, "${AWS::Partition}", "aws"), "arn:aws:s3:::")
	if !ok || !strings.Contains(name, "${") {
		return ""
	}
	name, tail, inside := strings.Cut(name, "/")
	if inside {
		tail = "/" + tail
	}
	for _, m := range []*model.App{r.after, r.before} {
		sub := map[string]any{"Fn::Sub": name}
		if id := m.Bucket(sub); id != "" {
			return r.describe(id) + tail
		}
		if resolved := m.Resolved(sub); resolved != name {
			return "bucket " + strings.ReplaceAll(resolved+tail, "${AWS::", "${")
		}
	}
	return ""
}

// unreadText names a policy or a part of one that cannot be read, and is given as
// JSON; "" for anything else.
func unreadText(text string) string {
	var v any
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, `"`) || json.Unmarshal([]byte(text), &v) != nil {
		return ""
	}
	m, _ := v.(map[string]any)
	arguments, _ := m["Fn::If"].([]any)
	switch {
	case m == nil || m["Fn::Sub"] != nil || m["Fn::Join"] != nil:
		return "a policy that is text, and no JSON before the deploy"
	case len(arguments) == 3:
		return "what the condition " + values.PlainText(arguments[0]) + " decides"
	case m["Ref"] != nil || m["Fn::GetAtt"] != nil:
		return "what " + values.PlainText(m) + " gives"
	case m["Sid"] != nil:
		return "the statement " + values.PlainText(m["Sid"])
	case m["Effect"] != nil:
		return "a statement"
	case len(m) == 1:
		for name := range m {
			return "what " + name + " gives"
		}
	}
	return "a policy of another form"
}

// deniedText says what a Deny forbade that goes, or that forbids less.
func (r *reviewer) deniedText(d iam.Denial) string {
	list := func(all []string, but bool, name func(string) string) string {
		var names []string
		for _, text := range all {
			names = append(names, name(text))
		}
		if but {
			return allBut + few(names)
		}
		return few(names)
	}
	text := "a Deny goes: it forbade "
	if d.Narrowed {
		text = "a Deny forbids less: it forbade "
	}
	if d.Principals != nil {
		text += list(d.Principals, d.AllButPrincipals, r.principalText) + " "
	}
	text += list(d.Actions, d.AllButActions, func(s string) string { return s }) + " on " + list(d.Resources, d.AllButResources, r.resourceText)
	if len(d.Conditions) > 0 {
		text += " if " + strings.ReplaceAll(strings.Join(d.Conditions, " and "), "${AWS::", "${")
	}
	return text
}

// ownARNs are what every stack of the tool has of its own.
var ownARNs = map[string]string{
	"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}":       "the stack's parameters",
	"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/arc/${AWS::StackName}": "the stack's logs",
}
