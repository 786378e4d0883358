package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// Deliver takes an event for a function and returns at once: an asynchronous
// invocation, with Lambda's retries. name is what Invoke takes; id is the
// request's, "" for a new one.
func (s *Service) Deliver(name, id string, event []byte) error {
	if id == "" {
		id = newRequestID()
	}
	return s.async.Deliver(name, id, event)
}

// DeliverHeard is Deliver for one who waits for what comes of the event, as
// CloudFormation does for a custom resource: heard is told of each try. The
// error is of a function that does not exist.
func (s *Service) DeliverHeard(name, id string, event []byte, heard func(invoke.Try)) error {
	s.mu.Lock()
	f := s.resolve(name)
	s.mu.Unlock()
	if f == nil {
		return fmt.Errorf("function %s: %w", name, invoke.ErrNotFound)
	}
	return s.async.DeliverHeard(name, id, event, heard)
}

// Led reports whether what a function sends to AWS's hosts comes to the local cloud:
// the bootstraps of the languages see to that.
func (s *Service) Led(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.resolve(name)
	return f != nil && languageOf(f.Runtime) != nil
}

// Receive makes a function a destination or a target: the message's body is its
// event. What EventBridge's rules and SNS send needs a permission of the
// function; destinations and schedules come with a role of their own.
func (s *Service) Receive(_ context.Context, arn string, m invoke.Message) error {
	s.mu.Lock()
	f := s.resolve(arn)
	s.mu.Unlock()
	if f == nil {
		return fmt.Errorf("function %s: %w", arn, invoke.ErrNotFound)
	}
	if m.InNobodysName() {
		if err := s.Permit(arn, m.Principal, m.Source); err != nil {
			return fmt.Errorf("%w: %w", invoke.ErrForbidden, err)
		}
	}
	return s.Deliver(arn, m.ID, m.Body)
}

// underWay begins the keys of asynchronous events in the log; those of event
// sources begin with the name of a stack, which has no space.
const underWay = "async "

// keptEvent is an asynchronous event from one run to the next. Functions have
// other names then, but the same place in their stacks.
type keptEvent struct {
	Of string // stack and logical ID
	invoke.Pending
}

// keeper keeps asynchronous events in the service's log.
type keeper struct{ service *Service }

// Keep writes down an event of a function that a stack has made.
func (k keeper) Keep(p invoke.Pending) (kept bool, err error) {
	s := k.service
	s.mu.Lock()
	name, _ := splitName(p.Function)
	of := s.resources.origins[name]
	s.mu.Unlock()
	if s.positions == nil || of == "" {
		return false, nil
	}
	return true, s.positions.Put(underWay+p.Key, keptEvent{of, p})
}

// Done forgets an event.
func (k keeper) Done(key string) {
	if err := k.service.positions.Delete(underWay + key); err != nil {
		k.service.options.Tell.Or().Notice("an event that is done is delivered once more by the next run: %v", err)
	}
}

// restoreEvent takes an event that an earlier run has kept. It waits for its
// function, unless it is too old by then.
func (s *Service) restoreEvent(key string, value []byte) error {
	var e keptEvent
	if err := json.Unmarshal(value, &e); err != nil {
		return err
	}
	if now := s.now(); now.Sub(e.Began) > invoke.DefaultPolicy.MaxAge {
		s.options.Tell.Or()(activity.Event{
			Kind: activity.Delivery, Function: "function " + e.Of, RequestID: e.ID,
			Text: fmt.Sprintf("asynchronous event of %s given up and lost: no local cloud has run its function for %s", e.Began.Format(time.RFC3339), invoke.DefaultPolicy.MaxAge),
		})
		return s.positions.Delete(key)
	}
	s.resources.pending[e.Of] = append(s.resources.pending[e.Of], e.Pending)
	return nil
}

func (s *Service) now() time.Time {
	if s.options.Clock != nil {
		return s.options.Clock.Now()
	}
	return time.Now()
}

