package stack

import "time"

// The shapes of CloudFormation's API, named and spelled as its reference does.
// Inputs are read from forms by field name; outputs are printed as XML.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Types.html

// Parameter is the value of a template parameter.
type Parameter struct {
	ParameterKey     string
	ParameterValue   string
	UsePreviousValue bool   `xml:",omitempty"`
	ResolvedValue    string `xml:",omitempty"`
}

// Tag is a tag of a stack.
type Tag struct{ Key, Value string }

// Output is an output of a stack.
type Output struct {
	OutputKey   string
	OutputValue string
	Description string `xml:",omitempty"`
	ExportName  string `xml:",omitempty"`
}

// Event is one thing that happened to a stack or one of its resources.
type Event struct {
	StackID              string `xml:"StackId"`
	EventID              string `xml:"EventId"`
	StackName            string
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId"`
	ResourceType         string
	Timestamp            time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	ResourceProperties   string `xml:",omitempty"` // JSON
	ClientRequestToken   string `xml:",omitempty"`
}

// Drift is what is known of the drift of a stack: the engine looks for none.
type Drift struct{ StackDriftStatus string }

// ResourceDrift is what is known of the drift of a resource.
type ResourceDrift struct{ StackResourceDriftStatus string }

// Description is a stack as DescribeStacks tells it.
type Description struct {
	StackID                     string `xml:"StackId"`
	StackName                   string
	ChangeSetID                 string      `xml:"ChangeSetId,omitempty"`
	Description                 string      `xml:",omitempty"`
	Parameters                  []Parameter `xml:"Parameters>member"`
	CreationTime                time.Time
	DeletionTime                *time.Time `xml:",omitempty"`
	LastUpdatedTime             *time.Time `xml:",omitempty"`
	RollbackConfiguration       struct{}
	StackStatus                 string
	StackStatusReason           string `xml:",omitempty"`
	DisableRollback             bool
	NotificationARNs            []string `xml:"NotificationARNs>member"`
	TimeoutInMinutes            int      `xml:",omitempty"`
	Capabilities                []string `xml:"Capabilities>member"`
	Outputs                     []Output `xml:"Outputs>member"`
	RoleARN                     string   `xml:",omitempty"`
	Tags                        []Tag    `xml:"Tags>member"`
	EnableTerminationProtection bool
	ParentID                    string `xml:"ParentId,omitempty"`
	RootID                      string `xml:"RootId,omitempty"`
	DriftInformation            Drift
}

// Summary is a stack as ListStacks tells it.
type Summary struct {
	StackID             string `xml:"StackId"`
	StackName           string
	TemplateDescription string `xml:",omitempty"`
	CreationTime        time.Time
	LastUpdatedTime     *time.Time `xml:",omitempty"`
	DeletionTime        *time.Time `xml:",omitempty"`
	StackStatus         string
	StackStatusReason   string `xml:",omitempty"`
	ParentID            string `xml:"ParentId,omitempty"`
	RootID              string `xml:"RootId,omitempty"`
	DriftInformation    Drift
}

// ResourceDescription is a resource as DescribeStackResources tells it.
type ResourceDescription struct {
	StackName            string
	StackID              string `xml:"StackId"`
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId,omitempty"`
	ResourceType         string
	Timestamp            time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	DriftInformation     ResourceDrift
}

// ResourceDetail is a resource as DescribeStackResource tells it.
type ResourceDetail struct {
	StackName            string
	StackID              string `xml:"StackId"`
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId,omitempty"`
	ResourceType         string
	LastUpdatedTimestamp time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	Metadata             string `xml:",omitempty"` // JSON
	DriftInformation     ResourceDrift
}

// ResourceSummary is a resource as ListStackResources tells it.
type ResourceSummary struct {
	LogicalResourceID    string `xml:"LogicalResourceId"`
	PhysicalResourceID   string `xml:"PhysicalResourceId,omitempty"`
	ResourceType         string
	LastUpdatedTimestamp time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
	DriftInformation     ResourceDrift
}

// Export is an exported output.
type Export struct {
	ExportingStackID string `xml:"ExportingStackId"`
	Name             string
	Value            string
}

// StackOutput is the answer to the operations that start something.
type StackOutput struct {
	StackID string `xml:"StackId"`
}

// Empty is the input or answer of operations that need none.
type Empty struct{}
