package cfn

import (
	"arc/manifest"
	"arc/manifest/syntax"

	"github.com/awslabs/goformation/v7/cloudformation/lambda"
	"github.com/awslabs/goformation/v7/cloudformation/sqs"
)

const (
	// maxReceives is how often a message is tried before it goes to the
	// dead-letter queue; Lambda's guide asks for five at least.
	maxReceives = 5
	// visibilityFactor is how many times the function's timeout a message
	// stays hidden while it is worked on, as Lambda's guide asks, so that a
	// throttled batch is not handed out twice.
	visibilityFactor = 6
	// keptSeconds is how long dead letters stay: SQS's longest, 14 days.
	keptSeconds = 14 * 24 * 60 * 60
)

// queues compiles @queues: for each a queue with a dead-letter queue, and a
// function that is given its messages.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func (c *compiler) queues() {
	items := make([]naming, len(c.app.Queues))
	for i, q := range c.app.Queues {
		items[i] = naming{base: logicalName(q.Name), key: q.Name, pos: q.Pos}
	}
	for i, name := range c.names("queues", items) {
		c.queue(name, c.app.Queues[i])
	}
}

func (c *compiler) queue(name string, q manifest.Queue) {
	window := c.batchWindow(q)
	most := q.Function.Config.Concurrency
	dead := c.deadLetterQueue(name+"DeadLetterQueue", q.Pos, q.Fifo, "the queue "+q.Name)
	resource := &sqs.Queue{
		RedrivePolicy: map[string]any{
			"deadLetterTargetArn": GetAtt(dead, "Arn"),
			"maxReceiveCount":     receives(most),
		},
		SqsManagedSseEnabled: new(true),
		VisibilityTimeout:    new(visibilityFactor*q.Function.Config.Timeout + window),
	}
	if q.Fifo { // false is not written: SQS refuses it
		resource.FifoQueue, resource.ContentBasedDeduplication = new(true), new(true)
	}
	queue := c.add(name+"Queue", q.Pos, resource)

	f := c.function(name+"QueueLambda", q.Function)
	f.needs = append(f.needs, right{
		actions:   []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
		resources: []string{GetAtt(queue, "Arn")},
	})
	mapping := &lambda.EventSourceMapping{EventSourceArn: new(GetAtt(queue, "Arn")), FunctionName: f.ref()}
	if size := c.batchSize(q, window); size > 0 {
		mapping.BatchSize = new(size)
	}
	if most != nil && *most >= minConcurrency && *most <= maxConcurrency {
		mapping.ScalingConfig = &lambda.EventSourceMapping_ScalingConfig{MaximumConcurrency: most}
		f.unreserved = true
	}
	if q.ReportsFailures {
		mapping.FunctionResponseTypes = reportBatchItemFailures
	}
	if window > 0 {
		mapping.MaximumBatchingWindowInSeconds = new(window)
	}
	c.place(boundPart, f.id, c.add(f.id+name+"QueueEvent", q.Pos, mapping))
	c.discoverable(queue+"Param", q.Pos, "queues/"+q.Name, Ref(queue))
	c.rights = append(c.rights, right{
		kind: "queues", name: q.Name, action: "send", id: queue,
		actions: []string{"sqs:SendMessage", "sqs:GetQueueUrl"}, resources: []string{GetAtt(queue, "Arn")},
	})
	c.output(name+"SqsQueue", "URL of the queue "+q.Name, Ref(queue))
}

// What the concurrency of a queue's function may be for its event source to keep
// to it: that takes no more messages then than the function can work on. A
// reserved concurrency has them taken and throttled, and each time counts.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
const (
	minConcurrency = 2
	maxConcurrency = 1000
)

// throttledReceives is how often a message of a function with a concurrency of 1
// is tried: most of the five batches that Lambda takes at first are throttled.
const throttledReceives = 20

// receives is how often a message is tried at most.
func receives(concurrency *int) int {
	if concurrency != nil && *concurrency == 1 {
		return throttledReceives
	}
	return maxReceives
}

// reportBatchItemFailures has the result of a function name what it failed on.
var reportBatchItemFailures = []string{"ReportBatchItemFailures"}

// deadLetterQueue makes a queue that keeps what could not be handled. A FIFO
// queue's is FIFO.
func (c *compiler) deadLetterQueue(id string, pos syntax.Pos, fifo bool, of string) string {
	q := &sqs.Queue{MessageRetentionPeriod: new(keptSeconds), SqsManagedSseEnabled: new(true)}
	if fifo {
		q.FifoQueue = new(true)
	}
	id = c.add(id, pos, q)
	c.stack.DeadLetters = append(c.stack.DeadLetters, id)
	c.keepers = append(c.keepers, keeper{id, "URL of the dead letters of " + of})
	return id
}

// keeper is what keeps what could not be handled, and how an output describes it.
type keeper struct{ id, description string }

// keptOutputs makes outputs of what keeps dead letters, as long as a stack has
// room for all of them: no app fails for the sake of these.
func (c *compiler) keptOutputs() {
	if len(c.t.Outputs)+len(c.keepers) > MaxOutputs {
		return
	}
	for _, k := range c.keepers {
		c.output(k.id, k.description, Ref(k.id))
	}
}

// Lambda's limits of batches from SQS.
const (
	maxFifoBatch     = 10
	maxStandardBatch = 10_000
)

// batchWindow is how many seconds Lambda waits for a batch to fill; only
// standard queues wait.
func (c *compiler) batchWindow(q manifest.Queue) int {
	if q.BatchWindow > 0 && q.Fifo {
		c.warnf(q.Pos, "batch-window", "remove batchWindow, or write fifo false",
			"the queue %s is FIFO, and Lambda takes its messages at once: batchWindow has no effect", q.Name)
		return 0
	}
	return q.BatchWindow
}

// batchSize is how many messages the function gets at most at a time; 0 leaves
// it to Lambda (10).
func (c *compiler) batchSize(q manifest.Queue, window int) int {
	most, kind := maxStandardBatch, "a standard"
	if q.Fifo {
		most, kind = maxFifoBatch, "a FIFO"
	}
	switch {
	case q.BatchSize < 0 || q.BatchSize > most:
		c.errorf(q.Pos, "batch-size", "write a batchSize that fits", "the queue %s has batchSize %d, but %s queue's is 1 to %d", q.Name, q.BatchSize, kind, most)
	case q.BatchSize > maxFifoBatch && window == 0:
		c.errorf(q.Pos, "batch-size", "add batchWindow 1 or more", "the queue %s has batchSize %d, and Lambda takes more than %d only with a batchWindow", q.Name, q.BatchSize, maxFifoBatch)
	}
	return q.BatchSize
}
