package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// foreign times what other people's tools deploy to the local cloud: a template of
// 500 resources as the CDK writes them, from the order to the end, and cdk deploy of
// an app beside the CDK's own synthesis.
func (b *bencher) foreign() ([]row, error) {
	endpoint, stop, err := b.cloudOnly()
	if err != nil {
		return nil, err
	}
	defer stop()
	c := &foreignCloud{endpoint: endpoint, client: http.Client{Timeout: time.Minute}}
	if err := c.put("/assets", nil); err != nil {
		return nil, err
	}
	code, err := emptyHandler()
	if err != nil {
		return nil, err
	}
	template, err := cdkShaped(500)
	if err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{"/assets/code.zip": code, "/assets/template.json": template} {
		if err := c.put(name, data); err != nil {
			return nil, err
		}
	}
	var made durations
	for i := range 6 {
		took, err := c.stack(fmt.Sprint("stack", i))
		if err != nil {
			return nil, err
		}
		if i > 0 {
			made = append(made, took)
		}
	}
	rows := []row{{"a template of 500 resources as the CDK writes it, CreateStack to its end", made.median(), "", "", "1 s"}}
	synth, deploy, err := b.cdkDeploy(endpoint)
	if err != nil {
		return nil, err
	}
	if deploy != nil {
		ratio := float64(deploy.quantile(0.5)) / float64(synth.quantile(0.5))
		rows = append(rows, row{"cdk deploy of a changed app, whole process", fmt.Sprintf("%s, %.2f x", deploy.median(), ratio), synth.median() + " (cdk synth)", "", "1.5 x the floor"})
	}
	return rows, nil
}

// cloudOnly starts a local cloud without an app.
func (b *bencher) cloudOnly() (endpoint string, stop func(), err error) {
	dir := filepath.Join(b.dir, "foreign")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "app.arc"), []byte("@app\nforeign\n"), 0o666); err != nil {
		return "", nil, err
	}
	cmd := b.command("sandbox", "--cloud-only")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	at := regexp.MustCompile(`local cloud at (http://\S+)`)
	for lines.Scan() {
		if found := at.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // it must not wait for a reader
				}
			}()
			return found[1], stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("arc sandbox --cloud-only did not say where it is")
}

// foreignCloud is a client of the local cloud that knows no SDK.
type foreignCloud struct {
	endpoint string
	client   http.Client
}

func (c *foreignCloud) do(method, service, path, kind string, body []byte) (string, error) {
	req, err := http.NewRequest(method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s: %s\n%s", method, path, resp.Status, text.String())
	}
	return text.String(), nil
}

func (c *foreignCloud) put(path string, body []byte) error {
	_, err := c.do(http.MethodPut, "s3", path, "", body)
	return err
}

func (c *foreignCloud) stacks(parameters ...string) (string, error) {
	form := url.Values{"Version": {"2010-05-15"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return c.do(http.MethodPost, "cloudformation", "/", "application/x-www-form-urlencoded", []byte(form.Encode()))
}

// stack makes a stack of the template, deletes it, and gives how long making took.
func (c *foreignCloud) stack(name string) (time.Duration, error) {
	began := time.Now()
	if _, err := c.stacks("Action", "CreateStack", "StackName", name, "TemplateURL", "https://assets.s3.amazonaws.com/template.json", "Capabilities.member.1", "CAPABILITY_NAMED_IAM"); err != nil {
		return 0, err
	}
	for {
		text, err := c.stacks("Action", "DescribeStacks", "StackName", name)
		if err != nil {
			return 0, err
		}
		switch {
		case strings.Contains(text, "<StackStatus>CREATE_COMPLETE<"):
			took := time.Since(began)
			if _, err := c.stacks("Action", "DeleteStack", "StackName", name); err != nil {
				return 0, err
			}
			for err == nil {
				_, err = c.stacks("Action", "DescribeStacks", "StackName", name) // until it is not there
			}
			return took, nil
		case !strings.Contains(text, "<StackStatus>CREATE_IN_PROGRESS<"):
			return 0, fmt.Errorf("stack %s: %s", name, text)
		}
	}
}

func emptyHandler() ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	w, err := archive.Create("index.js")
	if err == nil {
		_, err = w.Write([]byte("exports.handler = async () => 'hello'"))
	}
	if err == nil {
		err = archive.Close()
	}
	return out.Bytes(), err
}

// cdkShaped is a template of n resources in the proportions of an app of the CDK, of
// which bench/cdk-shape.json has one of each: an API, and per function a role, a
// policy, a log group, a permission, a route, an integration, a table and a queue.
func cdkShaped(n int) ([]byte, error) {
	shape, err := os.ReadFile("bench/cdk-shape.json")
	if err != nil {
		return nil, err
	}
	var parts struct{ Once, Each map[string]json.RawMessage }
	if err := json.Unmarshal(shape, &parts); err != nil {
		return nil, err
	}
	resources := parts.Once
	for i := 0; len(resources)+len(parts.Each) <= n; i++ {
		name := fmt.Sprintf("Fn%03d", i)
		for id, resource := range parts.Each {
			resources[strings.ReplaceAll(id, "NAME", name)] = bytes.ReplaceAll(resource, []byte("NAME"), []byte(name))
		}
	}
	for i := 0; len(resources) < n; i++ {
		for id, resource := range parts.Each {
			if strings.Contains(id, "Queue") {
				resources[fmt.Sprintf("%sMore%d", id, i)] = resource
			}
		}
	}
	return json.Marshal(map[string]any{"Resources": resources})
}

// cdkDeploy times cdk synth and cdk deploy of the app of the sandbox's test, whose
// function changes each time; nil where npm cannot install the CDK.
func (b *bencher) cdkDeploy(endpoint string) (synth, deploy durations, err error) {
	cdk := b.installCDK()
	if cdk == "" {
		return nil, nil, nil
	}
	dir := filepath.Join(b.dir, "cdk-app")
	if err := os.CopyFS(dir, os.DirFS("sandbox/testdata/cdk")); err != nil {
		return nil, nil, err
	}
	if out, err := b.install(dir, "aws-cdk-lib", "constructs"); err != nil {
		return nil, nil, fmt.Errorf("npm install aws-cdk-lib: %w\n%s", err, out)
	}
	in := func(args ...string) *exec.Cmd {
		cmd := exec.Command(cdk, append([]string{"--ci", "--no-notices", "--no-color"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+endpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=1", "CDK_HOME="+b.dir)
		return cmd
	}
	if out, err := in("bootstrap").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("cdk bootstrap: %w\n%s", err, out)
	}
	n := 0
	var wrong error
	change := func() {
		n++
		if err := os.WriteFile(filepath.Join(dir, "fn", "index.js"), fmt.Appendf(nil, "exports.handler = async () => '%d'\n", n), 0o666); err != nil {
			wrong = err
		}
	}
	if synth, _, err = b.sample(5, func() *exec.Cmd { change(); return in("synth", "--quiet") }); err != nil {
		return nil, nil, err
	}
	deploy, _, err = b.sample(5, func() *exec.Cmd { change(); return in("deploy", "--require-approval", "never") })
	return synth, deploy, firstError(err, wrong)
}
