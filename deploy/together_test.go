package deploy

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"arc/cfn"
	"arc/deploy/s3"
)

// diary is what one person is told.
type diary struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (d *diary) step(s Step) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(&d.lines, s.Message)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines.String()
}

// TestTwoPeople: who comes second is told who works on the stack, and who came
// first that somebody waits, be it to deploy or to destroy.
func TestTwoPeople(t *testing.T) {
	for _, c := range []struct {
		name          string
		existing      bool // the stack is there before
		destroyFirst  bool
		destroySecond bool
		takes         time.Duration // each resource
		first, second []string      // what each is told
		early         bool          // the first, before it is over
	}{
		{"two deploys", true, false, false, 5 * time.Second,
			[]string{"you are not alone at stack DemoStaging: bob deploys it as well, and theirs comes after this one"},
			[]string{"stack DemoStaging is in UPDATE_IN_PROGRESS, which ann-example-com began; following that operation"}, false},
		{"of a new stack", false, false, false, 5 * time.Second,
			[]string{"bob deploys it as well"}, []string{"is in CREATE_IN_PROGRESS, which ann-example-com began"}, false},
		{"for long", true, false, false, time.Minute, []string{"bob deploys it as well"}, []string{"ann-example-com began"}, true},
		{"who destroys comes second", true, false, true, 5 * time.Second,
			[]string{"you are not alone at stack DemoStaging: bob waits to destroy it"}, []string{"UPDATE_IN_PROGRESS, which ann-example-com began"}, false},
		{"who destroys comes first", true, true, false, 5 * time.Second,
			[]string{"bob deploys it as well"}, []string{"is in DELETE_IN_PROGRESS, which ann-example-com began"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cloud := inBubble(t)
				if c.existing {
					before := demo("aaaa", "s3cr3t", nil)
					before.By = "eve"
					mustDeploy(t, cloud, before)
				}
				cloud.mu.Lock()
				cloud.resourceTime = c.takes
				cloud.mu.Unlock()
				bring := func(by, code string, destroy bool, told *diary, begun func()) error {
					dp := Deployer{Clients: cloud.clients(), Progress: func(s Step) {
						told.step(s)
						if s.Kind == "event" {
							begun()
						}
					}}
					var err error
					if destroy {
						_, err = dp.Destroy(t.Context(), Destruction{App: "demo", Mark: cfn.Mark{App: "demo", Stage: "staging"}, StackName: "DemoStaging", Force: true, By: by})
					} else {
						d := demo(code, "s3cr3t", nil)
						d.By = by
						_, err = dp.Deploy(t.Context(), d)
					}
					return err
				}
				var ann, bob diary
				ends := make(chan error, 2)
				second := sync.OnceFunc(func() {
					go func() { ends <- bring("bob", "cccc", c.destroySecond, &bob, func() {}) }()
				})
				go func() { ends <- bring("ann@example.com", "bbbb", c.destroyFirst, &ann, second) }()
				if c.early {
					time.Sleep(2 * wordPace)
					synctest.Wait()
					if !strings.Contains(ann.String(), "bob") || !strings.HasSuffix(cloud.status(t, "DemoStaging"), "_IN_PROGRESS") {
						t.Errorf("%s\n%s", cloud.status(t, "DemoStaging"), ann.String())
					}
				}
				if err := errors.Join(<-ends, <-ends); err != nil {
					t.Fatal(err)
				}
				for _, want := range c.first {
					if strings.Count(ann.String(), want) != 1 {
						t.Errorf("%q is not said once to the first:\n%s", want, ann.String())
					}
				}
				for _, want := range c.second {
					if strings.Count(bob.String(), want) != 1 {
						t.Errorf("%q is not said once to the second:\n%s", want, bob.String())
					}
				}
				if strings.Contains(bob.String(), "not alone") {
					t.Errorf("the second is told of itself:\n%s", bob.String())
				}
			})
		})
	}
}

// TestWordOfEarlier: nobody is told of who waited for another deploy, and what
// stands in the bucket is only believed to be a name.
func TestWordOfEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := inBubble(t)
		d := demo("aaaa", "s3cr3t", nil)
		d.By = "ann"
		mustDeploy(t, cloud, d)
		clients := cloud.clients()
		stack, err := clients.Describe(t.Context(), "DemoStaging")
		if err != nil {
			t.Fatal(err)
		}
		bucket := s3.Bucket{Name: stack.Parameters[cfn.ArtifactBucketParameter], Owner: ourAccount}
		put := func(body string) {
			t.Helper()
			if err := clients.Uploads.PutObject(t.Context(), bucket, s3.Put{Key: wordKey("DemoStaging"), Body: strings.NewReader(body)}); err != nil {
				t.Fatal(err)
			}
		}
		put(`{"Stack": "DemoStaging", "By": "bob", "Token": "1"}`)
		for i, c := range []struct{ word, want string }{
			{"", ""},
			{`{"Stack": "DemoStaging", "By": "\u001b[31meve\nroot", "Token": "2"}`, ": 31meve-root deploys it as well"},
			{`{"Stack": "Other", "By": "eve", "Token": "3"}`, ""},
			{`nonsense`, ""},
			{`{"Stack": "DemoStaging", "By": "", "Token": "4"}`, ""},
		} {
			var told diary
			dp := Deployer{Clients: clients, Progress: func(s Step) {
				told.step(s)
				if c.word != "" && s.Kind == "event" && s.LogicalID == "GetIndexHTTPLambda" {
					put(c.word)
				}
			}}
			next := demo(fmt.Sprint("next", i), "s3cr3t", nil)
			next.By = "ann"
			if _, err := dp.Deploy(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			if got := told.String(); strings.Contains(got, "not alone") != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("%s: %s", c.word, got)
			}
		}
	})
}
