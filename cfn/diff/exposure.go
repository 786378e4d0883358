package diff

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// anyAPI is the API of what stands in front of whichever there are.
const anyAPI = "*"

// fact is something of a template that is open to the public.
type fact struct {
	rule          Rule
	subject, text string
	resource      string // logical ID
	api           string // of a route: the API it belongs to
	function      string // of a route: where it leads
	asMade        bool   // no danger of what is new: it was made so

	ports *ports // of a security group: what is open

	when map[string]bool // the outcomes of the template's conditions in which it is so
	some bool            // it is not so in all of them
}

// covers reports whether something was open already wherever it is open now.
func (f fact) covers(now fact) bool {
	if !f.some {
		return true
	}
	if !now.some {
		return false
	}
	for when := range now.when {
		if !f.when[when] {
			return false
		}
	}
	return true
}

// exposure tells what is newly open. A further route of an API that is public
// already is public as well, which is what routes are for: it is told, and is
// no danger by itself.
func (r *reviewer) exposure() []Item {
	before, after := r.possible(r.before), r.possible(r.after)
	var items []Item
	for _, k := range values.KeysOfBoth(nil, after) {
		f := after[k]
		if was, had := before[k]; had && was.covers(f) || f.ports != nil && opened(before, f) {
			continue
		}
		if f.some {
			f.text += ", if its conditions come out so"
		}
		it := Item{Action: compare.Modify, Subject: f.subject, Text: f.text, Resources: []string{f.resource}}
		if r.added(f.resource) {
			it.Action = compare.Add
		}
		it.place(r, f.function)
		it.place(r, f.resource)
		class := Exposure
		if r.first || f.asMade && r.added(f.resource) || f.api != "" && r.hadPublicRoute(before, f) && !r.wasGuarded(k) {
			class = Public // with nothing deployed yet, nothing is opened that was closed
		}
		if compare.Shorthand(r.before.Doc.Resources[f.function].Type) {
			class = Public // what was in front of it could not be expanded: that is told as unknown
		}
		if f.rule == PolicyRefused {
			class = Refused
		}
		if f.api != "" && class == Public {
			it.Action = compare.Add
		}
		it.Risks = []Risk{{f.rule, class, f.subject + " " + f.text}}
		items = append(items, it)
	}
	for _, k := range values.KeysOfBoth(nil, before) {
		f := before[k]
		if _, has := after[k]; has || f.api != "" || f.ports != nil && opened(after, f) {
			continue
		}
		items = append(items, Item{Action: compare.Remove, Subject: f.subject, Text: "no longer " + strings.TrimPrefix(f.text, "is "), Resources: []string{f.resource}})
	}
	return sortItems(items)
}

func (r *reviewer) hadPublicRoute(before map[string]fact, f fact) bool {
	for _, b := range before {
		if b.api == f.api || b.api != "" && f.api == anyAPI {
			return true
		}
	}
	return false
}

// wasGuarded reports whether a route asked who calls, and does so no more.
func (r *reviewer) wasGuarded(key string) bool {
	name := strings.TrimPrefix(key, "route ")
	was, ok := r.before.Routes[name]
	if !ok {
		was, ok = r.before.Actions[name]
	}
	return ok && was.Guard != ""
}

// possible lists what a template opens to the public in one outcome of its conditions
// at least, with the defaults of its parameters.
func (r *reviewer) possible(m *model.App) map[string]fact {
	all := map[string]fact{}
	outcomes := m.Outcomes()
	whens := map[string]map[string]bool{} // by resource
	for _, o := range outcomes {
		for id, when := range o.When {
			if whens[id] == nil {
				whens[id] = map[string]bool{}
			}
			whens[id][when] = true
		}
		for key, f := range r.facts(o.App) {
			if known, ok := all[key]; ok {
				f = known
			} else {
				f.when = map[string]bool{}
			}
			f.when[o.When[f.resource]] = true
			all[key] = f
		}
	}
	for key, f := range all {
		f.some = len(f.when) < len(whens[f.resource])
		all[key] = f
	}
	return all
}

