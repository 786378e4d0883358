package gateway

import (
	"net/http"
	"time"

	"arc/sandbox/ingress"
)

// checkSignature says who signed a request for a service with a key of the local
// cloud, and asks whether he may do an action to an ARN.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
func (g *Gateway) checkSignature(r *http.Request, body []byte, service, action, arn string, now time.Time) (*caller, *refusal) {
	s, err := ingress.ReadSignature(r)
	if err != nil {
		return nil, denied("AWS_IAM: %v", err)
	}
	secret, who, ok := g.options.Signer(s.Key, s.Token)
	if !ok {
		return nil, denied("AWS_IAM: the key %s is none of the local cloud's", ingress.OneLine(s.Key))
	}
	if err := s.Check(r, body, service, secret, now); err != nil {
		return nil, denied("AWS_IAM: %v", err)
	}
	if g.options.Decide != nil {
		if err := g.options.Decide(who, action, arn); err != nil {
			return nil, denied("AWS_IAM: %v", err)
		}
	}
	return &caller{iam: &who}, nil
}
