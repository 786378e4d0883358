package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
	"arc/cfn/diff/compare"
	"arc/cfn/registry"
)

// Loss is a data-holding resource that a deployment would replace or delete.
type Loss struct {
	LogicalID  string // what AllowLoss names; "Nested/Table" within a nested stack
	Type       string
	PhysicalID string
	Replaced   bool     // by an empty one; otherwise it is deleted
	Retained   bool     // the old one stays behind, outside the stack
	Causes     []string // properties whose change replaces it, sorted
	Origin     string   // "app.arc:7:1", or ""
}

// String is the loss in a sentence, with the line of the manifest in front.
func (l Loss) String() string {
	var b strings.Builder
	if l.Origin != "" {
		b.WriteString(l.Origin + ": ")
	}
	fmt.Fprintf(&b, "%s (%s) would be ", l.LogicalID, l.Type)
	switch {
	case l.Replaced && l.Retained:
		b.WriteString("replaced by an empty one, and the old one left behind outside the stack")
	case l.Replaced:
		b.WriteString("replaced by an empty one, and the old one deleted")
	default:
		b.WriteString("deleted")
	}
	if len(l.Causes) > 0 {
		b.WriteString(", because of " + strings.Join(l.Causes, ", "))
	}
	return b.String()
}

// LossError refuses a deployment that would lose data. Nothing was changed.
type LossError struct {
	StackName string
	Losses    []Loss // sorted by LogicalID
}

// Error lists the losses, a line each, and the flags that allow them.
func (e *LossError) Error() string {
	lines := []string{fmt.Sprintf("stack %s is left as it is, because data would be lost:", e.StackName)}
	remedy := "to let it be lost, add"
	for _, l := range e.Losses {
		lines = append(lines, "  "+l.String())
		remedy += " --allow-loss " + l.LogicalID
	}
	return strings.Join(append(lines, remedy), "\n")
}

