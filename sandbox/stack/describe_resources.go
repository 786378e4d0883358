package stack

import "context"

// DescribeStackResourceInput is the request of DescribeStackResource.
type DescribeStackResourceInput struct{ StackName, LogicalResourceID string }

// DescribeStackResourceOutput is the answer of DescribeStackResource.
type DescribeStackResourceOutput struct{ StackResourceDetail ResourceDetail }

// DescribeStackResource tells one resource of a stack.
func (e *Engine) DescribeStackResource(ctx context.Context, in DescribeStackResourceInput) (DescribeStackResourceOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return DescribeStackResourceOutput{}, invalid("Stack '%s' does not exist", in.StackName)
	}
	r := st.resources[in.LogicalResourceID]
	if r == nil {
		return DescribeStackResourceOutput{}, invalid("Resource %s does not exist for stack %s", in.LogicalResourceID, in.StackName)
	}
	return DescribeStackResourceOutput{ResourceDetail{
		StackName: st.ref.Name, StackID: st.ref.ID, LogicalResourceID: r.logicalID, PhysicalResourceID: r.physicalID,
		ResourceType: r.kind, LastUpdatedTimestamp: r.updated, ResourceStatus: r.status, ResourceStatusReason: r.reason,
		Metadata: asJSON(r.metadata), DriftInformation: ResourceDrift{"NOT_CHECKED"},
	}}, nil
}

// DescribeStackResourcesInput is the request of DescribeStackResources.
type DescribeStackResourcesInput struct{ StackName, LogicalResourceID, PhysicalResourceID string }

// DescribeStackResourcesOutput is the answer of DescribeStackResources.
type DescribeStackResourcesOutput struct {
	StackResources []ResourceDescription `xml:"StackResources>member"`
}

// DescribeStackResources tells up to 100 resources of a stack, or of the stack
// that a physical ID belongs to.
func (e *Engine) DescribeStackResources(ctx context.Context, in DescribeStackResourcesInput) (DescribeStackResourcesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var st *state
	var err error
	if in.StackName == "" {
		st = e.ownerOf(in.PhysicalResourceID)
	} else {
		st, err = e.find(ctx, in.StackName)
	}
	if err != nil {
		return DescribeStackResourcesOutput{}, err
	}
	if st == nil {
		return DescribeStackResourcesOutput{}, invalid("Stack for %s does not exist", in.PhysicalResourceID)
	}
	out := DescribeStackResourcesOutput{}
	for _, r := range st.sorted() {
		if in.LogicalResourceID != "" && r.logicalID != in.LogicalResourceID || len(out.StackResources) == pageSize {
			continue
		}
		out.StackResources = append(out.StackResources, ResourceDescription{
			StackName: st.ref.Name, StackID: st.ref.ID, LogicalResourceID: r.logicalID, PhysicalResourceID: r.physicalID,
			ResourceType: r.kind, Timestamp: r.updated, ResourceStatus: r.status, ResourceStatusReason: r.reason,
			DriftInformation: ResourceDrift{"NOT_CHECKED"},
		})
	}
	return out, nil
}

func (e *Engine) ownerOf(physicalID string) *state {
	for _, st := range e.all {
		for _, r := range st.resources {
			if physicalID != "" && r.physicalID == physicalID {
				return st
			}
		}
	}
	return nil
}

// ListStackResourcesInput is the request of ListStackResources.
type ListStackResourcesInput struct{ StackName, NextToken string }

// ListStackResourcesOutput is the answer of ListStackResources.
type ListStackResourcesOutput struct {
	StackResourceSummaries []ResourceSummary `xml:"StackResourceSummaries>member"`
	NextToken              string            `xml:",omitempty"`
}

// ListStackResources lists the resources of a stack by logical ID.
func (e *Engine) ListStackResources(ctx context.Context, in ListStackResourcesInput) (ListStackResourcesOutput, error) {
	if err := e.fault("ListStackResources", ""); err != nil {
		return ListStackResourcesOutput{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return ListStackResourcesOutput{}, err
	}
	resources, next, err := page(st.sorted(), in.NextToken)
	out := ListStackResourcesOutput{NextToken: next}
	for _, r := range resources {
		out.StackResourceSummaries = append(out.StackResourceSummaries, ResourceSummary{
			LogicalResourceID: r.logicalID, PhysicalResourceID: r.physicalID, ResourceType: r.kind,
			LastUpdatedTimestamp: r.updated, ResourceStatus: r.status, ResourceStatusReason: r.reason,
			DriftInformation: ResourceDrift{"NOT_CHECKED"},
		})
	}
	return out, err
}
