package deploy

import (
	"strings"
	"testing"

	"arc/cfn"
)

// TestRoleThatMayNotRemoveTheKey destroys a stage with credentials that may make
// its key of sessions and not remove it, as those of arc ci: the stack is gone,
// the key stays, and that is said.
func TestRoleThatMayNotRemoveTheKey(t *testing.T) {
	proxy := &faultProxy{target: newLocalCloud(t).endpoint}
	said := ""
	dp := Deployer{Clients: connectTo(t, proxy.start(t)), Progress: func(s Step) { said += s.Message + "\n" }}
	if _, err := dp.Deploy(t.Context(), motoDemo("keyed", "aaaa")); err != nil {
		t.Fatal(err)
	}
	made, err := dp.Clients.MakeAppSecret(t.Context(), "keyed", "staging")
	if err != nil {
		t.Fatal(err)
	}
	order := Destruction{App: "keyed", Stage: "staging", StackName: "KeyedStaging", Mark: cfn.Mark{App: "keyed", Stage: "staging"}, Force: true}
	proxy.denied = [2]string{"DeleteParameters", AppSecret}
	if _, err := dp.Destroy(t.Context(), order); err != nil {
		t.Error(err)
	}
	if want := "aws ssm delete-parameter --name /keyed/staging/ARC_APP_SECRET does"; !strings.Contains(said, want) {
		t.Errorf("%q is not in %s", want, said)
	}
	if env, err := dp.Clients.Env(t.Context(), Scope{App: "keyed", Stage: "staging"}); err != nil || env[AppSecret].Value != made.Value {
		t.Errorf("the key is gone: %v", err)
	}
	proxy.denied = [2]string{}
	if _, err := dp.Destroy(t.Context(), order); err != nil {
		t.Error(err)
	}
	if env, err := dp.Clients.Env(t.Context(), Scope{App: "keyed", Stage: "staging"}); err != nil || len(env) > 0 {
		t.Errorf("the key is still there: %v", err)
	}
}
