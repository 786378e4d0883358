package custom

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// bucketPrefix begins the name of the bucket into which answers are put.
const bucketPrefix = "cloudformation-custom-resource-response-"

// Bucket is the bucket that a host of AWS names, if it is one for answers; "" =
// none.
func Bucket(host string) string {
	bucket, _, _ := strings.Cut(host, ".")
	if strings.HasPrefix(bucket, bucketPrefix) {
		return bucket
	}
	return ""
}

// request is one that waits for its answer.
type request struct {
	id      string
	key     string // of the object that is the answer
	sign    string // what its URL is signed with: nobody else knows it
	who     string // gets it
	of      stack.Request
	what    string // "Create"
	tell    activity.Tell
	tries   chan invoke.Try
	answers chan answer // takes one
}

// message is a request as its provider gets it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
type message struct {
	RequestType           string
	ServiceToken          string
	ResponseURL           string
	StackID               string `json:"StackId"`
	RequestID             string `json:"RequestId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId,omitempty"`
	ResourceType          string
	ResourceProperties    any
	OldResourceProperties any `json:",omitempty"`
}

// send sends a request to whom its ServiceToken names.
func (d *Desk) send(ctx context.Context, what string, req stack.Request) (*request, error) {
	to, err := d.read(req.Properties["ServiceToken"], req.Stack.Region)
	if err != nil {
		return nil, err
	}
	var random [32]byte
	rand.Read(random[:]) // never fails
	r := &request{
		id: wire.NewRequestID(), sign: hex.EncodeToString(random[:]), of: req, what: what, who: d.options.Called(to.arn), tell: d.options.Tell,
		tries: make(chan invoke.Try, 8), answers: make(chan answer, 1),
	}
	if r.who == "" {
		r.who = to.arn
	}
	r.key = req.Stack.ID + "|" + req.LogicalID + "|" + r.id
	m := message{
		RequestType: what, ServiceToken: to.arn, ResponseURL: d.url(r, to), StackID: req.Stack.ID, RequestID: r.id,
		LogicalResourceID: req.LogicalID, ResourceType: req.Type, ResourceProperties: texts(req.Properties),
	}
	if what != "Create" {
		m.PhysicalResourceID = req.PhysicalID
	}
	if what == "Update" {
		m.OldResourceProperties = texts(req.Old)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.waiting[r.id] = r
	d.mu.Unlock()
	if to.service == "sns" {
		err = d.options.Publish(ctx, to.arn, "AWS CloudFormation custom resource request", string(body))
	} else {
		err = d.options.Call(to.arn, r.id, body, func(t invoke.Try) {
			select {
			case r.tries <- t:
			default: // nobody waits any more
			}
		})
	}
	if err != nil {
		d.forget(r)
		if errors.Is(err, invoke.ErrNotFound) {
			return nil, fmt.Errorf("The function behind the ServiceToken %s does not exist", to.arn) //nolint:staticcheck // as CloudFormation begins
		}
		return nil, fmt.Errorf("The ServiceToken %s: %w", to.arn, err) //nolint:staticcheck // as CloudFormation begins
	}
	return r, nil
}

// url is where the answer is to be put: an object of S3, by a URL that is signed for
// two hours.
func (d *Desk) url(r *request, to target) string {
	bucket := bucketPrefix + strings.ReplaceAll(to.region, "-", "")
	now := time.Now().UTC()
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Date": {now.Format("20060102T150405Z")}, "X-Amz-SignedHeaders": {"host"}, "X-Amz-Expires": {"7200"},
		"X-Amz-Credential": {"local/" + now.Format("20060102") + "/" + to.region + "/s3/aws4_request"}, "X-Amz-Signature": {r.sign},
	}
	key := strings.NewReplacer(":", "%3A", "|", "%7C").Replace(r.key)
	if d.options.Led(to.arn) {
		return "https://" + d.options.Host(bucket, to.region) + "/" + key + "?" + query.Encode()
	}
	return d.options.Endpoint() + "/" + bucket + "/" + key + "?" + query.Encode()
}

// say tells of a request, in the log and among the events of the stack.
func (r *request) say(text string) {
	r.tell(activity.Event{
		Kind: activity.Delivery, RequestID: r.id,
		Text: fmt.Sprintf("stack %s: %s of %s (%s): %s", r.of.Stack.Name, r.what, r.of.LogicalID, r.of.Type, text),
	})
	if r.of.Tell != nil {
		r.of.Tell(text)
	}
}
