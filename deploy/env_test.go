package deploy

import (
	"strings"
	"testing"
)

// TestMotoEnv sets, lists and removes variables in moto's SSM, and looks at them
// with awscli: encrypted, a stack's over its stage's, no value in a list.
func TestMotoEnv(t *testing.T) {
	endpoint := moto(t)
	record := &faultProxy{target: endpoint}
	clients := connectTo(t, record.start(t))
	ctx := t.Context()
	stage, stack := Scope{App: "envapp", Stage: "staging"}, Scope{App: "envapp", Stage: "staging", Stack: "feat"}
	for _, set := range []struct {
		scope       Scope
		name, value string
		changed     bool
	}{{stage, "KEY", "s3cr3t", true}, {stage, "KEY", "s3cr3t", false}, {stage, "OTHER", "o", true}, {stack, "KEY", "own", true}} {
		if changed, err := clients.SetEnv(ctx, set.scope, set.name, set.value); err != nil || changed != set.changed {
			t.Errorf("%+v: %v %v", set, changed, err)
		}
	}
	if got := awscli(t, endpoint, "ssm", "get-parameter", "--with-decryption", "--name", "/envapp/staging/KEY"); !strings.Contains(got, "SecureString") || !strings.Contains(got, `"s3cr3t"`) {
		t.Error(got)
	}
	env, err := clients.Env(ctx, stack)
	if err != nil || env["KEY"].Value != "own" || env["OTHER"].Value != "o" {
		t.Errorf("%+v %v", env, err)
	}
	plain, err := clients.Versions(ctx, stage)
	own, err2 := clients.Versions(ctx, stack)
	if err != nil || err2 != nil || len(plain) != 2 || len(own) != 2 || own["KEY"] == plain["KEY"] || own["OTHER"] != plain["OTHER"] || own["KEY"] != env["KEY"].Version {
		t.Errorf("%v %v %v %v", plain, own, err, err2)
	}
	record.forget()
	settings, err := clients.Settings(ctx, "envapp", []string{"staging", "production"})
	if err != nil || len(settings) != 3 || settings[0].Name != "KEY" || settings[2].Stack != "feat" || settings[0].Clear || settings[0].Set.IsZero() {
		t.Errorf("%+v %v", settings, err)
	}
	for _, call := range record.calls() {
		if !strings.HasPrefix(call, "DescribeParameters") {
			t.Errorf("a list calls %s", call)
		}
	}
	for _, was := range []bool{true, false} {
		if got, err := clients.RemoveEnv(ctx, stack, "KEY"); err != nil || got != was {
			t.Errorf("removed: %v %v", got, err)
		}
	}
}
