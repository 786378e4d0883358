package diff

import (
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/iam"
	"arc/cfn/registry"
)

// loosePolicies compares the policies of roles, users and groups that are not
// in the template.
func (r *reviewer) loosePolicies() []Item {
	var items []Item
	for _, id := range r.changed(model.PolicyTypes()...) {
		if r.before.Belongs(id) || r.after.Belongs(id) {
			continue // told with its role
		}
		c := r.changes[id]
		before := r.before.Policy(r.before.Doc.Resources[id].Properties["PolicyDocument"])
		after := r.after.Policy(r.after.Doc.Resources[id].Properties["PolicyDocument"])
		it := Item{Action: c.Action, Subject: "policy " + model.Bare(id), Resources: []string{id}}
		it.place(r, id)
		r.word(&it, iam.Compare(before, after), before, after, false)
		if it.Text != "" {
			items = append(items, it)
		}
	}
	return items
}

// resourcePolicies compares the policies that hang on resources.
func (r *reviewer) resourcePolicies() []Item {
	var items []Item
	for _, id := range ids(r.changes) {
		c := r.changes[id]
		for _, holder := range registry.Policies(c.Type) {
			items = append(items, r.resourcePolicy(id, c, holder)...)
		}
	}
	return items
}

// resourcePolicy compares one policy of a resource.
func (r *reviewer) resourcePolicy(id string, c *compare.Change, holder registry.Policy) []Item {
	b, a := policyOf(r.before.Doc.Resources[id], holder), policyOf(r.after.Doc.Resources[id], holder)
	if values.Equal(b, a) {
		return nil
	}
	before, after := r.before.Policy(b), r.after.Policy(a)
	result, lifted := iam.Compare(before, after), iam.Lifted(before, after)
	separate := holder.Of != "" || isPolicy(c.Type)
	if result.Verdict == iam.Equal && len(lifted) == 0 {
		r.told[id] = r.told[id] || separate
		return nil
	}
	about, outside := id, "" // outside: the name of what is not in the template
	m := r.after
	if c.Action == compare.Remove {
		m = r.before
	}
	switch {
	case holder.Of != "":
		targets := m.Named(m.Doc.Resources[id].Properties[holder.Of])
		if len(targets) == 1 {
			about = targets[0]
		} else if name := m.Resolved(m.Doc.Resources[id].Properties[holder.Of]); len(targets) == 0 && name != "" && !strings.HasPrefix(name, "[") {
			outside = strings.ToLower(strings.TrimSuffix(holder.Of, "s")) + " " + strings.ReplaceAll(name, "${AWS::", "${")
		}
	case separate:
		about = r.aboutOf(m, id, holder.Property)
	}
	if c.Action == compare.Add && r.added(about) && about != id && !r.open(a) {
		r.told[id] = true // the policy of something new comes with it
		return nil
	}
	if result.Verdict == iam.Equal && (r.changes[about] != nil && r.changes[about].Action == compare.Remove) {
		r.told[id] = r.told[id] || separate // what it kept others from goes as well
		return nil
	}
	subject := "who may use " + r.describe(about)
	if outside != "" {
		subject = "who may use " + outside
	}
	it := r.item(c.Action, subject, verdictText(result.Verdict))
	it.Resources = []string{id}
	it.place(r, id)
	r.told[id] = r.told[id] || separate
	r.grants(&it, "+", result.Added)
	r.grants(&it, "-", result.Removed)
	comes := r.added(about) && !(separate && about == id) // a policy of what is outside comes to something that is there
	refused := c.Type == registry.S3BucketPolicy && r.open(a) && blocked(r.after, r.after.Doc.Resources[id].Properties["Bucket"])
	if refused {
		it.Text = "S3 refuses the policy, and nothing of it comes: BlockPublicPolicy is on"
		if r.open(b) && blocked(r.before, r.before.Doc.Resources[id].Properties["Bucket"]) { // otherwise told as what is newly open
			it.Risks = append(it.Risks, Risk{PolicyRefused, Refused, it.Subject + ": S3 refuses a policy that lets everyone in while BlockPublicPolicy is on"})
		}
	}
	danger := after.Except(r.comes)
	if ownAccountAddsNothing(c.Type) {
		danger = danger.WithoutPrincipal("AWS:${AWS::AccountId}")
	}
	if widened := iam.Compare(before, danger); result.Widens() && !refused && !r.first && !comes && widened.Widens() {
		it.Risks = append(it.Risks, Risk{PolicyWidened, Rights, it.Subject + ": now also " + r.gravest(widened.Added)})
	}
	if result.Verdict == iam.Equal { // who is let in by rights of his own is not in the template
		it.Text = "no longer denied"
		it.Risks = append(it.Risks, Risk{PolicyWidened, Protection, it.Subject + ": " + r.deniedText(lifted[0])})
	}
	for _, d := range lifted {
		it.Details = append(it.Details, r.deniedText(d))
	}
	if c.Action != compare.Add && deniesPlainHTTP(b) && !deniesPlainHTTP(a) {
		it.Details = append(it.Details, "plain HTTP is let in: the Deny on aws:SecureTransport goes")
		for i := range it.Risks {
			it.Risks[i].Text += "; plain HTTP is let in"
		}
	}
	return []Item{it}
}

