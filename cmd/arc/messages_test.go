package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestMessages runs testdata/apps/post, whose handlers use arc.events and
// arc.queues of the npm package as users install it, and the AWS SDK, under arc
// sandbox and after arc deploy --local.
func TestMessages(t *testing.T) {
	t.Parallel()
	lookTool(t, "node")
	app := withPackages(t, "../../testdata/apps/post")
	arc := buildArc(t)
	for _, c := range []struct{ command, flag string }{
		{"sandbox", fmt.Sprintf("--port=%d", freePort(t))},
		{"deploy", "--local"},
	} {
		t.Run(c.command, func(t *testing.T) {
			p := startArc(t, arc, app, c.command, c.flag)
			url := p.url(t, "HTTP")
			publish := func(body, want string) {
				t.Helper()
				ask(t, "POST", url+"/publish", body, 200, want)
			}
			publish(`{"to":"events","name":"signup","payload":{"n":1}}`, `{"ok":true}`)
			seen(t, url, `signup {"n":1}`)
			publish(`{"to":"queues","name":"jobs","payload":{"n":2}}`, `{"ok":true}`)
			publish(`{"to":"queues","name":"jobs","payload":{"late":1},"delaySeconds":1}`, `{"ok":true}`)
			seen(t, url, `jobs {"n":2}`, `jobs {"late":1}`)
			for n := range 12 {
				publish(fmt.Sprintf(`{"to":"queues","name":"orders","payload":{"n":%d},"groupID":"g"}`, n), `{"ok":true}`)
			}
			lines := seen(t, url, `orders {"n":11}`)
			next := 0
			for _, line := range lines {
				if strings.HasPrefix(line, "orders ") {
					if line != fmt.Sprintf(`orders {"n":%d}`, next) {
						t.Errorf("order %d is %s", next, line)
					}
					next++
				}
			}
			// What fails on AWS fails here.
			publish(`{"to":"queues","name":"orders","payload":{"n":0},"delaySeconds":5}`, `DelaySeconds is invalid`)
			publish(`{"to":"events","name":"none","payload":{}}`, `none event not found`)
			ask(t, "POST", url+"/sdk", "{}", 200, `{"sent":true,"batch":3,"fifo":"true","published":1}`)
			seen(t, url, `jobs {"by":"sdk"}`, `orders {"n":3}`, `signup {"by":"sdk"}`, `signup {"by":"batch"}`, `signup {"by":"lite"}`)
			ask(t, "POST", url+"/publish", `{"to":"queues","name":"jobs","payload":{"fail":true}}`, 200, `{"ok":true}`)
			until(t, p, "on purpose); again when its visibility timeout of 30s is over")
		})
	}
}

// seen waits until the functions have seen what is wanted, and gives all of it.
func seen(t *testing.T, url string, want ...string) []string {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(url + "/seen")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		missing := ""
		for _, w := range want {
			if !strings.Contains(string(text), w+"\n") {
				missing = w
			}
		}
		if missing == "" {
			return strings.Split(strings.TrimSpace(string(text)), "\n")
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("no %s in\n%s", missing, text)
		}
	}
}

// until waits for a text in what arc says.
func until(t *testing.T, p *process, text string) {
	t.Helper()
	for began := time.Now(); !strings.Contains(p.stderr.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("arc did not say %q", text)
		}
	}
}
