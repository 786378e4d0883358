package stack

import "time"

// ResourceChange is what a change set would do to one resource.
type ResourceChange struct {
	PolicyAction       string `xml:",omitempty"`
	Action             string // "Add", "Modify", "Remove", "Import"
	LogicalResourceID  string `xml:"LogicalResourceId"`
	PhysicalResourceID string `xml:"PhysicalResourceId,omitempty"`
	ResourceType       string
	Replacement        string         `xml:",omitempty"` // "True", "False", "Conditional"; Modify only
	Scope              []string       `xml:"Scope>member"`
	Details            []ChangeDetail `xml:"Details>member"`
	ChangeSetID        string         `xml:"ChangeSetId,omitempty"` // of a nested stack
	BeforeContext      string         `xml:",omitempty"`            // JSON; on request
	AfterContext       string         `xml:",omitempty"`

	before, after map[string]any // properties with secrets replaced
}

// ChangeDetail is one reason for a change.
type ChangeDetail struct {
	Target        ChangeTarget
	Evaluation    string // "Static", "Dynamic"
	ChangeSource  string
	CausingEntity string `xml:",omitempty"`
}

// ChangeTarget is the part of a resource that a detail is about.
type ChangeTarget struct {
	Attribute           string // "Properties", "Metadata", "Tags"
	Name                string `xml:",omitempty"`
	RequiresRecreation  string // "Never", "Always"
	Path                string `xml:",omitempty"`
	BeforeValue         string `xml:",omitempty"`
	AfterValue          string `xml:",omitempty"`
	AttributeChangeType string `xml:",omitempty"`
}

// property is the name of the property that the target is, or is part of.
func (t ChangeTarget) property() string {
	if t.Name == "" {
		return t.Attribute
	}
	return t.Name
}

// Change wraps a ResourceChange, as the API does.
type Change struct {
	Type           string // "Resource"
	ResourceChange ResourceChange
}

// ChangeSetDescription is the answer of DescribeChangeSet.
type ChangeSetDescription struct {
	ChangeSetName         string
	ChangeSetID           string `xml:"ChangeSetId"`
	StackID               string `xml:"StackId"`
	StackName             string
	Description           string      `xml:",omitempty"`
	Parameters            []Parameter `xml:"Parameters>member"`
	CreationTime          time.Time
	ExecutionStatus       string
	Status                string
	StatusReason          string   `xml:",omitempty"`
	NotificationARNs      []string `xml:"NotificationARNs>member"`
	RollbackConfiguration struct{}
	Capabilities          []string `xml:"Capabilities>member"`
	Tags                  []Tag    `xml:"Tags>member"`
	Changes               []Change `xml:"Changes>member"`
	NextToken             string   `xml:",omitempty"`
	IncludeNestedStacks   bool
	ParentChangeSetID     string `xml:"ParentChangeSetId,omitempty"`
	RootChangeSetID       string `xml:"RootChangeSetId,omitempty"`
	OnStackFailure        string `xml:",omitempty"`
}

// ChangeSetSummary is a change set as ListChangeSets tells it.
type ChangeSetSummary struct {
	StackID             string `xml:"StackId"`
	StackName           string
	ChangeSetID         string `xml:"ChangeSetId"`
	ChangeSetName       string
	ExecutionStatus     string
	Status              string
	StatusReason        string `xml:",omitempty"`
	CreationTime        time.Time
	Description         string `xml:",omitempty"`
	IncludeNestedStacks bool
}
