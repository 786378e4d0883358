package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"
)

// planned is a version of the demo app without its table, planned on the state
// that the cloud has now.
func planned(t *testing.T, cloud *account, code string) Deployment {
	t.Helper()
	state, err := cloud.clients().State(t.Context(), "DemoStaging")
	if err != nil {
		t.Fatal(err)
	}
	d := demo(code, "s3cr3t", func(r resources) { delete(r, "AccountsTable") })
	d.AllowLoss = []string{"AccountsTable"}
	d.Plan = &Planned{ID: "0123456789abcdef", State: state, Goes: map[string]bool{"AccountsTable": true}}
	d.Static = staticFiles(map[string]string{"index.html": "<p>" + code})
	return d
}

// hasTable tells whether the stack's table is there.
func hasTable(t *testing.T, cloud *account) bool {
	t.Helper()
	_, ok := cloud.resources(t, "DemoStaging")["AccountsTable"]
	return ok
}

func TestPlanIsCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		d := planned(t, cloud, "bbbb")
		if _, out := mustDeploy(t, cloud, d); out.Unchanged || hasTable(t, cloud) {
			t.Errorf("%+v, table %v", out, hasTable(t, cloud))
		}
		if id := aws.ToString(cloud.stack(t, "DemoStaging").ChangeSetId); !strings.Contains(id, ":changeSet/arc-plan-0123456789abcdef-") {
			t.Errorf("change set %s", id)
		}
		if s, out := mustDeploy(t, cloud, d); !out.Unchanged || len(s.mutating()) > 0 {
			t.Errorf("again: %+v %q", out, s.mutating())
		}
	})
}

func TestPlanOfANewStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		d := planned(t, cloud, "aaaa")
		if d.Plan.State != (State{}) {
			t.Errorf("state %+v", d.Plan.State)
		}
		cloud.fail("GetIndexHTTPLambda", "no")
		if _, _, err := deployTo(t, cloud, d); err == nil {
			t.Error("deployed what fails")
		}
		if state, err := cloud.clients().State(t.Context(), "DemoStaging"); err != nil || state != (State{}) {
			t.Errorf("after a failed creation: %+v %v", state, err)
		}
		if _, out := mustDeploy(t, cloud, d); !out.Created {
			t.Errorf("%+v", out)
		}
	})
}

func TestPlanRefusesAStackThatMoved(t *testing.T) {
	for name, c := range map[string]struct {
		move func(*testing.T, *account)
		want string
	}{
		"changed": {func(t *testing.T, c *account) { mustDeploy(t, c, demo("cccc", "s3cr3t", nil)) },
			"it was changed since (UPDATE_COMPLETE)"},
		"changed and back": {func(t *testing.T, c *account) {
			mustDeploy(t, c, demo("cccc", "s3cr3t", nil))
			mustDeploy(t, c, demo("aaaa", "s3cr3t", nil))
		}, "it was changed since (UPDATE_COMPLETE)"},
		"another secret": {func(t *testing.T, c *account) { mustDeploy(t, c, demo("aaaa", "0ther", nil)) },
			"it was changed since (UPDATE_COMPLETE)"},
		"failed since": {func(t *testing.T, c *account) {
			c.fail("GetIndexHTTPLambda", "no")
			deployTo(t, c, demo("cccc", "s3cr3t", nil))
		}, "it was changed since (UPDATE_ROLLBACK_COMPLETE)"},
		"deleted": {func(t *testing.T, c *account) { destroyIn(t, c, Destruction{Force: true}) },
			"the stack is not there any more"},
		"made again": {func(t *testing.T, c *account) {
			destroyIn(t, c, Destruction{Force: true})
			mustDeploy(t, c, demo("aaaa", "s3cr3t", nil))
		}, "it was deleted and created again since"},
		"the plan failed": {func(t *testing.T, c *account) {
			c.fail("GetIndexHTTPLambda", "no")
			deployTo(t, c, planned(t, c, "bbbb"))
		}, "it was carried out before and is undone (UPDATE_ROLLBACK_COMPLETE)"},
		"the plan, then more": {func(t *testing.T, c *account) {
			mustDeploy(t, c, planned(t, c, "bbbb"))
			mustDeploy(t, c, demo("aaaa", "s3cr3t", nil))
		}, "it was changed since (UPDATE_COMPLETE)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
				d := planned(t, cloud, "bbbb")
				c.move(t, cloud)
				had := hasTable(t, cloud)
				s, _, err := deployTo(t, cloud, d)
				var moved *MovedError
				if want := "plan 0123456789abcdef no longer fits stack DemoStaging: " + c.want; !errors.As(err, &moved) || err.Error() != want {
					t.Errorf(" got %v\nwant %s", err, want)
				}
				if len(s.mutating()) > 0 || hasTable(t, cloud) != had {
					t.Errorf("calls %q, table %v", s.mutating(), hasTable(t, cloud))
				}
			})
		})
	}
}

