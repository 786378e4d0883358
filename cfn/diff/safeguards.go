package diff

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// settingRules are the rule and the class by which each kind of setting is told.
var settingRules = [...]struct {
	rule  Rule
	class Class
}{
	registry.Guards:   {SafeguardOff, Protection},
	registry.Backs:    {BackupsOff, Protection},
	registry.Locks:    {DeletionUnguarded, Protection},
	registry.Encrypts: {EncryptionOff, Protection},
	registry.Runs:     {ServiceStops, Interruption},
	registry.Grants:   {HostRights, Rights},
	registry.Opens:    {GateOpened, Exposure},
	registry.Mutes:    {SafeguardOff, Protection},
}

// settings tells what a change of settings takes away, by what the registry knows
// of the type.
func (r *reviewer) settings(c compare.Change, what string) []Risk {
	if c.Action == compare.Add {
		return r.muted(c, what)
	}
	if c.Action != compare.Modify {
		return nil
	}
	before, after := r.before.Doc.Resources[c.LogicalID], r.after.Doc.Resources[c.LogicalID]
	if before.Type != after.Type {
		return nil
	}
	var risks []Risk
	outcomes := model.Both(r.before, r.after, c.LogicalID)
	lost := map[string]int{} // in how many outcomes
	for _, outcome := range outcomes {
		for _, risk := range r.settingsLost(c.Type, what, outcome[0], outcome[1]) {
			if lost[risk.Text]++; lost[risk.Text] == 1 {
				risks = append(risks, risk)
			}
		}
	}
	for i, risk := range risks {
		if lost[risk.Text] < len(outcomes) {
			risks[i].Text += ", if its conditions come out so"
		}
	}
	return risks
}

// muted tells what a new resource keeps others from being heard of.
func (r *reviewer) muted(c compare.Change, what string) []Risk {
	list := slices.DeleteFunc(slices.Clone(registry.Of(c.Type).Settings), func(s registry.Setting) bool { return s.Kind != registry.Mutes })
	return r.lost(list, what, nil, r.after.Doc.Resources[c.LogicalID].Properties)
}

// settingsLost tells what one resource loses, with what its conditions come to.
func (r *reviewer) settingsLost(typ, what string, before, after map[string]any) []Risk {
	return r.lost(registry.Of(typ).Settings, what, before, after)
}

func (r *reviewer) lost(settings []registry.Setting, what string, before, after map[string]any) []Risk {
	var risks []Risk
	for _, s := range settings {
		path := strings.Split(s.Path, ".")
		was := valuesAt(r.before, before, path)
		now := valuesAt(r.after, after, path)
		for _, key := range values.KeysOfBoth(was, now) {
			b, had := was[key]
			a, has := now[key]
			if !has {
				continue // the element goes, and its setting with it
			}
			if !had {
				b = registry.Value{Absent: true}
				if a.Absent || s.Default != "" && a.Text == s.Default {
					continue // an element that comes as such come
				}
			}
			lost, sure := s.IsLost(b, a)
			if !lost {
				continue
			}
			text := what + " " + s.Lost
			if key != "" {
				text += " (" + key + ")"
			}
			if !sure {
				text += ", unless " + a.Text + " keeps it"
			}
			risks = append(risks, Risk{settingRules[s.Kind].rule, settingRules[s.Kind].class, text})
		}
	}
	return slices.Compact(risks)
}

// valuesAt finds what properties have at a path, by the names of the elements of
// lists on the way.
func valuesAt(m *model.App, properties map[string]any, path []string) map[string]registry.Value {
	found := map[string]registry.Value{}
	var walk func(v any, path []string, key string)
	walk = func(v any, path []string, key string) {
		switch {
		case len(path) == 0:
			found[key] = settingValue(m, v)
		case path[0] == "*":
			for i, el := range values.List(v) {
				walk(el, path[1:], strings.TrimPrefix(key+" "+elementName(el, i), " "))
			}
		default:
			below, isMap := v.(map[string]any)
			if isMap && values.IsIntrinsic(below) {
				found[key] = registry.Value{Text: values.PlainText(v), Unsure: true}
				return
			}
			walk(below[path[0]], path[1:], key)
		}
	}
	walk(any(properties), path, "")
	return found
}

func elementName(el any, i int) string {
	m, _ := el.(map[string]any)
	for _, key := range []string{"Id", "Name", "PathPattern", "Region", "IndexName"} {
		if name := values.PlainText(m[key]); name != "" {
			return name
		}
	}
	return strconv.Itoa(i + 1)
}