// refuseLoss fails with a LossError when the change set would replace or
// delete a data-holding resource that AllowLoss does not name.
func (r *run) refuseLoss(ctx context.Context, set *changeSet, deployed []byte) error {
	losses, err := r.losses(ctx, set.changes, deployed, "")
	if err != nil {
		return err
	}
	losses = slices.DeleteFunc(losses, func(l Loss) bool { return slices.Contains(r.d.AllowLoss, l.LogicalID) })
	if len(losses) == 0 {
		return nil
	}
	slices.SortFunc(losses, func(a, b Loss) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return &LossError{StackName: r.d.StackName, Losses: losses}
}

func (r *run) losses(ctx context.Context, changes []types.Change, deployed []byte, within string) ([]Loss, error) {
	old := parseOrEmpty(deployed)
	replaced := map[string]compare.Change{}
	if within == "" { // of a nested stack the new template is not at hand
		replaced = replacements(old, r.template)
	}
	var losses []Loss
	for _, c := range changes {
		rc := c.ResourceChange
		if rc == nil {
			continue
		}
		id := aws.ToString(rc.LogicalResourceId)
		if aws.ToString(rc.ResourceType) == nestedStack {
			nested, err := r.nestedLosses(ctx, rc, old, within+id+"/")
			if err != nil {
				return nil, err
			}
			losses = append(losses, nested...)
			continue
		}
		loss, ok := lossOf(rc, old.Resources[id], r.template.Resources[id])
		if causes := ownCauses(rc, replaced[id]); !ok && len(causes) > 0 {
			loss.Replaced, loss.Causes, ok = true, causes, true
		}
		if ok {
			loss.LogicalID = within + id
			loss.Origin = r.origin(id)
			losses = append(losses, loss)
		}
	}
	return losses, nil
}

// replacements compares the deployed template with the new one by what is known
// of the types, and gives the resources that hold data and that it says are
// replaced. A change set is not believed alone: what it says of a table's
// attribute definitions, for one, leaves their types out.
func replacements(deployed, next *cfn.Document) map[string]compare.Change {
	before, after, _, _ := compare.Evaluate(deployed, next, "")
	out := map[string]compare.Change{}
	for _, c := range compare.Templates(before, after) {
		if c.Action == compare.Modify && c.Update == registry.Replacement && c.Holds {
			out[c.LogicalID] = c
		}
	}
	return out
}

// ownCauses lists the properties that replace a resource by our own comparison,
// as far as the change set says that they change at all: a template may write
// the same value in another way.
func ownCauses(rc *types.ResourceChange, c compare.Change) []string {
	var causes []string
	for _, p := range c.Properties {
		top, _, _ := strings.Cut(p.Path, ".")
		listed := slices.ContainsFunc(rc.Details, func(d types.ResourceChangeDetail) bool {
			return d.Target != nil && aws.ToString(d.Target.Name) == top
		})
		if p.Update == registry.Replacement && (listed || len(rc.Details) == 0) {
			causes = append(causes, top)
		}
	}
	slices.Sort(causes)
	return slices.Compact(causes)
}

// lossOf judges one change. before and after are the resource in the deployed
// and in the new template.
func lossOf(rc *types.ResourceChange, before, after cfn.ResourceDef) (Loss, bool) {
	loss := Loss{Type: aws.ToString(rc.ResourceType), PhysicalID: aws.ToString(rc.PhysicalResourceId)}
	if !registry.Holds(loss.Type, before.Properties) {
		return loss, false
	}
	switch rc.Action {
	case types.ChangeActionRemove:
		return loss, !isKept(rc.PolicyAction, before.OutlivesRemoval())
	case types.ChangeActionModify, types.ChangeActionDynamic:
		loss.Replaced = rc.Replacement == types.ReplacementTrue ||
			rc.Replacement == types.ReplacementConditional && mayReplace(rc, before, after)
		loss.Retained = isKept(rc.PolicyAction, cfn.Keeps(before.UpdateReplacePolicy))
		loss.Causes = replacementCauses(rc)
		return loss, loss.Replaced
	}
	return loss, false
}

// isKept trusts CloudFormation's own word where it gives one, otherwise what
// the deployed template says.
func isKept(action types.PolicyAction, template bool) bool {
	switch action {
	case types.PolicyActionDelete, types.PolicyActionReplaceAndDelete:
		return false
	case "":
		return template
	}
	return true
}

// mayReplace settles the one "conditional" that is common and harmless: a new
// index brings new attribute definitions, which replaces a table only when an
// attribute of its key gets another type.
func mayReplace(rc *types.ResourceChange, before, after cfn.ResourceDef) bool {
	causes := replacementCauses(rc)
	if aws.ToString(rc.ResourceType) != registry.DynamoDBTable || len(causes) != 1 || causes[0] != "AttributeDefinitions" {
		return true
	}
	unknown := before.Properties == nil || after.Properties == nil // the template is not at hand
	return unknown || len(registry.Retyped(before.Properties, after.Properties)) > 0
}

// replacementCauses names the properties whose change asks for a new resource.
func replacementCauses(rc *types.ResourceChange) []string {
	var names []string
	for _, d := range rc.Details {
		if d.Target != nil && d.Target.Name != nil && d.Target.RequiresRecreation != "" && d.Target.RequiresRecreation != types.RequiresRecreationNever {
			names = append(names, *d.Target.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nestedLosses looks into a nested stack: through the change set that
// CloudFormation made of it, or, when it goes away altogether, through its template.
func (r *run) nestedLosses(ctx context.Context, rc *types.ResourceChange, parent *cfn.Document, within string) ([]Loss, error) {
	goes := rc.Action == types.ChangeActionRemove || rc.Replacement == types.ReplacementTrue
	if rc.PhysicalResourceId == nil || goes && isKept(rc.PolicyAction, parent.Resources[aws.ToString(rc.LogicalResourceId)].OutlivesRemoval()) {
		return nil, nil
	}
	deployed, err := r.readTemplate(ctx, *rc.PhysicalResourceId)
	if isMissingStack(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !goes {
		if rc.ChangeSetId == nil {
			return nil, nil
		}
		set, err := r.describeChangeSet(ctx, aws.ToString(rc.PhysicalResourceId), aws.ToString(rc.ChangeSetId))
		if err != nil {
			return nil, err
		}
		return r.losses(ctx, set.Changes, deployed, within)
	}
	return r.lossesOfRemoval(ctx, *rc.PhysicalResourceId, parseOrEmpty(deployed), within)
}

// lossesOfRemoval lists what goes with a nested stack and those nested in it.
func (r *run) lossesOfRemoval(ctx context.Context, stackID string, deployed *cfn.Document, within string) ([]Loss, error) {
	resources, err := r.listResources(ctx, stackID)
	if err != nil {
		return nil, err
	}
	var losses []Loss
	for _, res := range resources {
		id, kind, physical := aws.ToString(res.LogicalResourceId), aws.ToString(res.ResourceType), aws.ToString(res.PhysicalResourceId)
		switch {
		case physical == "" || deployed.Resources[id].OutlivesRemoval():
		case kind == nestedStack:
			body, err := r.readTemplate(ctx, physical)
			if err != nil {
				return nil, err
			}
			inner, err := r.lossesOfRemoval(ctx, physical, parseOrEmpty(body), within+id+"/")
			if err != nil {
				return nil, err
			}
			losses = append(losses, inner...)
		case registry.Holds(kind, deployed.Resources[id].Properties):
			losses = append(losses, Loss{LogicalID: within + id, Type: kind, PhysicalID: physical, Origin: r.origin(id)})
		}
	}
	return losses, nil
}

// parseOrEmpty reads a deployed template, which something else may have
// written; what cannot be read has no policies that keep anything.
func parseOrEmpty(template []byte) *cfn.Document {
	if doc, err := cfn.Parse(template); err == nil {
		return doc
	}
	return &cfn.Document{}
}
