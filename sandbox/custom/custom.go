// Package custom is what CloudFormation does by functions of the account. For custom
// resources it sends requests to the function or topic that their ServiceToken names,
// with a URL where the answer is to be put, and waits for it; for macros it has a
// function make something of a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros.html
package custom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// Options are what a Desk needs from its surroundings.
type Options struct {
	Account string
	// Call invokes a function asynchronously: heard is told of each try.
	Call func(arn, requestID string, event []byte, heard func(invoke.Try)) error
	// Run invokes a function, and waits for its answer.
	Run func(ctx context.Context, function string, event []byte) (invoke.Result, error)
	// May gives an error when the caller of a stack operation may not have a function
	// invoked; nil = everybody may.
	May func(ctx context.Context, function string) error
	// Publish publishes to a topic.
	Publish func(ctx context.Context, arn, subject, message string) error
	// Led reports whether whoever gets a request reaches this cloud by the names of
	// AWS's hosts; else the URL for its answer is one of Endpoint.
	Led func(arn string) bool
	// Endpoint is where the cloud answers: "http://localhost:2222".
	Endpoint func() string
	// Host is the host of AWS that URLs for answers have, of a bucket in a region.
	Host func(bucket, region string) string
	// Called gives the words by which people know a function.
	Called func(arn string) string
	Tell   activity.Tell
}

// Desk provides custom resources, and takes the answers to their requests.
type Desk struct {
	options Options

	mu      sync.Mutex
	waiting map[string]*request // by ID
	macros  map[string]string   // functions, by region and name
}

// New gives a desk that waits for nothing.
func New(options Options) *Desk {
	options.Tell = options.Tell.Or()
	return &Desk{options: options, waiting: map[string]*request{}, macros: map[string]string{}}
}

// Limits of custom resources.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
const (
	maxTimeout = 3600 // seconds; also what there is without a ServiceTimeout
	maxAnswer  = 4096 // bytes
	maxID      = 1024 // bytes
	// unanswered is how long an answer is waited for when whoever got the request is
	// done with it, and the template does not say how long: somebody else whom it told
	// may answer.
	unanswered = 5 * time.Minute
)

// Registration is how stacks have custom resources, of any type.
func (d *Desk) Registration() stack.Registration {
	return stack.Registration{Provider: d, Check: check}
}

// check looks at what CloudFormation itself knows of a custom resource's properties.
func check(properties map[string]any) error {
	token, given := properties["ServiceToken"]
	if text, _ := token.(string); !given || text == "" && token != (any)(stack.Unknown{}) {
		return errors.New("Property ServiceToken cannot be empty.") //nolint:staticcheck // CloudFormation's words
	}
	if properties["ServiceTimeout"] == (any)(stack.Unknown{}) {
		return nil
	}
	_, _, err := timeoutOf(properties)
	return err
}

// timeoutOf is how long an answer is waited for, and whether the template says so.
func timeoutOf(properties map[string]any) (wait time.Duration, said bool, err error) {
	value, given := properties["ServiceTimeout"]
	if !given {
		return maxTimeout * time.Second, false, nil
	}
	text, _ := stack.Text(value)
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 || seconds > maxTimeout {
		return 0, true, fmt.Errorf("property ServiceTimeout: must be a whole number of seconds from 1 to %d, not %q", maxTimeout, text)
	}
	return time.Duration(seconds) * time.Second, true, nil
}

// Create asks for a resource. Of a stack that is brought back whole it is what it
// was, and nobody is asked. Where nothing was made, or nobody knows, the resource
// comes with the error: its ID is what a Delete is then sent with.
func (d *Desk) Create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	if req.Whole() {
		return stack.Resource{PhysicalID: req.PhysicalID, Attributes: req.Attributes}, nil
	}
	made, err := d.ask(ctx, "Create", req)
	var unsent *unsent
	if err != nil && !errors.As(err, &unsent) {
		// Whatever was not made is deleted all the same, by an ID that is made up where
		// none was answered.
		made.PhysicalID = cmp.Or(made.PhysicalID, req.Name(maxID))
	}
	return made, err
}

// Update asks for a change; an answer with another ID is a replacement.
func (d *Desk) Update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	if req.Old["ServiceToken"] != req.Properties["ServiceToken"] {
		return stack.Resource{}, stack.Untouched{Err: errors.New("Modifying service token is not allowed.")} //nolint:staticcheck // CloudFormation's words
	}
	return d.ask(ctx, "Update", req)
}

