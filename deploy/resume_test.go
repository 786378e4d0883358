package deploy

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestKilledAtAnyCall kills a deployment at each of its calls, before and
// after the call takes effect, and lets another one finish the work.
func TestKilledAtAnyCall(t *testing.T) {
	version := func(code string) Deployment {
		d := demo(code, "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"app-0123.js": code, "index.html": "<p>" + code})
		return d
	}
	prepare := map[string]func(*testing.T, *account){
		"create": func(*testing.T, *account) {},
		"update": func(t *testing.T, c *account) { mustDeploy(t, c, version("aaaa")) },
		"after a failed creation": func(t *testing.T, c *account) {
			c.fail("GetIndexHTTPLambda", "no")
			deployTo(t, c, version("bbbb"))
		},
	}
	for name, before := range prepare {
		t.Run(name, func(t *testing.T) {
			var want endState
			calls := 0
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				before(t, cloud)
				s, _ := mustDeploy(t, cloud, version("bbbb"))
				want, calls = cloud.endState(t), len(s.calls)
			})
			for at := 1; at <= calls; at++ {
				for _, late := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						cloud := inBubble(t)
						before(t, cloud)
						ctx, cancel := context.WithCancel(t.Context())
						s := &session{account: cloud, killAt: at, late: late, kill: cancel}
						dp := Deployer{Clients: s.clients()}
						if _, err := dp.Deploy(ctx, version("bbbb")); err == nil {
							return // jittered polls made this run a call shorter
						}
						where := fmt.Sprintf("killed at call %d (%s), effective %v", at, s.calls[len(s.calls)-1], late)
						mustDeploy(t, cloud, version("bbbb"))
						if diff := cmp.Diff(want, cloud.endState(t), endStates); diff != "" {
							t.Errorf("%s: another end:\n%s", where, diff)
						}
						if s, out := mustDeploy(t, cloud, version("bbbb")); !out.Unchanged || len(s.mutating()) > 0 {
							t.Errorf("%s: not settled: %+v %q", where, out, s.mutating())
						}
					})
				}
			}
			t.Logf("%s: %d calls, each killed twice", name, calls)
		})
	}
}