// facts lists what a template opens to the public, by a key that stays.
func (r *reviewer) facts(m *model.App) map[string]fact {
	facts := map[string]fact{}
	for _, routes := range []map[string]model.Route{m.Routes, m.Actions} {
		for name, to := range routes {
			if to.Guard == "" && !m.Private(to.API) && (name == "$connect" || !strings.HasPrefix(name, "$") && strings.Contains(name, " ")) {
				facts["route "+name] = fact{RouteOpen, strings.TrimPrefix(shownRoute(name), "$"), "is public and asks nobody who they are", to.Resource, to.API, to.Function, false, nil, nil, false}
			}
		}
	}
	for _, id := range m.ByType[registry.CloudFrontDistribution] {
		facts["cdn "+id] = fact{DistributionOpen, r.describe(id), "is public, and so is what its origins let it read", id, anyAPI, "", false, nil, nil, false}
	}
	for id, def := range m.Doc.Resources {
		if everyWebsite(def) && !answersToLinksOnly(m, def) {
			facts["cors "+id] = fact{rule: CORSOpen, subject: r.describe(id), text: "lets scripts of every website call it (CORS)", resource: id, asMade: true}
		}
		if def.Type == registry.CognitoUserPool && !values.On(policyAt(def.Properties, "AdminCreateUserConfig.AllowAdminCreateUserOnly")) {
			facts["sign-up "+id] = fact{rule: SignUpOpen, subject: r.describe(id), text: "lets everyone sign up", resource: id, asMade: true}
		}
		for _, p := range openPorts(m, id, def) {
			text := "is open to every address" + p.text()
			facts[def.Type+" "+id+" "+text] = fact{rule: PortsOpen, subject: r.describe(id), text: text, resource: id, ports: &p}
		}
		if rule, text := r.openResource(m, id, def); text != "" {
			facts[def.Type+" "+id+" "+text] = fact{rule: rule, subject: r.describe(id), text: text, resource: id}
		}
	}
	return facts
}

// openResource says how a resource is open to the public; "" = it is not.
func (r *reviewer) openResource(m *model.App, id string, def cfn.ResourceDef) (Rule, string) {
	p := def.Properties
	if !registry.Of(def.Type).Inner && slices.ContainsFunc(registry.Policies(def.Type), func(holder registry.Policy) bool { return r.open(policyOf(def, holder)) }) {
		if blocked(m, p["Bucket"]) && def.Type == registry.S3BucketPolicy {
			return PolicyRefused, "would let everyone in by its policy, and S3 refuses it: BlockPublicPolicy is on"
		}
		return PolicyOpen, "lets everyone in by its policy"
	}
	if values.On(p[registry.Of(def.Type).PublicAddress]) {
		return AddressPublic, "has a public address"
	}
	switch def.Type {
	case registry.LambdaUrl:
		if values.PlainText(p["AuthType"]) == "NONE" {
			return FunctionURLOpen, "is a public URL that asks nobody who they are"
		}
	case registry.LambdaPermission:
		return PermissionOpen, openPermission(p)
	case registry.S3Bucket:
		return BucketOpen, openBucket(p)
	case registry.IAMRole:
		if r.open(model.Document(p["AssumeRolePolicyDocument"])) {
			return RoleOpen, "may be taken by everyone"
		}
	case registry.CognitoIdentityPool:
		if values.On(p["AllowUnauthenticatedIdentities"]) {
			return GuestsHaveRights, "gives rights to those who are not signed in"
		}
	case registry.LambdaLayerVersionPermission:
		if values.PlainText(p["Principal"]) == "*" && p["OrganizationId"] == nil {
			return LayerOpen, "lets everyone use the layer"
		}
	case registry.ElasticLoadBalancingV2LoadBalancer:
		if scheme := values.PlainText(p["Scheme"]); scheme == "" || scheme == "internet-facing" {
			return AddressPublic, "has a public address"
		}
	case registry.AppSyncGraphQLApi:
		if values.PlainText(p["AuthenticationType"]) == "API_KEY" {
			return APIKeyOnly, "asks for no more than an API key"
		}
	}
	return "", ""
}

// everyWebsite reports whether a resource tells browsers that scripts of every
// website may call it.
func everyWebsite(def cfn.ResourceDef) bool {
	p := def.Properties
	var rules []any
	switch def.Type {
	case registry.ApiGatewayV2Api:
		body, _ := p["Body"].(map[string]any)
		rules = []any{p["CorsConfiguration"], body["x-amazon-apigateway-cors"]}
	case registry.LambdaUrl:
		rules = []any{p["Cors"]}
	case registry.S3Bucket:
		cors, _ := p["CorsConfiguration"].(map[string]any)
		rules = values.List(cors["CorsRules"])
	}
	for _, rule := range rules {
		m, _ := rule.(map[string]any)
		for _, name := range []string{"AllowOrigins", "AllowedOrigins", "allowOrigins"} {
			if slices.Contains(values.List(m[name]), any("*")) {
				return true
			}
		}
	}
	return false
}