// adopt says which resource of which stack a function is, and goes on with the
// events that an earlier run has kept for it.
func (s *Service) adopt(req stack.Request, name string) {
	of := req.Stack.Name + "/" + req.LogicalID
	s.mu.Lock()
	s.resources.origins[name] = of
	pending := s.resources.pending[of]
	delete(s.resources.pending, of)
	s.mu.Unlock()
	for _, p := range pending {
		if _, qualifier := splitName(p.Function); qualifier != "" {
			p.Function = name + ":" + qualifier
		} else {
			p.Function = name
		}
		s.async.Resume(p)
	}
}

// policy is what becomes of a function's asynchronous events: what is configured for
// the alias or version that is called, or for $LATEST where it is called by its name.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html
func (s *Service) policy(called string) invoke.Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, _ := splitName(called)
	policy, set := s.resources.policies[policyKey(called)]
	if !set {
		policy = invoke.DefaultPolicy
	}
	if f := s.functions[name]; f != nil {
		policy.DeadLetter = f.DeadLetter
		policy.Off = f.Reserved != nil && *f.Reserved == 0
	}
	return policy
}

// policyKey is a function with the alias or version by which it is called.
func policyKey(called string) string {
	name, qualifier := splitName(called)
	return name + ":" + cmp.Or(qualifier, latest)
}

// arn is a function's ARN.
func (s *Service) arn(called string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.resolve(called); f != nil {
		return f.ARN
	}
	return called
}

// createPolicy provides AWS::Lambda::EventInvokeConfig.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
func (s *Service) createPolicy(ctx context.Context, req stack.Request) (stack.Resource, error) {
	req.PhysicalID = req.Name(100)
	return s.updatePolicy(ctx, req)
}

func (s *Service) updatePolicy(ctx context.Context, req stack.Request) (stack.Resource, error) {
	type destination struct {
		Destination string `cfn:"required"`
	}
	var p struct {
		FunctionName             string `cfn:"required"`
		Qualifier                string `cfn:"required"`
		MaximumEventAgeInSeconds *int
		MaximumRetryAttempts     *int
		DestinationConfig        struct{ OnSuccess, OnFailure *destination }
	}
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	policy := invoke.DefaultPolicy
	if n := p.MaximumRetryAttempts; n != nil {
		if *n < 0 || *n > 2 {
			return stack.Resource{}, fmt.Errorf("property MaximumRetryAttempts: %d: must be 0 to 2", *n)
		}
		policy.Retries = *n
	}
	if n := p.MaximumEventAgeInSeconds; n != nil {
		if *n < 60 || *n > 21600 {
			return stack.Resource{}, fmt.Errorf("property MaximumEventAgeInSeconds: %d: must be 60 to 21600", *n)
		}
		policy.MaxAge = time.Duration(*n) * time.Second
	}
	if d := p.DestinationConfig.OnSuccess; d != nil {
		policy.OnSuccess = d.Destination
	}
	if d := p.DestinationConfig.OnFailure; d != nil {
		policy.OnFailure = d.Destination
	}
	s.mu.Lock()
	f, err := s.owner(p.FunctionName)
	s.mu.Unlock()
	if err != nil {
		return stack.Resource{}, err
	}
	for _, destination := range []string{policy.OnSuccess, policy.OnFailure} {
		if err := s.mayHandOn(ctx, f.Function, destination); err != nil && !req.Whole() {
			return stack.Resource{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources.policies[policyKey(f.Name+":"+p.Qualifier)] = policy
	return stack.Resource{PhysicalID: req.PhysicalID}, nil
}

func (s *Service) deletePolicy(_ context.Context, req stack.Request) error {
	called, _ := stack.Text(req.Properties["FunctionName"])
	qualifier, _ := stack.Text(req.Properties["Qualifier"])
	name, _ := splitName(called)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources.policies, policyKey(name+":"+qualifier))
	return nil
}
