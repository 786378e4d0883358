package sandbox

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
	"arc/sandbox/sns"
	"arc/sandbox/sqs"
	"arc/sandbox/stack"
)

// topicWorld is topics, queues and functions, put together by the cloud itself,
// on a hasty clock.
type topicWorld struct {
	*queueWorld
	engine *stack.Engine
	topics *sns.Service
}

func newTopicWorld(t *testing.T, code string) *topicWorld {
	t.Helper()
	w := newQueueWorld(t, code, nil)
	w.end() // what follows has a log and services of its own
	c := &Cloud{}
	tell := func(e activity.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, e)
	}
	w.queues = sqs.New(sqs.Options{Account: Account, Region: "us-west-2", Clock: w.clock, Tell: tell})
	w.lambda = lambda.New(lambda.Options{Account: Account, Region: "us-west-2", Path: os.Getenv("PATH"), Clock: w.clock, Queues: w.queues, Send: c.send, Tell: tell})
	topics := sns.New(sns.Options{Account: Account, Region: "us-west-2", Clock: w.clock, Send: c.send, Tell: tell})
	c.all = []Service{w.queues, w.lambda, topics}
	w.lambda.Put(lambda.Function{
		Name: "worker", ARN: functionARN, Runtime: "nodejs22.x", Handler: "index.handler", Dir: w.dir, Timeout: 20, MemoryMB: 128,
		Env: map[string]string{"DIR": w.dir}, DeadLetter: queueARN + "dead",
	})
	t.Cleanup(func() { topics.Close(context.Background()) })
	engine := stack.New(stack.Options{Account: Account, Region: "us-west-2", Registrations: registrations(c.all)})
	t.Cleanup(engine.Close)
	return &topicWorld{w, engine, topics}
}

func (w *topicWorld) apply(template string) {
	w.t.Helper()
	if err := w.engine.Apply(w.t.Context(), "app", []byte(template), nil, nil); err != nil {
		w.t.Fatal(err)
	}
}

func (w *topicWorld) publish(text string, more ...string) {
	w.t.Helper()
	m := invoke.Message{Body: []byte(text)}
	if len(more) == 2 {
		m.Attributes = map[string]invoke.Attribute{more[0]: {Type: "String", Value: more[1]}}
	}
	if err := w.topics.Receive(w.t.Context(), "arn:aws:sns:us-west-2:"+Account+":news", m); err != nil {
		w.t.Fatal(err)
	}
}

// takes gives the one message that a queue has, after its deletion.
func (w *topicWorld) takes(queue string) string {
	w.t.Helper()
	got, err := w.queues.Take(w.t.Context(), queueARN+queue, 10, time.Hour)
	if err != nil || len(got) != 1 {
		w.t.Fatalf("%s: %d messages, %v", queue, len(got), err)
	}
	w.queues.Delete(queueARN+queue, got[0].Handle)
	return got[0].Body
}

const topicTemplate = `
Resources:
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Open: {Type: AWS::SQS::Queue, Properties: {QueueName: open}}
  Closed: {Type: AWS::SQS::Queue, Properties: {QueueName: closed}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Open, !Ref Dead]
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:SendMessage", Resource: "*", Condition: {ArnEquals: {"aws:SourceArn": !Ref News}}}]
  ToOpen:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Open.Arn, RawMessageDelivery: true, FilterPolicy: {kind: [FILTER]}}
  ToClosed:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Closed.Arn, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}, FilterPolicyScope: MessageBody, FilterPolicy: {closed: [true]}}
`

// A stack's subscriptions filter, go by the queues' policies, and change with it.
func TestSubscriptionsOfAStack(t *testing.T) {
	w := newTopicWorld(t, obedient)
	w.apply(strings.Replace(topicTemplate, "FILTER", "good", 1))
	w.publish("one", "kind", "good")
	if got := w.takes("open"); got != "one" {
		t.Errorf("raw: %s", got)
	}
	w.publish("two", "kind", "bad")
	w.says("left out: the filter policy")
	w.publish(`{"closed":true}`)
	var envelope struct{ Type, Message, MessageID string }
	if err := json.Unmarshal([]byte(w.takes("dead")), &envelope); err != nil || envelope.Message != `{"closed":true}` || envelope.Type != "Notification" {
		t.Errorf("dead letter: %+v %v", envelope, err)
	}
	if e := w.says("in the dead-letter queue"); !strings.Contains(e.Text, "the queue closed has no policy that allows sns.amazonaws.com") || len(e.Messages) != 1 || e.Messages[0] != envelope.MessageID {
		t.Errorf("told %+v, message %s", e, envelope.MessageID)
	}
	w.apply(strings.Replace(topicTemplate, "FILTER", "bad", 1))
	w.publish("three", "kind", "bad")
	if got := w.takes("open"); got != "three" {
		t.Errorf("after the update: %s", got)
	}
	// Without its subscriptions nobody hears of what is published.
	before, _, _ := strings.Cut(topicTemplate, "  ToOpen:")
	w.apply(before)
	w.publish("four", "kind", "bad")
	w.says("no confirmed subscriptions")
	if err := w.engine.Remove(t.Context(), "app", nil); err != nil {
		t.Fatal(err)
	}
	if len(w.queues.Names()) > 0 {
		t.Errorf("left: %s", w.queues.Names())
	}
}

// A function that a topic invokes is tried three times; then its dead letters
// have the event. Without a permission it is not tried at all.
func TestTopicInvokes(t *testing.T) {
	w := newTopicWorld(t, `import fs from 'node:fs'
export const handler = async (event, context) => {
  fs.appendFileSync(process.env.DIR + '/tried', context.awsRequestId + '\n')
  if (event.Records[0].Sns.Message === 'bad') throw new Error('no luck')
}`)
	const template = `
Resources:
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news, Subscription: [{Protocol: lambda, Endpoint: "` + functionARN + `"}]}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
`
	w.apply(template)
	w.publish("good")
	if e := w.says("lost for " + functionARN); !strings.Contains(e.Text, "sns.amazonaws.com may not invoke it") {
		t.Errorf("told %+v", e)
	}
	w.apply(template + `
  Permission: {Type: AWS::Lambda::Permission, Properties: {Action: "lambda:InvokeFunction", FunctionName: worker, Principal: sns.amazonaws.com, SourceArn: !Ref News}}
`)
	w.publish("bad")
	var event struct {
		Records []struct {
			Sns struct{ Message, MessageID string }
		}
	}
	if err := json.Unmarshal([]byte(w.takes("dead")), &event); err != nil || len(event.Records) != 1 || event.Records[0].Sns.Message != "bad" {
		t.Fatalf("dead letter: %+v %v", event, err)
	}
	id := event.Records[0].Sns.MessageID
	if got := strings.Join(w.lines("tried"), " "); got != strings.Join([]string{id, id, id}, " ") {
		t.Errorf("message %s: requests %s", id, got)
	}
	if e := w.says("given up after 3 tries"); e.RequestID != id {
		t.Errorf("told %+v", e)
	}
}