// settingValue reads one value; a parameter is its default.
func settingValue(m *model.App, v any) registry.Value {
	if v == nil {
		return registry.Value{Absent: true}
	}
	if text, ok := values.Spelled(v); ok {
		return registry.Value{Text: text}
	}
	intrinsic, ok := v.(map[string]any)
	if !ok || !values.IsIntrinsic(intrinsic) { // an object or a list that is there
		if intrinsic == nil && len(values.List(v)) == 0 {
			return registry.Value{Absent: true}
		}
		return registry.Value{Text: "set"}
	}
	if name, ok := intrinsic["Ref"].(string); ok {
		if p, ok := m.Doc.Parameters[name]; ok && p.Default != nil && !p.NoEcho {
			if text, ok := values.Spelled(p.Default); ok {
				return registry.Value{Text: text}
			}
		}
	}
	return registry.Value{Text: values.PlainText(v), Unsure: true}
}

// plainSecrets tells of secrets that were looked up and are written out instead,
// without showing them.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
func (r *reviewer) plainSecrets(c compare.Change, what string) []Risk {
	if c.Action != compare.Modify {
		return nil
	}
	var risks []Risk
	var walk func(path string, b, a any)
	walk = func(path string, b, a any) {
		if looksUp(b) {
			if text, plain := a.(string); plain && text != "" && !looksUp(a) {
				risks = append(risks, Risk{SecretWritten, Protection, what + " has a secret written out in the template, which was looked up before: " + path})
			}
			return
		}
		switch b := b.(type) {
		case map[string]any:
			a, _ := a.(map[string]any)
			for _, key := range values.KeysOfBoth(nil, b) {
				walk(strings.TrimPrefix(path+"."+key, "."), b[key], a[key])
			}
		case []any:
			for i, el := range values.List(a) {
				if i < len(b) {
					walk(path+"."+strconv.Itoa(i), b[i], el)
				}
			}
		}
	}
	walk("", any(r.before.Doc.Resources[c.LogicalID].Properties), any(r.after.Doc.Resources[c.LogicalID].Properties))
	return risks
}

// looksUp reports whether a value is made of a secret that AWS looks up.
func looksUp(v any) bool {
	if m, ok := v.(map[string]any); ok && !values.IsIntrinsic(m) {
		return false
	}
	if values.List(v) != nil {
		return false
	}
	text := values.PlainText(v)
	return strings.Contains(text, "{{resolve:secretsmanager:") || strings.Contains(text, "{{resolve:ssm-secure:")
}

// otherNames tells of names by which others hold a resource, and which become
// others.
func (r *reviewer) otherNames(c compare.Change, what string) []Risk {
	d := registry.Of(c.Type)
	if c.Action != compare.Modify || c.Refused != "" || c.Update >= registry.MayReplace && (d.HoldsData || d.Addressed) || d.Watches != "" {
		return nil // told as a replacement, or nobody holds it
	}
	before, after := r.before.Doc.Resources[c.LogicalID].Properties, r.after.Doc.Resources[c.LogicalID].Properties
	rename := func(rule Rule, class Class, names []string, literal bool) []Risk {
		var risks []Risk
		for _, name := range names {
			was, is := policyAt(before, name), policyAt(after, name)
			verb := " gets another "
			b, sureBefore := r.nameText(r.before, was)
			a, sureAfter := r.nameText(r.after, is)
			if sureBefore && sureAfter && was != nil && is != nil && b == a {
				continue // with the defaults of parameters
			}
			if text, other := values.PlainText(was), values.PlainText(is); c.Type == registry.Route53RecordSet && text != other && strings.TrimSuffix(text, ".") == strings.TrimSuffix(other, ".") {
				risks = append(risks, Risk{RecordRemade, Interruption, what + " is made anew under the same name (" + text + " → " + other + "), which Route 53 may refuse while the old one is there"})
				continue
			}
			if !sureBefore || !sureAfter {
				verb = " may get another "
			}
			if was == nil && is == nil || values.Equal(was, is) || was == nil && name != d.CustomName && !slices.Contains(d.Names, name) {
				continue
			}
			_, wasText := was.(string)
			_, isText := is.(string)
			if literal && !(wasText && isText) {
				continue
			}
			last := name[strings.LastIndexByte(name, '.')+1:]
			risks = append(risks, Risk{rule, class, what + verb + last + " (" + cmp.Or(values.PlainText(was), "none") + " → " + cmp.Or(values.PlainText(is), "none") + "): who knows it by the old one finds it no more"})
		}
		return risks
	}
	if len(d.Names) > 0 {
		return rename(NameChanged, Replaced, d.Names, false)
	}
	if c.Update < registry.MayReplace {
		return nil
	}
	names := registry.KeptNames(c.Type)
	if d.CustomName != "" && !slices.Contains(names, d.CustomName) {
		names = append(slices.Clone(names), d.CustomName)
	}
	return rename(NameChanged, Removal, names, true)
}

