package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// shorterRetention says what a change of how long data is kept deletes.
func shorterRetention(typ string, p compare.Property) string {
	r := registry.Of(typ).Retention
	if r.Property == "" || p.Path != r.Property || p.Because != "" {
		return ""
	}
	before, okBefore := wholeNumber(p.Before, r.Default)
	after, okAfter := wholeNumber(p.After, r.Default)
	if !okBefore || !okAfter || after == 0 || before != 0 && after >= before {
		return ""
	}
	return fmt.Sprintf("%s older than %d %s are deleted", r.What, after, r.Unit)
}

func wholeNumber(v any, fallback int) (int, bool) {
	if v == nil {
		return fallback, true
	}
	text, ok := values.Spelled(v)
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

// risksOf lists what a resource's change endangers by itself.
func (r *reviewer) risksOf(c compare.Change, what string) []Risk {
	var risks []Risk
	if c.Loss != "" {
		rule := DataReplaced
		if c.Action == compare.Remove || c.Update < registry.MayReplace {
			rule = DataRemoved
		}
		risks = append(risks, Risk{rule, DataLoss, what + ": " + c.Loss})
	}
	if c.Action == compare.Modify && c.Refused == "" && c.Update >= registry.MayReplace && (c.Holds || registry.Of(c.Type).Addressed) {
		rule := AddressReplaced
		if c.Holds {
			rule = StoreReplaced
		}
		risks = append(risks, Risk{rule, Replaced, what + " " + r.replacement(c)})
	}
	if c.Refused != "" {
		risks = append(risks, Risk{Rule(c.RefusedBy), Refused, c.Refused})
	}
	if r.unreadChanges(c) {
		risks = append(risks, Risk{NestedUnread, Unknown, what + ": what changes in it is not known, since its template is not at hand"})
	}
	if c.Action == compare.Modify && c.Update == registry.SomeInterruption {
		risks = append(risks, Risk{Interrupted, Interruption, what + " is interrupted while it is updated"})
	}
	if heir := r.heir(c); heir != "" {
		risks = append(risks, Risk{AddressMoved, Replaced, what + " is replaced by " + heir + ", which has another address"})
	} else if d := registry.Of(c.Type); c.Action == compare.Remove && d.Addressed && d.Gone == "" && c.Type != registry.LambdaFunction && r.before.Doc.Resources[c.LogicalID].OnRemoval() != cfn.Kept {
		risks = append(risks, Risk{AddressGone, Removal, what + " is gone, and its address with it"})
	}
	return slices.Concat(risks, r.departure(c, what), r.logLoss(c, what), r.aliasesGone(c, what), r.otherNames(c, what), r.settings(c, what), r.plainSecrets(c, what), r.retirement(c, what), r.unprotected(c, what))
}

// unreadChanges reports whether a nested stack whose template is not at hand comes
// or gets another template or other parameters: whatever is in it may change by that.
// What becomes of one that goes is told as the loss that it may be.
func (r *reviewer) unreadChanges(c compare.Change) bool {
	switch {
	case c.Type != registry.CloudFormationStack || r.first:
		return false
	case c.Action == compare.Add:
		return true
	}
	return slices.ContainsFunc(c.Properties, func(p compare.Property) bool {
		return c.Action == compare.Modify && (p.Path == "TemplateURL" || values.Under(p.Path, "Parameters"))
	})
}

// replacement says what takes the place of a resource, and what becomes of it.
func (r *reviewer) replacement(c compare.Change) string {
	text, by, fate := "is replaced", "by a new one", ""
	if c.Update == registry.MayReplace {
		text = "may be replaced"
	}
	if c.Holds {
		by = "by an empty one"
		old := r.before.Doc.Resources[c.LogicalID]
		snapshot := cfn.FateOf(old.UpdateReplacePolicy) == cfn.Snapshot || cfn.FateOf(r.after.Doc.Resources[c.LogicalID].UpdateReplacePolicy) == cfn.Snapshot
		switch {
		case c.Loss != "":
		case snapshot:
			fate = "; only a snapshot of the old one is left"
		default:
			fate = "; the old one is kept with its data, outside the stack"
		}
	}
	return text + " " + by + because(c) + fate
}

// because names the properties that bring about a replacement.
func because(c compare.Change) string {
	var paths []string
	for _, p := range c.Properties {
		if p.Update < registry.MayReplace {
			continue
		}
		if p.Because != "" {
			paths = append(paths, p.Because+" is replaced")
			continue
		}
		top, _, _ := strings.Cut(p.Path, ".")
		paths = append(paths, top+" changes")
	}
	if len(paths) == 0 {
		return ""
	}
	slices.Sort(paths)
	return ", because " + strings.Join(slices.Compact(paths), " and ")
}

// unprotected lists the safeguards that a change takes away.
func (r *reviewer) unprotected(c compare.Change, what string) []Risk {
	var risks []Risk
	say := func(rule Rule, text string) { risks = append(risks, Risk{rule, Protection, what + " " + text}) }
	for _, p := range c.Properties {
		if text := shorterRetention(c.Type, p); text != "" {
			risks = append(risks, Risk{RetentionShortened, Protection, what + ": " + text})
		}
		// Types of which no setting is described say it by the same name.
		if !r.described(c.Type, "DeletionProtection") && strings.HasPrefix(p.Path, "DeletionProtection") && p.Because == "" && p.Before != nil && !values.On(p.After) {
			say(DeletionUnguarded, "is no longer protected from deletion")
		}
	}
	if c.Action == compare.Modify {
		old, new := r.before.Doc.Resources[c.LogicalID], r.after.Doc.Resources[c.LogicalID]
		if new.OnRemoval() < old.OnRemoval() || cfn.FateOf(new.UpdateReplacePolicy) < cfn.FateOf(old.UpdateReplacePolicy) {
			say(NoLongerKept, "is no longer kept when it leaves the stack or is replaced")
		}
	}
	if c.Type == registry.S3Bucket && c.Action == compare.Modify {
		r.bucketSafeguards(c.LogicalID, say)
	}
	if on := r.ttlTurnedOn(c); on != "" {
		say(ItemsExpire, "deletes the items whose "+on+" lies in the past")
	}
	slices.SortFunc(risks, func(a, b Risk) int { return cmp.Compare(a.Text, b.Text) })
	return slices.Compact(risks)
}

// bucketSafeguards says what S3 deletes from now on by itself, and that it no
// longer keeps what is overwritten.
func (r *reviewer) bucketSafeguards(id string, say func(Rule, string)) {
	before, after := r.before.Doc.Resources[id].Properties, r.after.Doc.Resources[id].Properties
	rules := func(p map[string]any) []any {
		lifecycle, _ := p["LifecycleConfiguration"].(map[string]any)
		return values.List(lifecycle["Rules"])
	}
	for _, v := range rules(after) {
		rule, _ := v.(map[string]any)
		had := slices.ContainsFunc(rules(before), func(old any) bool { return values.Equal(old, v) })
		if days := values.PlainText(rule["ExpirationInDays"]); !had && days != "" && rule["Status"] == "Enabled" {
			below := ""
			if prefix := values.PlainText(rule["Prefix"]); prefix != "" {
				below = " below " + prefix
			}
			say(ObjectsExpire, "deletes objects older than "+days+" days"+below)
		}
	}
	keeps := func(p map[string]any) bool { return policyAt(p, "VersioningConfiguration.Status") == "Enabled" }
	if keeps(before) && !keeps(after) {
		say(VersioningOff, "no longer keeps the versions before when an object is overwritten or deleted")
	}
}

// aliasesGone tells of names under which a CDN is found no more.
func (r *reviewer) aliasesGone(c compare.Change, what string) []Risk {
	if c.Type != registry.CloudFrontDistribution || c.Action != compare.Modify {
		return nil
	}
	const path = "DistributionConfig.Aliases"
	after := values.List(policyAt(r.after.Doc.Resources[c.LogicalID].Properties, path))
	var risks []Risk
	for _, v := range values.List(policyAt(r.before.Doc.Resources[c.LogicalID].Properties, path)) {
		if !slices.ContainsFunc(after, func(a any) bool { return values.Equal(a, v) }) {
			risks = append(risks, Risk{AliasGone, Removal, values.PlainText(v) + " no longer leads to " + what})
		}
	}
	return risks
}

// ttlTurnedOn is the attribute by which a table's items expire from now on;
// "" = none, or one that they did before.
func (r *reviewer) ttlTurnedOn(c compare.Change) string {
	if c.Action != compare.Modify || !strings.HasPrefix(c.Type, "AWS::DynamoDB::") {
		return ""
	}
	after := ttl(r.after.Doc.Resources[c.LogicalID].Properties)
	if ttl(r.before.Doc.Resources[c.LogicalID].Properties) != "off" || after == "off" {
		return ""
	}
	return after
}

// heir is the logical ID under which a removed resource is made anew.
func (r *reviewer) heir(c compare.Change) string {
	if c.Action != compare.Remove || !registry.Of(c.Type).ByContent {
		return ""
	}
	old := r.before.Doc.Resources[c.LogicalID].Properties
	for _, id := range r.after.ByType[c.Type] {
		if new := r.after.Doc.Resources[id].Properties; r.added(id) && (values.Equal(any(old), any(new)) || old["Name"] != nil && values.Equal(old["Name"], new["Name"])) {
			return model.Bare(id)
		}
	}
	return ""
}

// logLoss tells of a log that is deleted. Logs go with the functions that
// wrote them, and no deploy asks.
func (r *reviewer) logLoss(c compare.Change, what string) []Risk {
	old := r.before.Doc.Resources[c.LogicalID]
	gone := c.Action == compare.Remove && !old.OutlivesRemoval() || c.Action == compare.Modify && c.Update == registry.Replacement && !cfn.Keeps(old.UpdateReplacePolicy)
	if c.Type != registry.LogsLogGroup || !gone || c.Refused != "" {
		return nil
	}
	kept := "all of it"
	if days := values.PlainText(old.Properties["RetentionInDays"]); days != "" {
		kept = "the last " + days + " days of it"
	}
	return []Risk{{LogDeleted, Removal, what + " is deleted: " + kept}}
}

// described reports whether the registry has a setting of a type whose name starts
// so.
func (r *reviewer) described(typ, property string) bool {
	return slices.ContainsFunc(registry.Of(typ).Settings, func(s registry.Setting) bool { return strings.Contains(s.Path, property) })
}