// Delete asks for a resource to be deleted.
func (d *Desk) Delete(ctx context.Context, req stack.Request) error {
	_, err := d.ask(ctx, "Delete", req)
	return err
}

// unsent is why a request did not go out.
type unsent struct{ err error }

func (u *unsent) Error() string { return u.err.Error() }
func (u *unsent) Unwrap() error { return u.err }

// ask sends a request and waits for the answer.
func (d *Desk) ask(ctx context.Context, what string, req stack.Request) (stack.Resource, error) {
	wait, said, err := timeoutOf(req.Properties)
	if err != nil {
		return stack.Resource{}, &unsent{err}
	}
	r, err := d.send(ctx, what, req)
	if err != nil {
		return stack.Resource{}, &unsent{err}
	}
	defer d.forget(r)
	late := time.NewTimer(wait)
	defer late.Stop()
	sent := time.Now()
	var enough <-chan time.Time // when nobody is left who is known to be at it
	for why := ""; ; {
		select {
		case a := <-r.answers:
			return a.resource(r, req)
		case <-late.C:
			return stack.Resource{}, r.silent(why, 0)
		case <-enough:
			return stack.Resource{}, r.silent(why, wait-time.Since(sent))
		case <-ctx.Done():
			return stack.Resource{}, context.Cause(ctx)
		case t := <-r.tries:
			select { // a function may have answered before it failed
			case a := <-r.answers:
				return a.resource(r, req)
			default:
			}
			switch {
			case t.Failed != "" && t.Again > 0:
				why = t.Failed
				r.say(fmt.Sprintf("%s failed before it answered: %s; Lambda tries again in %s", r.who, t.Failed, t.Again))
			case t.Failed != "":
				r.say(fmt.Sprintf("%s failed before it answered, and is not tried again: %s", r.who, t.Failed))
				return stack.Resource{}, r.silent(r.who+" failed: "+t.Failed, wait-time.Since(sent))
			default:
				left := wait - time.Since(sent)
				why = r.who + " is done and has not answered"
				if !said && left > unanswered {
					left = unanswered
					enough = time.After(unanswered)
				}
				r.say(fmt.Sprintf("%s, at the ResponseURL of its event; another one may do so for %s", why, inWords(left)))
			}
		}
	}
}

// silent is the error of a request without an answer. left is how long
// CloudFormation would wait on; 0 = no longer.
func (r *request) silent(why string, left time.Duration) error {
	text := "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [" + r.id + "]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version."
	if left > time.Second {
		why += "; on AWS this waits for " + inWords(left) + " more"
	}
	if why != "" {
		text += " (" + why + ")"
	}
	return errors.New(text)
}

// inWords is a time to wait.
func inWords(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%.0f seconds", d.Seconds())
	}
	return fmt.Sprintf("%.0f minutes", d.Minutes())
}

// target is whom a ServiceToken names.
type target struct{ service, region, arn string }

// read takes a ServiceToken apart.
func (d *Desk) read(token any, region string) (target, error) {
	arn, _ := token.(string)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "lambda" && parts[2] != "sns" {
		return target{}, fmt.Errorf("Invalid service token: %q is the ARN of no Lambda function and of no SNS topic", arn) //nolint:staticcheck // as CloudFormation begins
	}
	t := target{parts[2], parts[3], arn}
	switch {
	case t.region != region:
		return t, fmt.Errorf("Invalid service token: %s is in %s, and must be in the region of the stack, %s", arn, t.region, region) //nolint:staticcheck // as CloudFormation begins
	case parts[4] != d.options.Account:
		return t, fmt.Errorf("Invalid service token: %s is in the account %s, and the local cloud has %s alone", arn, parts[4], d.options.Account) //nolint:staticcheck // as CloudFormation begins
	}
	return t, nil
}

func (d *Desk) forget(r *request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting, r.id)
}

// Before takes the requests that bring answers, and leaves all others to next.
func (d *Desk) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/"+bucketPrefix) {
			d.take(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// texts are properties as requests have them: CloudFormation makes strings of
// numbers and of true and false.
func texts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for name, el := range out {
			out[name] = texts(el)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			out[i] = texts(el)
		}
		return out
	}
	if text, ok := stack.Text(v); ok {
		return text
	}
	return v
}
