package ingress

import "net/http"

// SessionName is what API Gateway calls its sessions of integrations' roles.
const SessionName = "BackplaneAssumeRoleSession"

// Protocol is how a service that an integration calls takes an action: one with JSON by
// what begins X-Amz-Target, one with forms by their version, S3 by paths alone.
type Protocol struct{ Target, Version, Media string }

// ProtocolOf is the protocol of a service, by the name that clients sign for; false =
// integrations with it are not emulated.
func ProtocolOf(service string) (Protocol, bool) {
	p, known := protocols[service]
	return p, known
}

var protocols = map[string]Protocol{
	"dynamodb":       {Target: "DynamoDB_20120810", Media: "application/x-amz-json-1.0"},
	"events":         {Target: "AWSEvents", Media: "application/x-amz-json-1.1"},
	"logs":           {Target: "Logs_20140328", Media: "application/x-amz-json-1.1"},
	"s3":             {},
	"secretsmanager": {Target: "secretsmanager", Media: "application/x-amz-json-1.1"},
	"sns":            {Version: "2010-03-31", Media: "application/x-www-form-urlencoded"},
	"sqs":            {Version: "2012-11-05", Media: "application/x-www-form-urlencoded"},
	"ssm":            {Target: "AmazonSSM", Media: "application/x-amz-json-1.1"},
	"states":         {Target: "AWSStepFunctions", Media: "application/x-amz-json-1.0"},
}

// Head says in headers which action is called, and how; what a mapping has put there
// stays, but for the type of a form. "" = the request names the action by itself.
func (p Protocol) Head(h http.Header, action string) {
	if p.Version != "" || h.Get("Content-Type") == "" && p.Media != "" {
		h.Set("Content-Type", p.Media)
	}
	if p.Target != "" && action != "" && h.Get("X-Amz-Target") == "" {
		h.Set("X-Amz-Target", p.Target+"."+action)
	}
}
