package cfn

import "arc/cfn/registry"

// Keeps reports whether a DeletionPolicy or an UpdateReplacePolicy leaves the
// data in the world.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
func Keeps(policy string) bool { return FateOf(policy) != Deleted }

// Fate is what becomes of a resource that leaves its stack or is replaced, from
// the worst.
type Fate int

// The fates.
const (
	Deleted  Fate = iota
	Snapshot      // it is deleted, and a snapshot of its data is left
	Kept          // it stays as it is, outside of the stack
)

// FateOf is what a DeletionPolicy or an UpdateReplacePolicy says; "" = delete.
func FateOf(policy string) Fate {
	switch policy {
	case "Retain", "RetainExceptOnCreate":
		return Kept
	case "Snapshot":
		return Snapshot
	}
	return Deleted
}

// OnRemoval is what becomes of the resource when it leaves its stack: by its
// DeletionPolicy, or because CloudFormation takes a snapshot of such databases by
// itself.
func (d ResourceDef) OnRemoval() Fate {
	if d.DeletionPolicy == "" && (d.Type == registry.RDSDBCluster || d.Type == registry.RDSDBInstance && d.Properties["DBClusterIdentifier"] == nil) {
		return Snapshot
	}
	return FateOf(d.DeletionPolicy)
}

// OutlivesRemoval reports whether the resource, or a snapshot of its data, stays
// when it leaves its stack.
func (d ResourceDef) OutlivesRemoval() bool { return d.OnRemoval() != Deleted }
