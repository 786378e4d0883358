// Package diff compares two CloudFormation templates and says what changes and
// how dangerous that is. Its faces (text, JSON; later Markdown, SARIF) print
// the same Change values.
package diff

import "arc/cfn"

// Action is what happens to a resource.
type Action string

// The actions, as CloudFormation names them.
const (
	Add    Action = "Add"
	Modify Action = "Modify"
	Remove Action = "Remove"
)

// Change is one resource that differs.
type Change struct {
	Action     Action
	LogicalID  string
	Type       string
	Properties []Property // Modify: what differs, sorted by path
	Replaces   Replacement
}

// Property is one difference inside a resource.
type Property struct {
	Path   string // "Environment.Variables.ARC_ENV"
	Before any    // nil: absent
	After  any
}

// Replacement is whether a change makes a new physical resource.
type Replacement string

// The answers, as CloudFormation's change sets give them.
const (
	Never       Replacement = "False"
	Always      Replacement = "True"
	Conditional Replacement = "Conditional"
)

// Compare lists what turns before into after, sorted by logical ID.
// A nil before means that nothing is deployed.
func Compare(before, after *cfn.Document) []Change { return nil } // filled in by the room's owner