// answersToLinksOnly reports whether a resource is a bucket that answers nobody
// without a signature: what a script may then read by CORS is behind a link that
// it was given, and whoever has the link needs no CORS. A policy for everyone
// that only looks where they are would let in a script by where its visitor is.
func answersToLinksOnly(m *model.App, def cfn.ResourceDef) bool {
	if _, blocked := def.Properties["PublicAccessBlockConfiguration"].(map[string]any); def.Type != registry.S3Bucket || !blocked || openBucket(def.Properties) != "" {
		return false
	}
	for _, id := range m.ByType[registry.S3BucketPolicy] {
		document, _ := m.Doc.Resources[id].Properties[registry.Of(registry.S3BucketPolicy).Policy.Property].(map[string]any)
		for _, v := range statements(document) {
			if s, _ := v.(map[string]any); s["Effect"] == "Allow" && (anyone(s["Principal"]) || s["NotPrincipal"] != nil) {
				return false
			}
		}
	}
	return true
}

// openPermission: a service may invoke for anyone's resources when nothing
// says for which.
func openPermission(p map[string]any) string {
	principal := values.PlainText(p["Principal"])
	switch {
	case p["SourceArn"] != nil || p["SourceAccount"] != nil || p["PrincipalOrgID"] != nil || p["EventSourceToken"] != nil:
		return ""
	case principal == "*" && values.PlainText(p["FunctionUrlAuthType"]) != "AWS_IAM":
		return "lets everyone invoke the function"
	case strings.HasSuffix(principal, ".amazonaws.com"):
		return "lets " + principal + " invoke the function for any account"
	}
	return ""
}

// openBucket: since 2023 a bucket blocks public access unless it says otherwise.
func openBucket(p map[string]any) string {
	if acl := values.PlainText(p["AccessControl"]); strings.HasPrefix(acl, "Public") {
		return "is public by its ACL (" + acl + ")"
	}
	block, ok := p["PublicAccessBlockConfiguration"].(map[string]any)
	if !ok {
		return ""
	}
	for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if !values.On(block[name]) {
			return "may be made public: public access is not blocked"
		}
	}
	return ""
}

// blocked reports whether a bucket of the template refuses public policies.
func blocked(m *model.App, bucket any) bool {
	block, _ := m.Doc.Resources[m.Bucket(bucket)].Properties["PublicAccessBlockConfiguration"].(map[string]any)
	return values.On(block["BlockPublicPolicy"])
}

// narrowing are the condition keys that keep strangers out.
var narrowing = []string{"aws:sourcearn", "aws:sourceaccount", "aws:principalorg", "aws:principalarn", "aws:principalaccount",
	"aws:sourcevpc", "aws:sourceip", "aws:sourceorg", "aws:username", "aws:userid", "kms:calleraccount", "kms:viaservice", "s3:dataaccesspointaccount"}

// open reports whether a policy lets everyone in.
func (r *reviewer) open(document any) bool {
	m, _ := document.(map[string]any)
	for _, v := range statements(m) {
		s, _ := v.(map[string]any)
		if s["Effect"] == "Allow" && (anyone(s["Principal"]) || s["NotPrincipal"] != nil) && !narrowed(s["Condition"]) {
			return true
		}
	}
	return false
}

// statements are those of a policy, which may have one without a list.
func statements(document map[string]any) []any {
	if one, ok := document["Statement"].(map[string]any); ok {
		return []any{one}
	}
	return values.List(document["Statement"])
}

func anyone(principal any) bool {
	switch p := principal.(type) {
	case string:
		return p == "*"
	case map[string]any:
		if p["AWS"] == "*" {
			return true
		}
		for _, v := range values.List(p["AWS"]) {
			if v == "*" {
				return true
			}
		}
	}
	return false
}

func narrowed(condition any) bool {
	block, _ := condition.(map[string]any)
	for operator, keys := range block {
		if strings.Contains(operator, "Not") || strings.HasSuffix(operator, "IfExists") {
			continue
		}
		m, _ := keys.(map[string]any)
		for key := range m {
			for _, n := range narrowing {
				if strings.HasPrefix(strings.ToLower(key), n) {
					return true
				}
			}
		}
	}
	return false
}