// nameText writes a name with the defaults of its parameters. sure is false where
// it depends on more.
func (r *reviewer) nameText(m *model.App, v any) (text string, sure bool) {
	text, sure = values.ExactText(v)
	if plain, ok := v.(string); ok {
		return plain, true
	}
	for name, p := range m.Doc.Parameters {
		if value, ok := values.Spelled(p.Default); ok && !p.NoEcho {
			text = strings.ReplaceAll(text, "${"+name+"}", value)
		}
	}
	return text, sure && !strings.Contains(text, "${")
}

// departure tells what becomes of a resource that leaves the stack, beside the data
// that is deleted with it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
func (r *reviewer) departure(c compare.Change, what string) []Risk {
	if c.Action != compare.Remove {
		return nil
	}
	old := r.before.Doc.Resources[c.LogicalID]
	d := registry.Of(c.Type)
	fate := old.OnRemoval()
	switch {
	case fate == cfn.Kept && r.followed(c):
		return nil // versions stay, so that there is one to go back to
	case fate == cfn.Kept:
		text := what + " is left alone outside of the stack"
		if d.HoldsData {
			text += ", with its data"
		}
		if !registry.IsFree(c.Type) {
			text += ", and is paid for as before"
		}
		return []Risk{{LeftBehind, Removal, text + "; no deploy sees it any more"}}
	case fate == cfn.Snapshot && c.Holds:
		return []Risk{{SnapshotLeft, Replaced, what + " is deleted: only a snapshot of its data is left, which nothing uses by itself"}}
	case r.madeAgain(c):
		return nil
	case !strings.HasPrefix(c.Type, "AWS::") && !registry.IsCustom(c.Type):
		return []Risk{{CustomGone, Unknown, what + " is of a type that is not AWS's: what is deleted with it is not known here"}}
	case registry.IsCustom(c.Type):
		return []Risk{{CustomGone, Unknown, what + " is deleted by its own function: what that deletes is not known here"}}
	case d.Gone != "":
		class := Removal
		if d.Unique {
			class = Replaced
		}
		return []Risk{{EndsForOthers, class, what + " is gone: " + d.Gone}}
	case d.Watches != "":
		return []Risk{{WatchGone, Protection, what + " is gone: " + d.Watches}}
	}
	return nil
}

// followed reports whether what leaves is a version of a function, and another version
// of the same function comes.
func (r *reviewer) followed(c compare.Change) bool {
	if c.Type != registry.LambdaVersion {
		return false
	}
	of := r.before.Doc.Resources[c.LogicalID].Properties["FunctionName"]
	return slices.ContainsFunc(r.after.ByType[c.Type], func(id string) bool {
		return r.added(id) && values.Equal(of, r.after.Doc.Resources[id].Properties["FunctionName"])
	})
}

// madeAgain reports whether what leaves comes again with the same content under
// another logical ID.
func (r *reviewer) madeAgain(c compare.Change) bool {
	if r.comings == nil {
		r.comings = map[string]bool{}
		for id, change := range r.changes {
			if change.Action == compare.Add {
				r.comings[content(r.after.Doc.Resources[id])] = true
			}
		}
	}
	return r.comings[content(r.before.Doc.Resources[c.LogicalID])]
}

// content is what tells one resource from another, but for its logical ID.
func content(def cfn.ResourceDef) string {
	return def.Type + " " + values.Fingerprint(any(def.Properties))
}

// retirement tells of functions with a runtime that Lambda takes no more, or does
// not mend any more.
func (r *reviewer) retirement(c compare.Change, what string) []Risk {
	if c.Type != registry.LambdaFunction || r.opts.Retired == nil || c.Action == compare.Remove {
		return nil
	}
	runtime := settingValue(r.after, r.after.Doc.Resources[c.LogicalID].Properties["Runtime"])
	if runtime.Absent || runtime.Unsure {
		return nil
	}
	refused, warning := r.opts.Retired(runtime.Text, c.Action == compare.Add)
	was := settingValue(r.before, r.before.Doc.Resources[c.LogicalID].Properties["Runtime"])
	switch {
	case refused != "":
		return []Risk{{RuntimeRetired, Refused, what + ": " + refused}}
	case warning != "" && was.Text != runtime.Text:
		return []Risk{{RuntimeRetired, Protection, what + ": " + warning}}
	}
	return nil
}
