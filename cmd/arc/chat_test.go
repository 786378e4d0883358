package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestChat is testdata/apps/chat in two windows, under arc sandbox and after
// arc deploy --local: each sees who is here, which a table's stream tells, and
// what the other says, which an event brings; after kill -9 and a new start the
// history is there, and the schedule's function forgets who is not.
func TestChat(t *testing.T) {
	t.Parallel()
	chromium := lookTool(t, "chromium")
	lookTool(t, "node")
	app := withPackages(t, "../../testdata/apps/chat")
	arc := buildArc(t)
	browser := startBrowser(t, chromium)
	for _, command := range [][]string{{"sandbox", "--port", fmt.Sprint(freePort(t))}, {"deploy", "--local"}} {
		t.Run(command[0], func(t *testing.T) {
			p := startArc(t, arc, app, command...)
			url := p.url(t, "HTTP")
			ann, bob := openWindow(t, browser, url+"#Ann"), openWindow(t, browser, url+"#Bob")
			ann.sees(`document.querySelector('#here').textContent === 'Ann, Bob'`)
			bob.sees(`document.querySelector('#here').textContent === 'Ann, Bob'`)
			ann.says("is <b>anybody</b> here?")
			bob.sees(`document.querySelector('li:last-child')?.textContent === 'Ann: is <b>anybody</b> here?'`)
			bob.says("yes")
			ann.sees(`document.querySelector('li:last-child')?.textContent === 'Bob: yes'`)
			bob.close()
			ann.sees(`document.querySelector('#here').textContent === 'Ann'`)
			if err := p.kill(); err != nil {
				t.Fatal(err)
			}
			ann.close()

			p = startArc(t, arc, app, command...)
			url = p.url(t, "HTTP")
			stage := map[string]string{"sandbox": "Testing", "deploy": "Staging"}[command[0]]
			arcData(t, arc, app, `{"Item":{"room":{"S":"lobby"},"sent":{"S":"2020-01-01T00:00:00.000Z x"},"from":{"S":"Eve"},"text":{"S":"long ago"}}}`, "import", stage+"-MessagesTable-")
			// Ann was there when it was killed, and is not any more. An event or a
			// change that was under way may have found that out already.
			if got := invokeTidy(t, arc, app, command[0]); got != `{"connections":1,"messages":1}` && got != `{"connections":0,"messages":1}` {
				t.Errorf("tidy answered %s", got)
			}
			if left := arcData(t, arc, app, "", "show", stage+"-ConnectionsTable-"); strings.Contains(left, "Ann") {
				t.Errorf("Ann is not forgotten: %s", left)
			}
			cleo := openWindow(t, browser, url+"#Cleo")
			cleo.sees(`[...document.querySelectorAll('li')].map(li => li.textContent).join('|') === 'Ann: is <b>anybody</b> here?|Bob: yes'`)
			cleo.sees(`document.querySelector('#here').textContent === 'Cleo'`)
			cleo.close()
		})
	}
}

// invokeTidy runs the chat's schedule now, as arc sandbox or arc deploy --local
// has brought it up.
func invokeTidy(t *testing.T, arc, app, command string) string {
	t.Helper()
	args := []string{"invoke", "scheduled/tidy"}
	if command == "deploy" {
		args = append(args, "--stage", "staging", "--local")
	}
	cmd := exec.Command(arc, args...)
	cmd.Dir, cmd.Env = app, arcEnv(app)
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("arc %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// arcData is what arc data prints.
func arcData(t *testing.T, arc, app, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(arc, append([]string{"data"}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin = app, arcEnv(app), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("arc data %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// window is a tab on the chat.
type window struct {
	t     *testing.T
	tab   context.Context
	close func()
}

func openWindow(t *testing.T, browser context.Context, url string) *window {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(tab); err != nil { // opens the tab, for longer than the steps may take
		t.Fatalf("chromium: %v", err)
	}
	w := &window{t, tab, closeTab}
	w.do(chromedp.Navigate(url))
	return w
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.tab, 60*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, _ := chromedp.Run(w.tab, chromedp.Evaluate[string](`document.body.innerText`))
		w.t.Fatalf("%v (the page says %q)", err, text)
	}
}

func (w *window) sees(expression string) {
	w.t.Helper()
	w.do(holds(expression))
}

func (w *window) says(text string) {
	w.t.Helper()
	w.do(chromedp.SendKeys("#message", text+"\r"))
}
