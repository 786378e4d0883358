package deploy

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"arc/deploy/ssm"
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
		if got, err := clients.SetEnv(ctx, set.scope, set.name, set.value); err != nil || got.Changed != set.changed {
			t.Errorf("%+v: %+v %v", set, got, err)
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

// meddled has something happen right before a parameter is written.
type meddled struct {
	Parameters
	meddle func(Parameters)
}

func (m meddled) PutParameter(ctx context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	m.meddle(m.Parameters)
	return m.Parameters.PutParameter(ctx, in)
}

// TestSetEnvTogether: of two that set a variable at once, the one whose value
// counts is told of the other's, for SSM takes both.
func TestSetEnvTogether(t *testing.T) {
	const path = "/shop/staging/KEY"
	put := func(values ...string) func(Parameters) {
		return func(p Parameters) {
			for _, v := range values {
				if _, err := p.PutParameter(t.Context(), &ssm.PutParameterInput{Name: path, Value: v, Type: ssm.SecureString, Overwrite: true}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	remove := func(p Parameters) {
		if _, err := p.DeleteParameters(t.Context(), &ssm.DeleteParametersInput{Names: []string{path}}); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name   string
		there  bool
		meddle func(Parameters)
		want   SetOutcome
	}{
		{"alone", true, put(), SetOutcome{Changed: true, Version: 2}},
		{"alone, new", false, put(), SetOutcome{Changed: true, Version: 1}},
		{"another value", true, put("theirs"), SetOutcome{Changed: true, Version: 3, Lost: []int64{2}}},
		{"two others", false, put("theirs", "ours", "again"), SetOutcome{Changed: true, Version: 4, Lost: []int64{1, 3}}},
		{"the same value", true, put("ours"), SetOutcome{Changed: true, Version: 3}},
		{"removed", true, remove, SetOutcome{Changed: true, Version: 1, Removed: true}},
		{"more than can be read", true, put(strings.Fields(strings.Repeat("v ", 14))...), SetOutcome{Changed: true, Version: 16, Lost: []int64{6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clients := newAccount(t).clients()
			if c.there {
				put("before")(clients.Parameters)
			}
			clients.Parameters = meddled{clients.Parameters, c.meddle}
			got, err := clients.SetEnv(t.Context(), Scope{App: "shop", Stage: "staging"}, "KEY", "ours")
			if err != nil || !gocmp.Equal(got, c.want, cmpopts.EquateEmpty()) {
				t.Errorf("got %+v %v, want %+v", got, err, c.want)
			}
		})
	}
}

// TestOneUpdateAtATime: SSM refuses a change while another is being made, which
// is over in a moment.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func TestOneUpdateAtATime(t *testing.T) {
	if !newRetryer().IsErrorRetryable(&smithy.GenericAPIError{Code: "TooManyUpdates"}) {
		t.Error("it is given up")
	}
}
