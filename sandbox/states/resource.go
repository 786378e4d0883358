package states

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Integration patterns.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html
const (
	waitForTaskToken = "waitForTaskToken"
	sync1            = "sync"
	sync2            = "sync:2"
)

// resource is what a task calls.
type resource struct {
	function string // ARN of a function; "" = service and action
	activity bool   // the ARN is that of an activity
	service  string // "sqs"
	action   string // "sendMessage"
	sdk      bool   // aws-sdk:…
	pattern  string
	arn      string
}

// shown is the resource in events.
func (r resource) shown() string {
	if r.pattern != "" {
		return r.action + "." + r.pattern
	}
	return r.action
}

// kind is the resource's type in events.
func (r resource) kind() string {
	if r.sdk {
		return "aws-sdk:" + r.service
	}
	return r.service
}

// resourceOf reads the ARN of a task.
func resourceOf(arn string) resource {
	r := resource{arn: arn}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return r
	}
	if r.activity = isActivity(arn); r.activity {
		return r
	}
	if parts[2] == "lambda" {
		r.function = arn
		return r
	}
	if parts[2] != "states" || parts[3] != "" {
		return r
	}
	rest, sdk := strings.CutPrefix(parts[5], "aws-sdk:")
	r.sdk = sdk
	r.service, r.action, _ = strings.Cut(rest, ":")
	r.action, r.pattern, _ = strings.Cut(r.action, ".")
	return r
}

// optimized are the integrations that shape requests and answers, with the patterns
// that they have.
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
var optimized = map[string][]string{
	"lambda:invoke":         {waitForTaskToken},
	"sqs:sendMessage":       {waitForTaskToken},
	"sns:publish":           {waitForTaskToken},
	"events:putEvents":      {waitForTaskToken},
	"dynamodb:getItem":      nil,
	"dynamodb:putItem":      nil,
	"dynamodb:updateItem":   nil,
	"dynamodb:deleteItem":   nil,
	"states:startExecution": {waitForTaskToken, sync1, sync2},
}

// sdkServices are the services as SDK integrations name them, by which clients sign
// for them.
// https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
var sdkServices = map[string]string{
	"dynamodb": "dynamodb", "sqs": "sqs", "sns": "sns", "s3": "s3", "lambda": "lambda", "sfn": "states", "eventbridge": "events",
	"ssm": "ssm", "secretsmanager": "secretsmanager", "cloudwatchlogs": "logs",
}

// runs says why a task's resource is not run here; nil = it is.
func (s *Service) runs(arn string) error {
	r := resourceOf(arn)
	switch {
	case r.function != "" || r.activity:
		return nil
	case r.service == "" || r.action == "":
		return fmt.Errorf("the local cloud does not run %s", arn)
	case r.sdk:
		service, known := sdkServices[r.service]
		if known && (service == "s3" || service == "lambda") {
			known = restCalls[service+":"+r.action] != nil
		} else if known {
			known = s.options.Runs(service, upper(r.action))
		}
		if !known {
			return fmt.Errorf("the local cloud does not run %s; it runs those of %s that it answers itself", arn, strings.Join(slices.Sorted(maps.Keys(sdkServices)), ", "))
		}
		if r.pattern != "" && r.pattern != waitForTaskToken {
			return fmt.Errorf("%s: SDK integrations have no .%s", arn, r.pattern)
		}
		return nil
	}
	patterns, known := optimized[r.service+":"+r.action]
	if !known {
		return fmt.Errorf("the local cloud does not run %s; it runs functions, aws-sdk:… and %s", arn, strings.Join(slices.Sorted(maps.Keys(optimized)), ", "))
	}
	if r.pattern != "" && !slices.Contains(patterns, r.pattern) {
		return fmt.Errorf("%s: there is no .%s of it", arn, r.pattern)
	}
	return nil
}

// upper begins a name with a capital letter.
func upper(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// regionOf is that of an ARN.
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