// ownAccountAddsNothing tells the types whose policies let the stack's own account do
// nothing that it could not: whoever is in it needs a right of his own, which is
// enough without the policy. Keys, roles and endpoints are another matter.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html
func ownAccountAddsNothing(typ string) bool {
	switch typ {
	case registry.S3BucketPolicy, registry.SQSQueuePolicy, registry.SNSTopicPolicy, registry.SecretsManagerResourcePolicy:
		return true
	}
	return false
}

// deniesPlainHTTP reports whether a policy keeps out who comes without TLS.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func deniesPlainHTTP(document any) bool {
	m, _ := document.(map[string]any)
	statements := values.List(m["Statement"])
	if one, ok := m["Statement"].(map[string]any); ok {
		statements = []any{one}
	}
	for _, v := range statements {
		s, _ := v.(map[string]any)
		condition, _ := s["Condition"].(map[string]any)
		is, _ := condition["Bool"].(map[string]any)
		for key, value := range is {
			if s["Effect"] == "Deny" && strings.EqualFold(key, "aws:SecureTransport") && !values.On(value) {
				return true
			}
		}
	}
	return false
}

// policyOf is the policy that a resource holds; that of an event bus may be
// written without a statement.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbuspolicy.html
func policyOf(def cfn.ResourceDef, holder registry.Policy) any {
	p := def.Properties
	if registry.Of(def.Type).Inner && policyAt(p, holder.Property) == nil {
		return map[string]any{"Statement": []any{map[string]any{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}}
	}
	if def.Type != registry.EventsEventBusPolicy || p["Statement"] != nil || p["Principal"] == nil {
		return policyAt(p, holder.Property)
	}
	statement := map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": p["Principal"]}, "Action": p["Action"], "Resource": "*"}
	if c, ok := p["Condition"].(map[string]any); ok {
		operator, key := values.PlainText(c["Type"]), values.PlainText(c["Key"])
		statement["Condition"] = map[string]any{operator: map[string]any{key: c["Value"]}}
	}
	return map[string]any{"Statement": []any{statement}}
}

func policyAt(properties map[string]any, path string) any {
	var at any = properties
	for _, name := range strings.Split(path, ".") {
		m, _ := at.(map[string]any)
		at = m[name]
	}
	at = model.Document(at)                                     // a policy may be written as text
	if m, ok := at.(map[string]any); ok && m["Effect"] != nil { // a lone statement
		return map[string]any{"Statement": at}
	}
	return at
}
