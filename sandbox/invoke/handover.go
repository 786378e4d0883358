package invoke

import (
	"context"
	"errors"
	"time"

	"arc/sandbox/activity"
)

// Firing is what EventBridge and its Scheduler need from their surroundings.
type Firing struct {
	Account, Region string
	Send            Send                         // to targets and dead-letter queues
	Permit          Permit                       // asked what a target's role may; nil = everything
	Called          func(function string) string // how people call a function; nil = by its ARN
	Tell            activity.Tell
	Clock           Clock // nil = the machine's
	Silent          bool  // no schedule fires
}

// Or is f with what stands for that which it leaves out.
func (f Firing) Or() Firing {
	f.Tell = f.Tell.Or()
	if f.Clock == nil {
		f.Clock = SystemClock{}
	}
	if f.Called == nil {
		f.Called = func(arn string) string { return arn }
	}
	return f
}

// Handover is how EventBridge and its Scheduler bring a message to a target.
type Handover struct {
	Send  Send
	Clock Clock
	// Again hears of a try that failed and will be made again.
	Again func(err error, wait time.Duration)
}

// Failure is why a message was given up.
type Failure struct {
	Code      string // "THROTTLED", "INVALID_PARAMETER"
	Condition string // "MaximumRetryAttempts", "MaximumEventAgeInSeconds"; "" when no retry would help
	Retries   int
	Err       error
}

// Deliver hands a message to a target, again and again with growing waits where
// it is throttled, until it was tried too often or is too old. What is wrong
// with a target otherwise (it is not there, it does not allow it) stays wrong,
// and is given up at once. nil = delivered.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
func (h Handover) Deliver(ctx context.Context, arn string, m Message, retries int, maxAge time.Duration) *Failure {
	began, wait := h.Clock.Now(), time.Second
	for tries := 0; ; tries++ {
		err := h.Send(ctx, arn, m)
		f := Failure{Code: "THROTTLED", Retries: tries, Err: err}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrForbidden):
			f.Code = "NO_PERMISSIONS"
			return &f
		case errors.Is(err, ErrNotFound):
			f.Code = "NO_RESOURCE"
			return &f
		case !errors.Is(err, ErrThrottled):
			f.Code = "INVALID_PARAMETER"
			return &f
		case tries >= retries:
			f.Condition = "MaximumRetryAttempts"
			return &f
		case h.Clock.Now().Add(wait).Sub(began) > maxAge:
			f.Condition = "MaximumEventAgeInSeconds"
			return &f
		}
		if h.Again != nil {
			h.Again(err, wait)
		}
		select {
		case <-ctx.Done():
			f.Err = ErrClosed
			return &f
		case <-h.Clock.After(wait):
		}
		wait = min(2*wait, maxBackoff)
	}
}
