package cfn

import (
	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/sns"
	"github.com/awslabs/goformation/v7/cloudformation/sqs"
)

// events compiles @events: for each a topic, and a function that it invokes.
// What the function fails on three times, or SNS cannot deliver, goes to a
// dead-letter queue; without one it would be lost.
func (c *compiler) events() {
	items := make([]naming, len(c.app.Events))
	for i, e := range c.app.Events {
		items[i] = naming{base: logicalName(e.Name), key: e.Name, pos: e.Pos}
	}
	for i, name := range c.names("events", items) {
		c.event(name, c.app.Events[i])
	}
}

func (c *compiler) event(name string, e manifest.Event) {
	topic := c.add(name+"EventTopic", e.Pos, &sns.Topic{DisplayName: new(displayName(name))})
	queue := c.deadLetterQueue(name+"EventDeadLetterQueue", e.Pos, false, "the event "+e.Name)
	c.place(boundPart, name, c.add(name+"EventDeadLetterPolicy", e.Pos, &sqs.QueuePolicy{
		Queues: []string{Ref(queue)},
		PolicyDocument: policy(statement{
			Effect:    "Allow",
			Principal: map[string]string{"Service": "sns.amazonaws.com"},
			Action:    []string{"sqs:SendMessage"},
			Resource:  []string{GetAtt(queue, "Arn")},
			Condition: map[string]map[string]string{"ArnEquals": {"aws:SourceArn": Ref(topic)}},
		}),
	}))

	f := c.function(name+"EventLambda", e.Function)
	f.deadLetters = queue
	f.needs = append(f.needs, right{actions: []string{"sqs:SendMessage"}, resources: []string{GetAtt(queue, "Arn")}})
	c.permission(f.id+name+"EventPermission", e.Pos, f, "sns", Ref(topic))
	c.place(boundPart, f.id, c.add(f.id+name+"Event", e.Pos, &sns.Subscription{
		Endpoint:      new(f.arn()),
		Protocol:      "lambda",
		RedrivePolicy: map[string]string{"deadLetterTargetArn": GetAtt(queue, "Arn")},
		TopicArn:      Ref(topic),
	}))
	c.discoverable(topic+"Param", e.Pos, "events/"+e.Name, Ref(topic))
	c.rights = append(c.rights, right{
		kind: "events", name: e.Name, action: "send", id: topic,
		actions: []string{"sns:Publish"}, resources: []string{Ref(topic)},
	})
	c.output(topic, "ARN of the topic "+e.Name, Ref(topic))
}

// displayName cuts a topic's display name to what SNS takes.
func displayName(name string) string { return name[:min(len(name), 100)] }
