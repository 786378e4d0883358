package lambda

import (
	"context"
	"errors"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/rights"
)

// What Lambda looks at in a function's role before it makes something that needs
// its rights, in its words.

// principal is the service that takes functions' roles.
const principal = "lambda.amazonaws.com"

// roleOf is the ARN of a function's role; "" = it has none.
func (s *Service) roleOf(called string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.resolve(called); f != nil {
		return f.Role
	}
	return ""
}

// errand is what Lambda does in the name of a function's role.
func (s *Service) errand(fn Function, action, resource string) invoke.Errand {
	e := invoke.Errand{Service: principal, Role: fn.Role, Session: fn.Name, For: fn.ARN, Action: action, Resource: resource}
	if e.Called = fn.Label; !strings.HasPrefix(fn.Label, "@") {
		e.Called = "function " + fn.Label
	}
	return e
}

// mayRun refuses a function whose role Lambda cannot take, or whose dead letters it
// may not send.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
func (s *Service) mayRun(ctx context.Context, fn Function) error {
	if err := s.options.Permit.Ask(ctx, s.errand(fn, "", "")); err != nil {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	action := invoke.ActionOf(fn.DeadLetter)
	if action == "" {
		return nil
	}
	if err := s.options.Permit.Ask(ctx, s.errand(fn, action, fn.DeadLetter)); err != nil {
		return invalid("The provided execution role does not have permissions to call %s", called(action))
	}
	return nil
}

// mayHandOn refuses a destination that a function's role may not hand on to.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
func (s *Service) mayHandOn(ctx context.Context, fn Function, destination string) error {
	action := invoke.ActionOf(destination)
	if action == "" {
		return nil
	}
	if err := s.options.Permit.Ask(ctx, s.errand(fn, action, destination)); err != nil {
		_, name, _ := strings.Cut(action, ":")
		return invalid("The function's execution role does not have permissions to call %s on %s", name, destination)
	}
	return nil
}

// mayRead refuses an event source that a function's role may not read.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html#events-dynamodb-permissions
func (s *Service) mayRead(ctx context.Context, fn Function, source string) error {
	switch {
	case isQueue(source):
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			if err := s.options.Permit.Ask(ctx, s.errand(fn, action, source)); err != nil {
				return refused(err, "The provided execution role does not have permissions to call %s", called(action))
			}
		}
	case isTableStream(source):
		// ListStreams is asked for by the documentation, of all streams, and by Lambda's
		// message; whether Lambda looks at it is not known.
		for _, action := range []string{"dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"} {
			if err := s.options.Permit.Ask(ctx, s.errand(fn, action, source)); err != nil {
				return refused(err, "Cannot access stream %s. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.", source)
			}
		}
	}
	return nil
}

// refused is Lambda's message of what a role lacks.
func refused(err error, format string, args ...any) error {
	var why *rights.Denial
	if errors.As(err, &why) && why.Untrusted {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return invalid(format, args...)
}

// called is an action as Lambda's messages have it: "SendMessage on SQS".
func called(action string) string {
	service, name, _ := strings.Cut(action, ":")
	return name + " on " + strings.ToUpper(service)
}
