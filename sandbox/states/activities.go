package states

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
)

// activityQueue is an activity: tasks that wait for workers who ask for them.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
type activityQueue struct {
	ARN, Name string
	Tags      []any
	Created   time.Time

	offers []*offer
	more   chan struct{} // closed, and made anew, when there is an offer
}

// offer is a task that no worker has taken yet.
type offer struct {
	token, input string
	taken        chan string   // takes the name of the worker
	started      chan struct{} // closed when the history tells of it
	gone         chan struct{} // closed when the task has ended without a worker
}

// maxPoll is how long a worker waits for a task.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html
const maxPoll = 60 * time.Second

// isActivity reports whether the ARN of a task is that of an activity.
func isActivity(arn string) bool {
	parts := strings.SplitN(arn, ":", 7)
	return len(parts) == 7 && parts[2] == "states" && parts[5] == "activity"
}

// putActivity makes an activity; one of the name is that one.
func (s *Service) putActivity(region, name string, tags []any, keep bool) (*activityQueue, error) {
	if !nameForm().MatchString(name) {
		return nil, &stack.Error{Code: "InvalidName", Message: fmt.Sprintf("Invalid Name: '%s'", name)}
	}
	q := &activityQueue{ARN: s.arn(region, "activity:"+name), Name: name, Tags: tags, Created: s.options.Clock.Now(), more: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.activities[q.ARN]; old != nil {
		return old, nil
	}
	if keep {
		if err := s.log.Put("activity/"+q.ARN, q); err != nil {
			return nil, err
		}
	}
	s.activities[q.ARN] = q
	return q, nil
}

func (s *Service) activity(arn string) (*activityQueue, error) {
	if !isActivity(arn) {
		return nil, &stack.Error{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: 'Invalid ARN prefix: %s'", arn)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.activities[arn]; q != nil {
		return q, nil
	}
	return nil, &stack.Error{Code: "ActivityDoesNotExist", Message: fmt.Sprintf("Activity Does Not Exist: '%s'", arn)}
}

func (s *Service) dropActivity(arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.activities, arn)
	return s.log.Delete("activity/" + arn)
}

// ofActivities answers the operations of activities.
func (s *Service) ofActivities(ctx context.Context, operation string, in input) (any, error) {
	switch operation {
	case "CreateActivity":
		q, err := s.putActivity(stack.RegionIn(ctx, s.options.Region), in.Name, in.Tags, true)
		if err != nil {
			return nil, err
		}
		return map[string]any{"activityArn": q.ARN, "creationDate": seconds(q.Created)}, nil
	case "DeleteActivity":
		return struct{}{}, s.dropActivity(in.ActivityArn)
	case "ListActivities":
		s.mu.Lock()
		list := []any{}
		for _, arn := range slices.Sorted(maps.Keys(s.activities)) {
			q := s.activities[arn]
			list = append(list, map[string]any{"activityArn": q.ARN, "name": q.Name, "creationDate": seconds(q.Created)})
		}
		s.mu.Unlock()
		return paged("activities", list, in)
	}
	q, err := s.activity(in.ActivityArn)
	if err != nil {
		return nil, err
	}
	if operation == "DescribeActivity" {
		return map[string]any{"activityArn": q.ARN, "name": q.Name, "creationDate": seconds(q.Created), "encryptionConfiguration": map[string]any{"type": "AWS_OWNED_KEY"}}, nil
	}
	o := s.take(ctx, q, in.WorkerName)
	if o == nil {
		return map[string]any{"taskToken": nil}, nil
	}
	return map[string]any{"taskToken": o.token, "input": o.input}, nil
}

// take waits for a task; nil = there is none for so long.
func (s *Service) take(ctx context.Context, q *activityQueue, worker string) *offer {
	end := s.options.Clock.After(maxPoll)
	for {
		s.mu.Lock()
		more := q.more
		var o *offer
		if len(q.offers) > 0 {
			o, q.offers = q.offers[0], q.offers[1:]
		}
		s.mu.Unlock()
		if o != nil {
			o.taken <- worker
			select {
			case <-o.started:
				return o
			case <-o.gone:
				continue
			}
		}
		select {
		case <-more:
		case <-end:
			return nil
		case <-ctx.Done():
			return nil
		case <-s.ctx.Done():
			return nil
		}
	}
}

// offer lets workers ask for a task.
func (s *Service) offer(q *activityQueue, token, input string) *offer {
	o := &offer{token: token, input: input, taken: make(chan string, 1), started: make(chan struct{}), gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	q.offers = append(q.offers, o)
	close(q.more)
	q.more = make(chan struct{})
	return o
}

func (s *Service) withdraw(q *activityQueue, o *offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.offers = slices.DeleteFunc(q.offers, func(other *offer) bool { return other == o })
	close(o.gone)
}

// work has a worker do the task, and waits for the answer with its token.
func (t *attempt) work(ctx context.Context, q *activityQueue) (any, *asl.Failure) {
	s, clock := t.x.s, t.x.s.options.Clock
	after := func(seconds int) <-chan time.Time {
		if seconds == 0 {
			return nil
		}
		return clock.After(time.Duration(seconds) * time.Second)
	}
	token := t.await(t.at.Token)
	defer s.unawait(t.at.Token, token)
	timeout := after(t.limit)
	var beat <-chan time.Time
	var o *offer
	var taken chan string
	if t.at.Taken {
		beat = after(t.beat)
	} else {
		if !t.at.Sent {
			t.at.Sent, t.at.Prev = true, t.prev
			t.save()
		}
		o = s.offer(q, t.at.Token, asl.Encode(t.given))
		taken = o.taken
		defer s.withdraw(q, o)
	}
	for {
		select {
		case <-ctx.Done():
			return nil, cut
		case <-timeout:
			return nil, &asl.Failure{Name: asl.ErrTimeout}
		case <-beat:
			return nil, &asl.Failure{Name: asl.ErrTimeout} // as AWS tells of missing heartbeats
		case <-token.beat:
			beat = after(t.beat)
		case worker := <-taken:
			details := map[string]any{}
			if worker != "" {
				details["workerName"] = worker
			}
			t.say("Started", details)
			t.at.Taken, t.at.Prev = true, t.prev
			t.save()
			beat = after(t.beat)
			close(o.started)
		case <-token.answered:
			return t.answered()
		}
	}
}

// createActivity makes an activity for a stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-activity.html
func (s *Service) createActivity(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		Name string `cfn:"required"`
		Tags []any
	}
	if err := stack.Read(req.Properties, &p, "EncryptionConfiguration"); err != nil {
		return stack.Resource{}, err
	}
	q, err := s.putActivity(req.Stack.Region, p.Name, lowered(p.Tags).([]any), false)
	if err != nil {
		return stack.Resource{}, err
	}
	return stack.Resource{PhysicalID: q.ARN, Attributes: map[string]any{"Arn": q.ARN, "Name": q.Name}}, nil
}

func (s *Service) deleteActivity(_ context.Context, req stack.Request) error {
	return s.dropActivity(req.PhysicalID)
}
