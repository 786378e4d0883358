package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/cfn"
)

// dataTypes are the resource types whose replacement or removal loses what
// nobody can make again from the template: rows, files, messages, users, keys.
var dataTypes = map[string]bool{
	"AWS::Backup::BackupVault":              true,
	"AWS::Cassandra::Table":                 true,
	"AWS::Cognito::IdentityPool":            true,
	"AWS::Cognito::UserPool":                true,
	"AWS::DocDB::DBCluster":                 true,
	"AWS::DocDB::DBInstance":                true,
	"AWS::DynamoDB::GlobalTable":            true,
	"AWS::DynamoDB::Table":                  true,
	"AWS::EC2::Volume":                      true,
	"AWS::ECR::Repository":                  true,
	"AWS::EFS::FileSystem":                  true,
	"AWS::ElastiCache::CacheCluster":        true,
	"AWS::ElastiCache::ReplicationGroup":    true,
	"AWS::ElastiCache::ServerlessCache":     true,
	"AWS::Elasticsearch::Domain":            true,
	"AWS::Events::Archive":                  true,
	"AWS::FSx::FileSystem":                  true,
	"AWS::KMS::Key":                         true,
	"AWS::Kinesis::Stream":                  true,
	"AWS::MemoryDB::Cluster":                true,
	"AWS::Neptune::DBCluster":               true,
	"AWS::Neptune::DBInstance":              true,
	"AWS::OpenSearchServerless::Collection": true,
	"AWS::OpenSearchService::Domain":        true,
	"AWS::RDS::DBCluster":                   true,
	"AWS::RDS::DBInstance":                  true,
	"AWS::RDS::GlobalCluster":               true,
	"AWS::Redshift::Cluster":                true,
	"AWS::S3::Bucket":                       true,
	"AWS::S3Express::DirectoryBucket":       true,
	"AWS::S3Tables::Table":                  true,
	"AWS::SQS::Queue":                       true,
	"AWS::SecretsManager::Secret":           true,
	"AWS::Timestream::Table":                true,
}

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
		if loss, ok := lossOf(rc, old.Resources[id], r.template.Resources[id]); ok {
			loss.LogicalID = within + id
			loss.Origin = r.origin(id)
			losses = append(losses, loss)
		}
	}
	return losses, nil
}

// lossOf judges one change. before and after are the resource in the deployed
// and in the new template.
func lossOf(rc *types.ResourceChange, before, after cfn.ResourceDef) (Loss, bool) {
	loss := Loss{Type: aws.ToString(rc.ResourceType), PhysicalID: aws.ToString(rc.PhysicalResourceId)}
	if !dataTypes[loss.Type] {
		return loss, false
	}
	switch rc.Action {
	case types.ChangeActionRemove:
		return loss, !isKept(rc.PolicyAction, before.DeletionPolicy)
	case types.ChangeActionModify, types.ChangeActionDynamic:
		loss.Replaced = rc.Replacement == types.ReplacementTrue ||
			rc.Replacement == types.ReplacementConditional && mayReplace(rc, before, after)
		loss.Retained = isKept(rc.PolicyAction, before.UpdateReplacePolicy)
		loss.Causes = replacementCauses(rc)
		return loss, loss.Replaced
	}
	return loss, false
}

// isKept trusts CloudFormation's own word where it gives one, otherwise the
// policy of the deployed template.
func isKept(action types.PolicyAction, policy string) bool {
	switch action {
	case types.PolicyActionDelete, types.PolicyActionReplaceAndDelete:
		return false
	case "":
		return policy == "Retain" || policy == "RetainExceptOnCreate" || policy == "Snapshot"
	}
	return true
}

// mayReplace settles the one "conditional" that is common and harmless: a new
// index brings new attribute definitions, which replaces a table only when an
// attribute that it has gets another type.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func mayReplace(rc *types.ResourceChange, before, after cfn.ResourceDef) bool {
	causes := replacementCauses(rc)
	if aws.ToString(rc.ResourceType) != "AWS::DynamoDB::Table" || len(causes) != 1 || causes[0] != "AttributeDefinitions" {
		return true
	}
	now, then := attributeTypes(before), attributeTypes(after)
	for name, kind := range then {
		if old, ok := now[name]; ok && old != kind {
			return true
		}
	}
	return len(now) == 0 || len(then) == 0 // not known: the template is not at hand
}

func attributeTypes(table cfn.ResourceDef) map[string]any {
	found := map[string]any{}
	list, _ := table.Properties["AttributeDefinitions"].([]any)
	for _, item := range list {
		if def, ok := item.(map[string]any); ok {
			found[fmt.Sprint(def["AttributeName"])] = def["AttributeType"]
		}
	}
	return found
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
	if rc.PhysicalResourceId == nil || goes && isKept(rc.PolicyAction, parent.Resources[aws.ToString(rc.LogicalResourceId)].DeletionPolicy) {
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
	var losses []Loss
	for id, res := range parseOrEmpty(deployed).Resources {
		if dataTypes[res.Type] && !isKept("", res.DeletionPolicy) {
			losses = append(losses, Loss{LogicalID: within + id, Type: res.Type, Origin: r.origin(id)})
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
