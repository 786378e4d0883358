package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"arc/cfn"
	"arc/cfn/registry"
	"arc/deploy/queues"

	"github.com/urfave/cli/v2"
)

// How often SQS is asked whether it has moved all messages.
const (
	movePause      = 2 * time.Second
	localMovePause = 10 * time.Millisecond
)

// redrive tries again what a dead-letter queue holds. What other queues have given
// up, SQS itself moves back. Lambda, SNS and Scheduler take nothing back: what
// they gave up is given to the function here, and deleted when that is done.
func (s *session) redrive(ctx context.Context, d *data, found stored, _ *cli.Context) error {
	q, err := d.clients.Queues.Describe(ctx, found.url)
	if err != nil {
		return fmt.Errorf("queue %s: %w", found.name, err)
	}
	if q.DeadLetters != "" {
		return withHint(fmt.Errorf("%s is no dead-letter queue", q.Name), "its dead letters are in %s", queues.NameOf(q.DeadLetters))
	}
	sources, err := d.clients.Queues.Sources(ctx, q.URL)
	if err != nil {
		return fmt.Errorf("queue %s: %w", q.Name, err)
	}
	if len(sources) == 0 {
		return s.redriveEvents(ctx, d, q)
	}
	pause := movePause
	if d.clients.Local {
		pause = localMovePause
	}
	moved, err := d.clients.Queues.Move(ctx, q.ARN, pause)
	if err != nil {
		return fmt.Errorf("queue %s: %d moved: %w", q.Name, moved, err)
	}
	var names []string
	for _, url := range sources {
		names = append(names, queues.NameOf(url))
	}
	s.note("moved %d message%s of %s back to %s", moved, plural(moved), q.Name, strings.Join(names, ", "))
	return nil
}

// redriveHidden is how long a message is nobody else's while its function runs:
// longer than any function may.
const redriveHidden = 16 * time.Minute

// redriveEvents gives the events of a dead-letter queue to their functions, each
// once, one after another.
func (s *session) redriveEvents(ctx context.Context, d *data, q queues.Queue) error {
	functions, err := d.functionsOf(ctx, q.Name)
	if err != nil {
		return err
	}
	var failed []queues.Message
	done := 0
	release := func(err error) error {
		if wrong := d.clients.Queues.Release(context.WithoutCancel(ctx), q.URL, failed); wrong != nil {
			err = errors.Join(err, fmt.Errorf("queue %s: messages stay hidden for %s: %w", q.Name, redriveHidden, wrong))
		}
		return err
	}
	for {
		got, err := d.clients.Queues.Receive(ctx, q.URL, 1, redriveHidden)
		if err != nil {
			return release(fmt.Errorf("queue %s: %w", q.Name, err))
		}
		if len(got) == 0 {
			break
		}
		m := got[0]
		failed = append(failed, m) // unless it works
		function, event, err := d.eventOf(ctx, m, functions)
		if err != nil {
			s.note("  %s stays: %v", m.ID, err)
			continue
		}
		result, err := d.clients.Invoker.Invoke(ctx, function, event)
		if err != nil {
			return release(fmt.Errorf("function %s: %w", function, err))
		}
		if result.Failed != "" {
			s.note("  %s failed again, and stays: %s", m.ID, failureMessage(result.Payload, result.Failed))
			continue
		}
		if err := d.clients.Queues.Delete(ctx, q.URL, m); err != nil {
			return release(fmt.Errorf("queue %s: %s is done, and could not be deleted: %w", q.Name, m.ID, err))
		}
		failed = failed[:len(failed)-1]
		done++
	}
	s.note("%d message%s of %s done, %d left", done, plural(done), q.Name, len(failed))
	if len(failed) > 0 {
		return release(fmt.Errorf("%d message%s of %s could not be redriven", len(failed), plural(len(failed)), q.Name))
	}
	return nil
}

// failureMessage is what an error object says, else how the function failed.
func failureMessage(payload []byte, how string) string {
	var object struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &object) != nil || object.Message == "" {
		return how
	}
	return object.Message
}

// functionsOf gives the names of the functions whose events a queue takes when
// they fail on them, as the app's stacks tell.
func (d *data) functionsOf(ctx context.Context, queue string) (names []string, err error) {
	stages := []string{d.stage}
	if d.local() {
		stages = []string{"testing", "staging", "production"}
	}
	for _, stage := range stages {
		stack, ds := cfn.Compile(d.p.app, cfn.Options{Stage: stage, Name: d.name})
		if ds.HasErrors() {
			return nil, fmt.Errorf("the manifest has mistakes, and so nothing tells whose the dead letters of %s are: arc check lists them", queue)
		}
		made, err := d.clients.Resources(ctx, stack.Name, registry.SQSQueue)
		if err != nil {
			return nil, err
		}
		var functions map[string]string
		for _, fn := range stack.Functions {
			if url := made[fn.DeadLetters]; fn.DeadLetters == "" || queues.NameOf(url) != queue {
				continue
			}
			if functions == nil {
				if functions, err = d.clients.Resources(ctx, stack.Name, registry.LambdaFunction); err != nil {
					return nil, err
				}
			}
			if name := functions[fn.LogicalID]; name != "" {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// eventOf finds the function that a dead letter was for, and the event for it.
func (d *data) eventOf(ctx context.Context, m queues.Message, functions []string) (function string, event []byte, err error) {
	only := func() (string, error) {
		if len(functions) != 1 {
			return "", fmt.Errorf("it does not tell whose it is, and the queue keeps the events of %d functions", len(functions))
		}
		return functions[0], nil
	}
	var body struct {
		Resources []string        `json:"resources"`          // of a schedule's event
		Type      string          `json:"Type"`               // of an SNS notification
		TopicARN  string          `json:"TopicArn"`           //
		Batch     json.RawMessage `json:"DDBStreamBatchInfo"` // of changes that a stream's function failed on
	}
	json.Unmarshal([]byte(m.Body), &body) // what is not there is empty
	switch {
	case body.Batch != nil:
		return "", nil, errors.New("it holds the place of changes in a table's stream, not the changes")
	// What Scheduler could not bring to its target.
	// https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
	case m.Attributes["TARGET_ARN"].Value != "":
		return m.Attributes["TARGET_ARN"].Value, []byte(m.Body), nil
	// What SNS could not bring to its subscription is in the form for queues.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
	case body.Type == "Notification" && body.TopicARN != "":
		if function, err = only(); err != nil {
			return "", nil, err
		}
		event, err = snsEvent([]byte(m.Body))
		return function, event, err
	// What a function failed on is the event itself; a schedule's names the schedule.
	// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
	case len(functions) > 1 && len(body.Resources) == 1 && strings.Contains(body.Resources[0], ":schedule/"):
		function, err = d.clients.Schedules.Target(ctx, body.Resources[0])
		return function, []byte(m.Body), err
	}
	function, err = only()
	return function, []byte(m.Body), err
}

// snsEvent is a notification in the form in which SNS gives it to functions.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
func snsEvent(notification []byte) ([]byte, error) {
	var sns map[string]any
	if err := json.Unmarshal(notification, &sns); err != nil {
		return nil, err
	}
	for queues, functions := range map[string]string{"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"} {
		if url, there := sns[queues]; there {
			sns[functions] = url
			delete(sns, queues)
		}
	}
	if sns["MessageAttributes"] == nil {
		sns["MessageAttributes"] = map[string]any{}
	}
	return json.Marshal(map[string]any{"Records": []any{map[string]any{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}}})
}
