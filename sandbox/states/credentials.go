package states

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/states/asl"
)

// credentials is the role that a task names to be called in; "" = the machine's.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
func (f *frame) credentials(s *asl.State, input any) (string, *asl.Failure) {
	if s.Credentials == nil && s.CredentialsQuery == nil {
		return "", nil
	}
	var v any
	var failure *asl.Failure
	if s.JSONata {
		v, failure = f.query(s, "Credentials", s.CredentialsQuery, input, told{}, nil)
	} else {
		v, failure = f.filled(s, s.Credentials, input)
	}
	if failure != nil {
		return "", failure
	}
	object, _ := v.(map[string]any)
	role, ok := object["RoleArn"].(string)
	if !ok || !strings.HasPrefix(role, "arn:") {
		return "", f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("The RoleArn field of Credentials must be the ARN of a role but was: %s", asl.Encode(object["RoleArn"]))})
	}
	return role, nil
}

// session is in whose name the task calls.
func (t *attempt) session() invoke.Session {
	who := t.x.session()
	if t.role != "" {
		who.Role = t.role
	}
	return who
}

// assume takes the task's role in the name of the machine's, which must be let, and
// which the role must trust. The machine's ARN is the external ID.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cross-acct-sync-pattern.html
func (t *attempt) assume(ctx context.Context) *asl.Failure {
	if t.role == "" {
		return nil
	}
	who := t.x.session()
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {t.role}, "RoleSessionName": {who.Name}, "ExternalId": {t.x.Machine.ARN}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", strings.NewReader(form.Encode()))
	if err != nil {
		return &asl.Failure{Name: asl.ErrRuntime, Cause: err.Error()}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	who.Service = "sts"
	said := t.x.s.options.Call(who, r)
	if said.Status < 300 {
		return nil
	}
	code, message := errorOf(said)
	return &asl.Failure{Name: asl.ErrPermissions, Cause: fmt.Sprintf("%s (Service: AWSSecurityTokenService; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", message, said.Status, code, said.Header.Get("X-Amzn-Requestid"))}
}
