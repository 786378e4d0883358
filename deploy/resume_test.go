package deploy

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// endState is what a user would find: everything but IDs, times and the seal.
type endState struct {
	Stacks    []stackState
	Buckets   map[string]map[string]fakeObject
	Protected map[string]bool
}

type stackState struct {
	Status, Template string
	Parameters, Tags map[string]string
	Resources        map[string]string
}

func (c *fakeCloud) endState() endState {
	state := endState{Buckets: map[string]map[string]fakeObject{}, Protected: map[string]bool{}}
	names := map[string]string{} // of StaticBuckets, which have an ID in their name
	for _, s := range c.stacks {
		if s.status == "DELETE_COMPLETE" {
			continue
		}
		st := stackState{Status: s.status, Template: s.template, Parameters: maps.Clone(s.parameters), Tags: s.tags, Resources: map[string]string{}}
		for id, r := range s.resources {
			st.Resources[id] = fmt.Sprint(r.kind, r.status, r.properties)
			names[r.physicalID] = id
		}
		state.Stacks = append(state.Stacks, st)
	}
	for name, b := range c.buckets {
		if id := names[name]; id != "" {
			name = id
		} else {
			state.Protected[name] = b.private && b.encrypted && b.versions
		}
		state.Buckets[name] = b.objects
	}
	return state
}

// TestKilledAtAnyCall kills a deployment at each of its calls, before and
// after the call takes effect, and lets another one finish the work.
func TestKilledAtAnyCall(t *testing.T) {
	version := func(code string) Deployment {
		d := demo(code, "s3cr3t", nil)
		d.Static = staticFiles(map[string]string{"app-0123.js": code, "index.html": "<p>" + code})
		return d
	}
	prepare := map[string]func(*testing.T, *fakeCloud){
		"create": func(*testing.T, *fakeCloud) {},
		"update": func(t *testing.T, c *fakeCloud) { mustDeploy(t, c, version("aaaa")) },
		"after a failed creation": func(t *testing.T, c *fakeCloud) {
			c.failing["GetIndexHTTPLambda"] = "no"
			deployTo(t, c, version("bbbb"))
			clear(c.failing)
		},
	}
	for name, before := range prepare {
		t.Run(name, func(t *testing.T) {
			var want endState
			calls := 0
			synctest.Test(t, func(t *testing.T) {
				cloud := newFakeCloud()
				before(t, cloud)
				s, _ := mustDeploy(t, cloud, version("bbbb"))
				want, calls = cloud.endState(), len(s.calls)
			})
			for at := 1; at <= calls; at++ {
				for _, late := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						cloud := newFakeCloud()
						before(t, cloud)
						ctx, cancel := context.WithCancel(t.Context())
						s := &session{fakeCloud: cloud, killAt: at, late: late, kill: cancel}
						dp := Deployer{Clients: s.clients()}
						if _, err := dp.Deploy(ctx, version("bbbb")); err == nil {
							return // jittered polls made this run a call shorter
						}
						where := fmt.Sprintf("killed at call %d (%s), effective %v", at, s.calls[len(s.calls)-1], late)
						mustDeploy(t, cloud, version("bbbb"))
						if diff := cmp.Diff(want, cloud.endState(), cmp.AllowUnexported(fakeObject{})); diff != "" {
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
