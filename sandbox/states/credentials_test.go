package states_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"arc/sandbox/invoke"
	"arc/sandbox/states"
)

// A task with Credentials is called in the name of that role, which the machine's takes
// first.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
func TestCredentials(t *testing.T) {
	var asked []string
	b := newBench(t, "", func(o *states.Options) {
		o.Permit = func(_ context.Context, e invoke.Errand) error {
			if e.Action != "" {
				asked = append(asked, fmt.Sprint(e.Role, " ", e.Action, " ", e.Taken))
			}
			return nil
		}
	})
	const other = "arn:aws:iam::123456789012:role/other"
	for i, test := range []struct{ state, status, want string }{
		{`{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q"},"Credentials":{"RoleArn":"` + other + `"},"End":true}`, "SUCCEEDED", `"by":"` + other + `"`},
		{`{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:ssm:getParameter","Parameters":{"Name":"n"},"Credentials":{"RoleArn.$":"$.role"},"End":true}`, "SUCCEEDED", `"by":"` + other + `"`},
		{`{"Type":"Task","Resource":"` + functions + `echo","Credentials":{"RoleArn.$":"States.Format('{}', $.role)"},"End":true}`, "SUCCEEDED", other},
		{`{"QueryLanguage":"JSONata","Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Arguments":{"QueueUrl":"q"},"Credentials":{"RoleArn":"{% $states.input.role %}"},"End":true}`, "SUCCEEDED", `"by":"` + other + `"`},
		{`{"Type":"Task","Resource":"` + functions + `echo","Credentials":{"RoleArn.$":"$.closed"},"End":true}`, "FAILED", "States.Permissions: not so (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied; Request ID: the-id; Proxy: null)"},
		{`{"Type":"Task","Resource":"` + functions + `echo","Credentials":{"RoleArn.$":"$.n"},"End":true}`, "FAILED", "States.Runtime: An error occurred while executing the state 'T' (entered at the event id #2). The RoleArn field of Credentials must be the ARN of a role but was: 1"},
	} {
		state := test.state
		m := b.machine(fmt.Sprint("m", i), one(state))
		x := b.start(m, "x", `{"role":"`+other+`","closed":"`+other+`closed","n":1}`)
		is := b.until(x, test.status)
		if got := fmt.Sprint(is["output"], is["error"], ": ", is["cause"]); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", state, got)
		}
		if test.status == "FAILED" {
			continue
		}
		if want := role + " takes " + other + " for " + m; !slices.Contains(b.assumed, want) {
			t.Errorf("%s\nis not among %q", want, b.assumed)
		}
		if h := b.history(x); !strings.Contains(h, `"taskCredentials":{"roleArn":"`+other+`"}`) {
			t.Error(h)
		}
	}
	if want := other + " lambda:InvokeFunction true"; !slices.Contains(asked, want) || len(asked) != 1 {
		t.Errorf("asked %q", asked)
	}
}
