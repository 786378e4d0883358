package cfn

import "arc/cfn/registry"

// Keeps reports whether a DeletionPolicy or an UpdateReplacePolicy leaves the
// data in the world.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
func Keeps(policy string) bool {
	return policy == "Retain" || policy == "RetainExceptOnCreate" || policy == "Snapshot"
}

// OutlivesRemoval reports whether the resource, or a snapshot of its data, stays
// when it leaves its stack: by its DeletionPolicy, or because CloudFormation
// takes a snapshot of such databases by itself.
func (d ResourceDef) OutlivesRemoval() bool {
	if d.DeletionPolicy == "" {
		return d.Type == registry.RDSDBCluster || d.Type == registry.RDSDBInstance && d.Properties["DBClusterIdentifier"] == nil
	}
	return Keeps(d.DeletionPolicy)
}
