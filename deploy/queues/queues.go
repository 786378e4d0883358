// Package queues looks at SQS queues and at the messages of those that keep dead
// letters, and brings these back to where they came from.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
package queues

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"arc/deploy/signed"
)

// Client calls the API.
type Client struct{ client signed.Client }

// New makes a client of the configuration's region and rights.
func New(cfg aws.Config) *Client {
	return &Client{signed.Client{Config: cfg, ID: "SQS", Name: "sqs", Target: "AmazonSQS", Version: "1.0"}}
}

// Queue is a queue, and about how many messages it has: SQS counts no better.
type Queue struct {
	Name, URL, ARN             string
	Waiting, InFlight, Delayed int
	DeadLetters                string // ARN of its own dead-letter queue; "" = it has none
	FIFO                       bool
}

// All is how many messages it has.
func (q Queue) All() int { return q.Waiting + q.InFlight + q.Delayed }

// URLs lists the URLs of all queues, sorted.
func (c *Client) URLs(ctx context.Context) (urls []string, err error) {
	in := map[string]any{"MaxResults": 1000}
	for {
		var page struct {
			QueueURLs []string `json:"QueueUrls"`
			NextToken string
		}
		if err := c.client.Call(ctx, "ListQueues", in, &page); err != nil {
			return nil, err
		}
		urls = append(urls, page.QueueURLs...)
		if page.NextToken == "" {
			slices.Sort(urls)
			return urls, nil
		}
		in["NextToken"] = page.NextToken
	}
}

// NameOf is the name in a queue's URL or ARN.
func NameOf(called string) string { return called[strings.LastIndexAny(called, "/:")+1:] }

// Describe tells of a queue.
func (c *Client) Describe(ctx context.Context, url string) (Queue, error) {
	var out struct{ Attributes map[string]string }
	in := map[string]any{"QueueUrl": url, "AttributeNames": []string{"All"}}
	if err := c.client.Call(ctx, "GetQueueAttributes", in, &out); err != nil {
		return Queue{}, err
	}
	number := func(name string) int { // what is not there is 0
		n, _ := strconv.Atoi(out.Attributes[name])
		return n
	}
	var redrive struct {
		Target string `json:"deadLetterTargetArn"`
	}
	json.Unmarshal([]byte(out.Attributes["RedrivePolicy"]), &redrive) // none = no policy
	return Queue{
		Name: NameOf(url), URL: url, ARN: out.Attributes["QueueArn"], FIFO: strings.HasSuffix(url, ".fifo"), DeadLetters: redrive.Target,
		Waiting: number("ApproximateNumberOfMessages"), InFlight: number("ApproximateNumberOfMessagesNotVisible"), Delayed: number("ApproximateNumberOfMessagesDelayed"),
	}, nil
}

// Message is a message that was received.
type Message struct {
	ID         string            `json:"MessageId"`
	Handle     string            `json:"ReceiptHandle"`
	Body       string            `json:"Body"`
	System     map[string]string `json:"Attributes"`
	Attributes map[string]struct {
		Type  string `json:"DataType"`
		Value string `json:"StringValue"`
		Bytes []byte `json:"BinaryValue"`
	} `json:"MessageAttributes"`
}

