package diff

import (
	"strings"

	"arc/cfn/diff/model"
	"arc/cfn/registry"
)

// resourceText names what a right is about: "table notes" for ${NotesTable.Arn}.
func (r *reviewer) resourceText(text string) string {
	if text == "*" {
		return "everything"
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
	for front, what := range ownARNs {
		if rest, ok := strings.CutPrefix(text, front); ok && (rest == "" || rest == "/*") {
			return what
		}
	}
	return strings.ReplaceAll(text, "${AWS::", "${")
}

// ownARNs are what every stack of the tool has of its own.
var ownARNs = map[string]string{
	"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}":       "the stack's parameters",
	"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/arc/${AWS::StackName}": "the stack's logs",
}
