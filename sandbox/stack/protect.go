package stack

import "context"

// UpdateTerminationProtectionInput is the request of UpdateTerminationProtection.
type UpdateTerminationProtectionInput struct {
	StackName                   string
	EnableTerminationProtection bool
}

// UpdateTerminationProtection makes DeleteStack refuse a stack, or no longer.
func (e *Engine) UpdateTerminationProtection(ctx context.Context, in UpdateTerminationProtectionInput) (StackOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return StackOutput{}, err
	}
	st.protected = in.EnableTerminationProtection
	e.keep(st, nil)
	return StackOutput{st.ref.ID}, nil
}

// SetStackPolicyInput is the request of SetStackPolicy.
type SetStackPolicyInput struct{ StackName, StackPolicyBody string }

// SetStackPolicy keeps a stack policy. It is shown and not enforced.
func (e *Engine) SetStackPolicy(ctx context.Context, in SetStackPolicyInput) (Empty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return Empty{}, err
	}
	st.policy = in.StackPolicyBody
	e.keep(st, nil)
	return Empty{}, nil
}

// GetStackPolicyInput is the request of GetStackPolicy.
type GetStackPolicyInput struct{ StackName string }

// GetStackPolicyOutput is the answer of GetStackPolicy.
type GetStackPolicyOutput struct {
	StackPolicyBody string `xml:",omitempty"`
}

// GetStackPolicy gives the policy that SetStackPolicy kept.
func (e *Engine) GetStackPolicy(ctx context.Context, in GetStackPolicyInput) (GetStackPolicyOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st, err := e.find(ctx, in.StackName)
	if err != nil {
		return GetStackPolicyOutput{}, err
	}
	return GetStackPolicyOutput{st.policy}, nil
}
