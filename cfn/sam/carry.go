package sam

import (
	"path"
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// Carried is our template with what was changed in its view.
type Carried struct {
	Template []byte
	// Code is where the code of functions and layers is that are new or that got
	// other code, by logical ID: a path as CodeUri or ContentUri has it. In the
	// template, its place in S3 is ID + ".zip" in the folder of the stage.
	Code                    map[string]string
	Added, Changed, Removed []string // logical IDs of resources of the template, sorted
}

// Carry takes over into a plain template of ours, which View showed as before,
// what is changed in after: both views are expanded, and what differs of the plain
// templates is changed in ours, too. All are JSON.
//
// Problems that are no warnings are changes that could not be taken over, by
// their path in the view; the template is then without them. The error tells that
// one of the three is no template.
func Carry(plain, before, after []byte) (Carried, []Problem, error) {
	c := &carrier{code: map[string]string{}}
	var b, a object
	for _, t := range []struct {
		body []byte
		root *object
	}{{plain, &c.ours}, {before, &b}, {after, &a}} {
		root, err := decode(t.body)
		if err != nil {
			return Carried{}, nil, err
		}
		*t.root = root
	}
	c.owners = ownersOf(a)
	c.ignored(b, a)
	was := cloneObject(c.ours)
	c.view(b, a)
	var wrong []Problem
	c.before, _ = Expand(b)
	c.after, wrong = Expand(a)
	c.problems = append(c.problems, wrong...)
	withoutTransform(c.before)
	withoutTransform(c.after)
	c.carry()
	c.tidy(was)
	c.frozen(was)
	return c.result(was), sortProblems(c.problems), nil
}

type carrier struct {
	ours, before, after object
	owners              []string // logical IDs of SAM resources in the view, longest first
	problems            []Problem
	code                map[string]string
	architectRole       any // the shared role as the plugin leaves it
}

func (c *carrier) fail(path, hint, message string) {
	c.problems = append(c.problems, Problem{Path: path, Message: message, Hint: hint})
}

// view undoes in both views what View does to names.
func (c *carrier) view(views ...object) {
	id := deploymentOf(asObject(c.ours["Resources"]))
	if id == "" || id == websocketDeployment {
		return
	}
	x := &expander{renamed: map[string]string{websocketDeployment: id}}
	for _, v := range views {
		resources := asObject(v["Resources"])
		if resources[websocketDeployment] != nil {
			resources[id] = resources[websocketDeployment]
			delete(resources, websocketDeployment)
		}
		x.resolveReferences(v)
	}
}

// withoutTransform takes SAM's own transform out of a template that could not be
// expanded as a whole.
func withoutTransform(root object) {
	list := slices.DeleteFunc(slices.Clone(listOf(root["Transform"])), func(v any) bool { return v == nil || v == any(Transform) })
	if root["Transform"] = any(list); len(list) == 0 {
		delete(root, "Transform")
	}
}

// ignored tells of what SAM leaves out of account at a function with a role of its
// own.
func (c *carrier) ignored(before, after object) {
	was := asObject(before["Resources"])
	for _, id := range sorted(asObject(after["Resources"])) {
		r := asObject(asObject(after["Resources"])[id])
		p, b := asObject(r["Properties"]), asObject(asObject(was[id])["Properties"])
		if asText(r["Type"]) != registry.ServerlessFunction || !given(p["Role"]) {
			continue
		}
		if _, conditional := isIf(p["Role"]); conditional {
			continue
		}
		for _, key := range []string{"Policies", "AssumeRolePolicyDocument", "PermissionsBoundary", "RolePath"} {
			if given(p[key]) && !same(p[key], b[key]) {
				c.problems = append(c.problems, Problem{
					Path: "Resources." + id + ".Properties." + key, Warning: true,
					Message: "it has no effect, as in SAM: the function has Role", Hint: "delete Role of the function, or change the role",
				})
			}
		}
	}
}

// failed reports whether a resource, or that of which it is made, could not be
// expanded: its problem is told, and ours stays as it is.
func (c *carrier) failed(id string) bool {
	resources := asObject(c.after["Resources"])
	if isSAM(resources[id]) {
		return true
	}
	for _, owner := range c.owners {
		if strings.HasPrefix(id, owner) {
			return isSAM(resources[owner])
		}
	}
	return false
}

func ownersOf(view object) []string {
	var ids []string
	for id, r := range asObject(view["Resources"]) {
		if isSAM(r) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return ids
}

// where names a path of an expanded template by the SAM resource of which it is
// made.
func (c *carrier) where(p string) string {
	parts := strings.SplitN(p, ".", 3)
	if len(parts) < 2 || parts[0] != "Resources" {
		return p
	}
	for _, id := range c.owners {
		if parts[1] != id && strings.HasPrefix(parts[1], id) {
			return "Resources." + id + " (" + strings.Join(parts[1:], ".") + ")"
		}
	}
	return p
}

func (c *carrier) carry() {
	m := &merger{problems: &c.problems, where: c.where}
	for _, key := range sections(c.before, c.after) {
		if key == "Resources" {
			continue
		}
		own, there := c.ours[key]
		v := m.merge(key, c.before[key], c.after[key], own)
		switch {
		case v != nil:
			c.ours[key] = v
		case there:
			delete(c.ours, key)
		}
	}
	before, after, ours := asObject(c.before["Resources"]), asObject(c.after["Resources"]), asObject(c.ours["Resources"])
	c.architectRole = clone(after[sharedRole])
	c.versions(before, after, ours)
	c.roles(before, after, ours)
	c.bucketPolicy(before, after, ours)
	for _, id := range sections(before, after) {
		c.resource(m, id, before[id], after[id], ours)
	}
}

func sections(a, b object) []string {
	keys := sorted(a)
	for _, key := range sorted(b) {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// resource takes over what became of one resource.
func (c *carrier) resource(m *merger, id string, before, after any, ours object) {
	at := "Resources." + id
	switch {
	case same(before, after) || c.failed(id):
		return
	case after == nil:
		delete(ours, id)
	case asObject(after) == nil:
		c.fail(c.where(at), "write its Type and Properties", "the resource is no map")
	case before == nil:
		if ours[id] != nil {
			c.fail(c.where(at), "give it another logical ID", "arc's template has a resource of that logical ID already")
			return
		}
		r := cloneObject(asObject(after))
		delete(r, "ArcMetadata")
		ours[id] = r
		c.local(id, r)
	case ours[id] == nil && id == sharedRole:
		// No function has it; tidy adds it where something refers to it.
	case ours[id] == nil:
		c.fail(c.where(at), "change it in the manifest", "it was changed, and arc's template has no such resource")
	default:
		r := asObject(m.merge(at, before, after, ours[id]))
		delete(r, "ArcMetadata")
		ours[id] = r
		c.local(id, r)
	}
}

// local puts the place in S3 where a deploy uploads to, in place of a folder.
func (c *carrier) local(id string, r object) {
	property, typ := "Code", asText(r["Type"])
	switch typ {
	case registry.LambdaFunction:
	case registry.LambdaLayerVersion:
		property = "Content"
	default:
		return
	}
	p := asObject(r["Properties"])
	folder, ok := p[property].(string)
	if !ok {
		return
	}
	c.code[id] = folder
	key := id + ".zip"
	for _, other := range asObject(c.ours["Resources"]) {
		at := asObject(asObject(asObject(other)["Properties"])["Code"])
		if text, ok := at["S3Key"].(string); ok && same(at["S3Bucket"], ref(cfn.ArtifactBucketParameter)) {
			key = path.Join(path.Dir(text), id+".zip")
			break
		}
	}
	p[property] = object{"S3Bucket": ref(cfn.ArtifactBucketParameter), "S3Key": key}
	parameters := asObject(c.ours["Parameters"])
	if parameters == nil {
		parameters = object{}
		c.ours["Parameters"] = parameters
	}
	if parameters[cfn.ArtifactBucketParameter] == nil {
		parameters[cfn.ArtifactBucketParameter] = object{"Type": "String", "Description": "the bucket that holds the code of the functions"}
	}
}

// versions gives the published versions of both expansions the logical ID that
// ours has: theirs end in a hash of what they were made for.
func (c *carrier) versions(before, after, ours object) {
	for _, id := range sorted(ours) {
		r := asObject(ours[id])
		if asText(r["Type"]) != registry.LambdaVersion {
			continue
		}
		function := referred(asObject(r["Properties"])["FunctionName"])
		for _, resources := range []object{before, after} {
			for _, other := range sorted(resources) {
				o := asObject(resources[other])
				if asText(o["Type"]) != registry.LambdaVersion || referred(asObject(o["Properties"])["FunctionName"]) != function || other == id {
					continue
				}
				resources[id] = o
				delete(resources, other)
				(&expander{renamed: map[string]string{other: id}}).resolveReferences(resources)
			}
		}
	}
}

// result prints our template, and names what is new, changed and gone.
func (c *carrier) result(was object) Carried {
	r := Carried{Template: encode(c.ours), Code: c.code}
	before, now := asObject(was["Resources"]), asObject(c.ours["Resources"])
	for _, id := range sections(before, now) {
		switch {
		case before[id] == nil:
			r.Added = append(r.Added, id)
		case now[id] == nil:
			r.Removed = append(r.Removed, id)
		case !same(before[id], now[id]):
			r.Changed = append(r.Changed, id)
		}
	}
	return r
}