// Sent is when the message was sent; the zero time where that is not told.
func (m Message) Sent() time.Time {
	ms, err := strconv.ParseInt(m.System["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// batch is the most messages of one request.
const batch = 10

// Receive takes up to ten messages and hides them from others for a time.
func (c *Client) Receive(ctx context.Context, url string, most int, hidden time.Duration) ([]Message, error) {
	var out struct{ Messages []Message }
	err := c.client.Call(ctx, "ReceiveMessage", map[string]any{
		// One second is enough for SQS to ask all of its servers; without it, an
		// answer may be empty when the queue is not.
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
		"QueueUrl": url, "MaxNumberOfMessages": min(most, batch), "VisibilityTimeout": int(hidden.Seconds()), "WaitTimeSeconds": 1,
		// The older name is what every server knows.
		"AttributeNames": []string{"All"}, "MessageSystemAttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"},
	}, &out)
	return out.Messages, err
}

// Release lets others see messages again that were received.
func (c *Client) Release(ctx context.Context, url string, messages []Message) error {
	for part := range slices.Chunk(messages, batch) {
		entries := make([]map[string]any, len(part))
		for i, m := range part {
			entries[i] = map[string]any{"Id": strconv.Itoa(i), "ReceiptHandle": m.Handle, "VisibilityTimeout": 0}
		}
		var out struct{ Failed []struct{ Message string } }
		if err := c.client.Call(ctx, "ChangeMessageVisibilityBatch", map[string]any{"QueueUrl": url, "Entries": entries}, &out); err != nil {
			return err
		}
		if len(out.Failed) > 0 {
			return fmt.Errorf("%d messages of %s: %s", len(out.Failed), NameOf(url), out.Failed[0].Message)
		}
	}
	return nil
}

// Delete removes a message that was received.
func (c *Client) Delete(ctx context.Context, url string, m Message) error {
	var out struct{}
	return c.client.Call(ctx, "DeleteMessage", map[string]any{"QueueUrl": url, "ReceiptHandle": m.Handle}, &out)
}

// Look gives the messages of a queue, up to most of them, without keeping them:
// they are hidden from others while they are looked at, and received once more.
// Of a group of a FIFO queue there are no more than ten, since it waits for the
// ones that were received.
func (c *Client) Look(ctx context.Context, url string, most int, each func(Message) error) (seen int, err error) {
	var taken []Message
	known := map[string]bool{}
	defer func() {
		if wrong := c.Release(context.WithoutCancel(ctx), url, taken); err == nil {
			err = wrong
		}
	}()
	for seen < most {
		got, err := c.Receive(ctx, url, most-seen, time.Minute)
		if err != nil {
			return seen, err
		}
		taken = append(taken, got...)
		fresh := 0
		for _, m := range got {
			if known[m.ID] {
				continue // the look took so long that it came again
			}
			known[m.ID] = true
			fresh++
			if err := each(m); err != nil {
				return seen, err
			}
		}
		if seen += fresh; fresh == 0 {
			return seen, nil
		}
	}
	return seen, nil
}

// Purge deletes all messages of a queue.
func (c *Client) Purge(ctx context.Context, url string) error {
	var out struct{}
	return c.client.Call(ctx, "PurgeQueue", map[string]any{"QueueUrl": url}, &out)
}

// Sources lists the URLs of the queues whose dead letters a queue takes.
func (c *Client) Sources(ctx context.Context, url string) (urls []string, err error) {
	in := map[string]any{"QueueUrl": url, "MaxResults": 1000}
	for {
		var page struct {
			QueueURLs []string `json:"queueUrls"`
			NextToken string
		}
		if err := c.client.Call(ctx, "ListDeadLetterSourceQueues", in, &page); err != nil {
			return nil, err
		}
		urls = append(urls, page.QueueURLs...)
		if page.NextToken == "" {
			slices.Sort(urls)
			return urls, nil
		}
		in["NextToken"] = page.NextToken
	}
}

// Move has SQS bring the dead letters of queues back to where they came from, and
// waits until it has; moved is told along the way.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
func (c *Client) Move(ctx context.Context, arn string, pause time.Duration) (moved int, err error) {
	var started struct{ TaskHandle string }
	if err := c.client.Call(ctx, "StartMessageMoveTask", map[string]any{"SourceArn": arn}, &started); err != nil {
		return 0, err
	}
	for {
		var tasks struct {
			Results []struct {
				Status, FailureReason            string
				ApproximateNumberOfMessagesMoved int
			}
		}
		if err := c.client.Call(ctx, "ListMessageMoveTasks", map[string]any{"SourceArn": arn, "MaxResults": 1}, &tasks); err != nil {
			return moved, err
		}
		if len(tasks.Results) > 0 {
			task := tasks.Results[0]
			switch moved = task.ApproximateNumberOfMessagesMoved; task.Status {
			case "COMPLETED":
				return moved, nil
			case "FAILED":
				return moved, fmt.Errorf("SQS stopped: %s", task.FailureReason)
			case "CANCELLED":
				return moved, fmt.Errorf("somebody cancelled it")
			}
		}
		select {
		case <-ctx.Done():
			return moved, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
