package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"

	"arc/sandbox"
)

// evil is a site of somebody else. Its name leads to this machine, as its owner
// may have it do at any time (DNS rebinding).
const evil = "evil.example"

// TestPagesCannotGetIn has a real browser show a page that means harm, once
// from another site and once from another port of this machine, and lets that
// page try every kind of request on every kind of port; then once more with the
// other site's name on the port itself. Afterwards everything is as it was.
func TestPagesCannotGetIn(t *testing.T) {
	t.Parallel()
	need(t, "node")
	need(t, "chromium")
	p := newProject(t)
	c := p.start()
	app := p.live()
	p.write("src/http/get-index/index.mjs", `export const handler = async () => ({ statusCode: 200, body: process.env.AWS_LAMBDA_RUNTIME_API })`)
	p.write("src/ws/default/index.mjs", `export const handler = async e => ({ statusCode: 200, body: console.log('connection ' + e.requestContext.connectionId) })`)
	p.write("src/ws/connect/index.mjs", `export const handler = async e => ({ statusCode: 200, body: console.log('from ' + e.headers.Origin) })`)
	outputs := p.run(c, app)
	_, runtime := get(t, outputs["API"], nil)
	conn, _, err := websocket.Dial(context.Background(), outputs["WSS"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	id := p.connection(conn)
	endpoint := c.Running().Endpoint
	p.sign(http.MethodPut, endpoint+"/planted", "s3", "")
	before := p.state(c)
	for late := time.Now().Add(20 * time.Second); !strings.Contains(before, "REPORT") && time.Now().Before(late); before = p.state(c) {
		time.Sleep(10 * time.Millisecond) // the call that has been answered is still to be reported
	}

	browser := startBrowser(t)
	pages, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	go http.Serve(pages, http.FileServer(http.Dir("testdata")))
	_, port, _ := net.SplitHostPort(pages.Addr().String())

	stack := url.Values{"Action": {"CreateStack"}, "Version": {"2010-05-15"}, "StackName": {"Planted"},
		"TemplateBody": {`{"Resources":{"P":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Value":"v"}}}}`}}.Encode()
	presigned := func(service string) string {
		return "X-Amz-Credential=" + url.QueryEscape("k/20260101/us-west-2/"+service+"/aws4_request") + "&X-Amz-Signature=0"
	}
	message := "/@connections/" + url.PathEscape(id)
	targets := func(host string) [][2]string {
		at := func(address string) string {
			_, port, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
			return "http://" + host + ":" + port
		}
		return [][2]string{
			{at(endpoint) + "/?" + stack, stack},
			{at(endpoint) + "/", stack},
			{at(endpoint) + "/?" + stack + "&" + presigned("cloudformation"), stack},
			{at(endpoint) + "/planted", "key=planted&file=x&policy=p"},
			{at(endpoint) + "/planted/object", "x"},
			{at(endpoint) + "/2015-03-31/functions/" + p.function(c) + "/invocations", "{}"},
			{at(endpoint) + "/_arc/stop", "x"},
			{at(endpoint) + "/_arc/ssm", "x"},
			{at(endpoint) + "/_arc/ws" + message, "planted"},
			{at(outputs["API"]) + "/staging" + message, "planted"},
			{at(runtime) + "/2018-06-01/runtime/invocation/next", "x"},
			{at(runtime) + "/2018-06-01/runtime/init/error", "x"},
		}
	}
	for _, origin := range []string{"http://" + evil + ":" + port, "http://localhost:" + port} {
		show(t, browser, origin+"/attack.html", targets("127.0.0.1"), nil)
		leave(t, browser, origin+"/attack.html", targets("localhost"))
	}
	// The app's own port lets pages of this machine in, and no others.
	for host, want := range map[string]string{evil: "0", "localhost": "1"} {
		opened := "0"
		show(t, browser, "http://"+host+":"+port+"/attack.html", [][2]string{{strings.Replace(outputs["WSS"], "ws://", "http://", 1), "x"}}, &opened)
		if opened != want {
			t.Errorf("a page of %s opened %s sockets", host, opened)
		}
	}
	if p.logged("@ws connect | from http://"+evil+":"+port) || !p.logged("@ws connect | from http://localhost:"+port) {
		t.Error("the function at $connect was not called for just the page of this machine")
	}
	// Another site's name on our ports: the page is "same origin" then, and its
	// script can send whatever a program can. Since no port of ours answers to
	// the name, it takes the browser's own page of an error to run it in.
	for _, address := range []string{endpoint, outputs["API"], "http://" + runtime} {
		_, number, _ := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
		rebound(t, browser, "http://"+evil+":"+number+"/", targets(evil))
	}

	if after := p.state(c); after != before {
		t.Errorf("the pages changed something:\n%s\nwas\n%s", after, before)
	}
	if _, again := get(t, outputs["API"], nil); again != runtime {
		t.Errorf("the function answers %q, and was at %q", again, runtime)
	}
	// Nothing was sent to the socket: the next it hears is what a program says.
	p.sign(http.MethodPost, endpoint+"/_arc/ws"+message, "execute-api", "from a program")
	if _, text, err := conn.Read(context.Background()); err != nil || string(text) != "from a program" {
		t.Errorf("the socket got %q, %v", text, err)
	}
	// The pages did get through to the ports, under either name.
	for _, line := range []string{"GET /", "POST /", "POST /planted", "POST /_arc/ws", "POST /_arc/stop", "POST /_arc/ssm", "POST /staging/@connections", "POST /2015-03-31", "POST / 403 the Host"} {
		p.mu.Lock()
		tried := slices.ContainsFunc(p.lines, func(l string) bool { return strings.HasPrefix(l, line) && strings.Contains(l, " 403 ") })
		p.mu.Unlock()
		if !tried {
			t.Errorf("no page tried %s", line)
		}
	}
}

// state is what a page would like to change: the stacks, the objects of the
// bucket, and how often the function ran.
func (p *project) state(c *sandbox.Cloud) string {
	p.t.Helper()
	endpoint := c.Running().Endpoint
	list := p.sign(http.MethodPost, endpoint+"/", "cloudformation", "Action=ListStacks&Version=2010-05-15")
	return fmt.Sprintf("%d stacks, bucket %s, log %q", strings.Count(list, "<StackName>"),
		between(p.sign(http.MethodGet, endpoint+"/planted?list-type=2", "s3", ""), "<KeyCount>", "</KeyCount>"),
		logLines(p.t, c, "/arc/MywsappTesting/DefaultWSLambda"))
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

// function is the name of the function whose calls state counts.
func (p *project) function(c *sandbox.Cloud) string {
	p.t.Helper()
	var list struct {
		Functions []struct{ FunctionName string }
	}
	if err := json.Unmarshal([]byte(p.sign(http.MethodGet, c.Running().Endpoint+"/2015-03-31/functions", "lambda", "")), &list); err != nil {
		p.t.Fatal(err)
	}
	for _, fn := range list.Functions {
		if strings.Contains(fn.FunctionName, "DefaultWSLambda") {
			return fn.FunctionName
		}
	}
	p.t.Fatalf("no function in %+v", list)
	return ""
}

// sign sends a request as a program does that signs with some key.
func (p *project) sign(method, address, service, body string) string {
	p.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// connection asks the app who a socket is.
func (p *project) connection(conn *websocket.Conn) string {
	p.t.Helper()
	if err := conn.Write(context.Background(), websocket.MessageText, []byte("who am I")); err != nil {
		p.t.Fatal(err)
	}
	const line = "@ws default | connection "
	for late := time.After(20 * time.Second); ; {
		p.mu.Lock()
		i := slices.IndexFunc(p.lines, func(l string) bool { return strings.HasPrefix(l, line) })
		if i >= 0 {
			defer p.mu.Unlock()
			return strings.TrimPrefix(p.lines[i], line)
		}
		p.mu.Unlock()
		select {
		case <-late:
			p.t.Fatal("the function did not say whom it serves")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.UserDataDir(filepath.Join(t.TempDir(), "profile")),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+evil+" 127.0.0.1"),
	)...)
	t.Cleanup(stop)
	browser, stopBrowser := chromedp.NewContext(alloc)
	t.Cleanup(stopBrowser)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return browser
}

// tab opens a tab for as long as the steps take.
func tab(t *testing.T, browser context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// show opens a page and has it try everything on the targets; opened becomes
// how many sockets it opened.
func show(t *testing.T, browser context.Context, page string, targets [][2]string, opened *string) {
	t.Helper()
	tab(t, browser, chromedp.Navigate(page), script(fmt.Sprintf("attackAll(%s); 0", quote(targets))), holds("window.finished === true"),
		func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			n, err := chromedp.Evaluate[string]("String(window.opened ?? 0)")(ctx, target)
			if opened != nil {
				*opened = n
			}
			return chromedp.Void{}, err
		})
}

// leave has a page go to each target itself, by a link and by a form.
func leave(t *testing.T, browser context.Context, page string, targets [][2]string) {
	t.Helper()
	var steps []chromedp.Action[chromedp.Void]
	for i, target := range targets {
		away := "location.href = " + quote(target[0])
		if i%2 == 1 { // the enctypes are tried inside the page
			away = fmt.Sprintf("go(%s, %s, 'text/plain')", quote(target[0]), quote(target[1]))
		}
		steps = append(steps, chromedp.Navigate(page), script("setTimeout(() => { "+away+" }); 0"),
			holds("!location.pathname.endsWith('attack.html') && document.readyState === 'complete'"))
	}
	tab(t, browser, steps...)
}

// rebound opens our port under the other site's name and runs the attack there.
func rebound(t *testing.T, browser context.Context, address string, targets [][2]string) {
	t.Helper()
	page, err := os.ReadFile("testdata/attack.html")
	if err != nil {
		t.Fatal(err)
	}
	code := between(string(page), "<script>", "</script>")
	tab(t, browser, chromedp.Navigate(address), script(code+fmt.Sprintf("; attackAll(%s); 0", quote(targets))), holds("window.finished === true"))
}

func script(code string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[int](code)(ctx, t)
		return chromedp.Void{}, err
	}
}

// holds waits until an expression is true on the page.
func holds(expression string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			// While the page changes there is nothing to ask.
			if yes, err := chromedp.Evaluate[bool](expression)(ctx, t); err == nil && yes {
				return chromedp.Void{}, nil
			}
			select {
			case <-ctx.Done():
				return chromedp.Void{}, fmt.Errorf("%s: %w", expression, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
}

func quote(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