// TestPlanRefusesWhatItDidNotForesee: CloudFormation has the last word on what
// a change does, and the reviewer saw another one.
func TestPlanRefusesWhatItDidNotForesee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		d := planned(t, cloud, "bbbb")
		clear(d.Plan.Goes)
		_, _, err := deployTo(t, cloud, d)
		if err == nil || !strings.HasSuffix(err.Error(), "CloudFormation would do more than was reviewed: AccountsTable (AWS::DynamoDB::Table) would be removed") || !hasTable(t, cloud) {
			t.Errorf("table %v: %v", hasTable(t, cloud), err)
		}
	})
}

// TestPlanRacesAnotherDeploy lets somebody else change the stack just before
// each call of a planned deployment. Whoever comes before the change set is
// executed makes the plan void, and the table stays; who comes later finds the
// plan carried out.
func TestPlanRacesAnotherDeploy(t *testing.T) {
	race := func(t *testing.T, at int) (calls, executed int) {
		synctest.Test(t, func(t *testing.T) {
			cloud := inBubble(t)
			mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
			d := planned(t, cloud, "bbbb")
			s := &session{account: cloud}
			s.before = func(call string) {
				if calls++; calls == at {
					mustDeploy(t, cloud, demo("cccc", "s3cr3t", nil))
				}
			}
			_, err := (&Deployer{Clients: s.clients()}).Deploy(t.Context(), d)
			executed = 1 + slices.Index(s.calls, "ExecuteChangeSet")
			events, err2 := cloud.clients().Stacks.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("DemoStaging")})
			if err2 != nil {
				t.Fatal(err2)
			}
			removed := slices.ContainsFunc(events.StackEvents, func(e types.StackEvent) bool {
				return *e.LogicalResourceId == "AccountsTable" && e.ResourceStatus == "DELETE_COMPLETE"
			})
			_, moved := errors.AsType[*MovedError](err)
			switch early := at > 0 && (executed == 0 || at <= executed); {
			case early && (!moved || removed || !hasTable(t, cloud)):
				t.Errorf("changed before call %d of %q: table removed %v, %v", at, s.calls, removed, err)
			case !early && (err != nil || !removed):
				t.Errorf("changed before call %d of %q: table removed %v, %v", at, s.calls, removed, err)
			}
		})
		return calls, executed
	}
	all, executed := race(t, 0)
	for at := 1; at <= all; at++ {
		race(t, at)
	}
	t.Logf("raced before each of %d calls, the %dth executes", all, executed)
}

// TestPlanKilledAtAnyCall kills a planned deployment at each of its calls; the
// same plan then finishes the work.
func TestPlanKilledAtAnyCall(t *testing.T) {
	var want endState
	calls := 0
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
		s, _ := mustDeploy(t, cloud, planned(t, cloud, "bbbb"))
		want, calls = cloud.endState(t), len(s.calls)
	})
	for at := 1; at <= calls; at++ {
		for _, late := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				mustDeploy(t, cloud, demo("aaaa", "s3cr3t", nil))
				d := planned(t, cloud, "bbbb")
				ctx, cancel := context.WithCancel(t.Context())
				s := &session{account: cloud, killAt: at, late: late, kill: cancel}
				if _, err := (&Deployer{Clients: s.clients()}).Deploy(ctx, d); err == nil {
					return // jittered polls made this run a call shorter
				}
				mustDeploy(t, cloud, d)
				if diff := cmp.Diff(want, cloud.endState(t), endStates); diff != "" {
					t.Errorf("killed at call %d (%s), effective %v: another end:\n%s", at, s.calls[len(s.calls)-1], late, diff)
				}
			})
		}
	}
}
