package diff

import (
	"strings"

	"arc/cfn/diff/iam"
)

// resourceText names what a right is about: "table notes" for ${NotesTable.Arn}.
func (r *reviewer) resourceText(text string) string {
	if text == "*" {
		return "everything"
	}
	for _, m := range []*model{r.after, r.before} {
		id, tail, ok := m.resourceOf(text)
		if !ok {
			continue
		}
		if part := parts[m.doc.Resources[id].Type+tail]; part != "" {
			return part + " of " + r.describe(id)
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

// parts are what the ends of ARNs stand for.
var parts = map[string]string{
	"AWS::S3::Bucket/*":              "the objects",
	"AWS::DynamoDB::Table/index/*":   "the indexes",
	"AWS::DynamoDB::Table/stream/*":  "the stream",
	"AWS::DynamoDB::Table.StreamArn": "the stream",
	"AWS::ApiGatewayV2::Api/*":       "everything",
}

// ownARNs are what every stack of the tool has of its own.
var ownARNs = map[string]string{
	"arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}":       "the stack's parameters",
	"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/arc/${AWS::StackName}": "the stack's logs",
}

// resourceOf finds the resource that an ARN starts with.
func (m *model) resourceOf(arn string) (id, rest string, ok bool) {
	arn = strings.Replace(arn, "arn:aws:", "arn:${AWS::Partition}:", 1)
	for at := arn; ; {
		_, after, found := strings.Cut(at, "${")
		name, tail, closed := strings.Cut(after, "}")
		if !found || !closed {
			return "", "", false
		}
		id, attribute, _ := strings.Cut(name, ".")
		def, known := m.doc.Resources[id]
		front := arn[:len(arn)-len(tail)]
		if known && (front == "${"+name+"}" && (attribute == "" || strings.HasSuffix(attribute, "Arn")) || front == arnForm(def.Type, id)) {
			return id, tail, true
		}
		at = tail
	}
}

// arnForm is the ARN of a resource by its Ref, for types whose ARN is made of
// it; "" for others.
func arnForm(typ, id string) string {
	const where = "${AWS::Region}:${AWS::AccountId}:"
	switch typ {
	case "AWS::DynamoDB::Table":
		return "arn:${AWS::Partition}:dynamodb:" + where + "table/${" + id + "}"
	case "AWS::Lambda::Function":
		return "arn:${AWS::Partition}:lambda:" + where + "function:${" + id + "}"
	case "AWS::S3::Bucket":
		return "arn:${AWS::Partition}:s3:::${" + id + "}"
	}
	return ""
}

// policy reads a policy document. ARNs that it has from resources and ARNs
// that it makes of their names read alike.
func (m *model) policy(document any) iam.Policy { return iam.Parse(m.writeARNs(document)) }

func (m *model) writeARNs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if isIntrinsic(v) {
			text, exact := exactText(v)
			if exact {
				return map[string]any{"Fn::Sub": m.expandARNs(text)}
			}
			return v
		}
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = m.writeARNs(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = m.writeARNs(x)
		}
		return out
	}
	return v
}

// expandARNs writes ${X.Arn} out, where that can be done.
func (m *model) expandARNs(text string) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(text, "${")
		name, tail, closed := strings.Cut(rest, "}")
		if !found || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(plain)
		id, ok := strings.CutSuffix(name, ".Arn")
		if form := arnForm(m.doc.Resources[id].Type, id); ok && form != "" {
			b.WriteString(form)
		} else {
			b.WriteString("${" + name + "}")
		}
		text = tail
	}
}
