package dynamodb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/dynamodb"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// tables is the service with a stack engine and an endpoint in front of it.
type tables struct {
	t        *testing.T
	engine   *stack.Engine
	endpoint string
	file     string

	mu   sync.Mutex
	told []string
}

func start(t *testing.T, options dynamodb.Options) *tables {
	t.Helper()
	c := &tables{t: t}
	options.Account, options.Region = "123456789012", "eu-west-1"
	if options.File == "" {
		options.File = filepath.Join(t.TempDir(), "tables.db")
	}
	c.file = options.File
	options.Tell = func(e activity.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, e.String())
	}
	s := dynamodb.New(options)
	t.Cleanup(func() { s.Close(context.Background()) })
	c.engine = stack.New(stack.Options{Account: options.Account, Region: options.Region, Registrations: s.Registrations()})
	t.Cleanup(c.engine.Close)
	server := httptest.NewServer(wire.New(s.Endpoint()))
	t.Cleanup(server.Close)
	c.endpoint = server.URL
	return c
}

// installed is a folder for programs that all tests of a run share.
func installed(t *testing.T) dynamodb.Options {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("npm is not on the PATH: CI needs it")
		}
		t.Skip("npm is not on the PATH")
	}
	return dynamodb.Options{Path: os.Getenv("PATH"), Cache: programs}
}

var programs string

func TestMain(m *testing.M) {
	var err error
	if programs, err = os.MkdirTemp("", "arc-programs-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(programs)
	os.Exit(code)
}

func (c *tables) aws(args ...string) string {
	c.t.Helper()
	aws, err := exec.LookPath("aws")
	if err != nil {
		if os.Getenv("CI") == "true" {
			c.t.Fatal("awscli is not installed: CI needs it")
		}
		c.t.Skip("awscli is not installed")
	}
	cmd := exec.Command(aws, append([]string{"dynamodb"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.t.TempDir(), "AWS_ENDPOINT_URL=" + c.endpoint, "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Errorf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c *tables) apply(properties string) error {
	c.t.Helper()
	template := `{"Resources":{"Notes":{"Type":"AWS::DynamoDB::Table","Properties":` + properties + `}},
		"Outputs":{"Name":{"Value":{"Ref":"Notes"}},"Arn":{"Value":{"Fn::GetAtt":["Notes","Arn"]}}}}`
	return c.engine.Apply(context.Background(), "App", []byte(template), nil, nil)
}

func properties(more string) string {
	return `{"BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}` + more + `}`
}

const (
	byA = `{"IndexName":"byA","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}`
	byB = `{"IndexName":"byB","KeySchema":[{"AttributeName":"b","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}`
	a   = `,{"AttributeName":"a","AttributeType":"S"}`
	b   = `,{"AttributeName":"b","AttributeType":"N"}`
)

func TestTableOfAStack(t *testing.T) {
	c := start(t, installed(t))
	if err := c.apply(properties(`],"TimeToLiveSpecification":{"AttributeName":"gone","Enabled":true}`)); err != nil {
		t.Fatal(err)
	}
	out := c.engine.Outputs("App")
	name := out["Name"]
	if want := "arn:aws:dynamodb:eu-west-1:123456789012:table/" + name; out["Arn"] != want || !strings.HasPrefix(name, "App-Notes-") {
		t.Errorf("ARN %s, want %s", out["Arn"], want)
	}
	if got := c.aws("describe-time-to-live", "--table-name", name, "--query", "TimeToLiveDescription.[TimeToLiveStatus,AttributeName]", "--output", "text"); got != "ENABLED\tgone" {
		t.Errorf("TTL: %s", got)
	}
	// An ARN in the place of a name, and in an item's own value.
	c.aws("put-item", "--table-name", out["Arn"], "--item", `{"id":{"S":"1"},"arn":{"S":"`+out["Arn"]+`"},"a":{"S":"x"}}`)
	if got := c.aws("get-item", "--table-name", name, "--key", `{"id":{"S":"1"}}`, "--query", "Item.arn.S", "--output", "text"); got != out["Arn"] {
		t.Errorf("an item's value is %s", got)
	}
	// One index comes, another takes its place only in two steps.
	if err := c.apply(properties(a + `],"GlobalSecondaryIndexes":[` + byA + `]`)); err != nil {
		t.Fatal(err)
	}
	if got := c.aws("query", "--table-name", name, "--index-name", "byA", "--key-condition-expression", "a = :a", "--expression-attribute-values", `{":a":{"S":"x"}}`, "--query", "Count"); got != "1" {
		t.Errorf("the index finds %s", got)
	}
	if got := c.aws("describe-time-to-live", "--table-name", name, "--query", "TimeToLiveDescription.TimeToLiveStatus", "--output", "text"); got != "DISABLED" {
		t.Errorf("TTL: %s", got)
	}
	if err := c.apply(properties(b + `],"GlobalSecondaryIndexes":[` + byB + `]`)); err == nil || !strings.Contains(err.Error(), "more than one GSI") {
		t.Errorf("one index for another: %v", err)
	}
	if err := c.apply(properties(a + `],"GlobalSecondaryIndexes":[` + strings.Replace(byA, "ALL", "KEYS_ONLY", 1) + `]`)); err == nil || !strings.Contains(err.Error(), "Cannot update GSI's properties") {
		t.Errorf("another projection: %v", err)
	}
	if err := c.apply(properties(`],"Tabelname":"x"`)); err == nil || !strings.Contains(err.Error(), "property Tabelname: not known") {
		t.Errorf("a misspelled property: %v", err)
	}
	if got := c.aws("update-continuous-backups", "--table-name", name, "--point-in-time-recovery-specification", "PointInTimeRecoveryEnabled=true",
		"--query", "ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus", "--output", "text"); got != "ENABLED" {
		t.Errorf("backups: %s", got)
	}
	if err := c.engine.Remove(context.Background(), "App", nil); err != nil {
		t.Error(err)
	}
	if got := c.aws("list-tables", "--query", "length(TableNames)"); got != "0" {
		t.Errorf("%s tables are left", got)
	}
}

// The program may be killed at any time: what was acknowledged is there, and
// nobody has to do anything.
func TestProgramIsKilled(t *testing.T) {
	c := start(t, installed(t))
	if err := c.apply(properties("]")); err != nil {
		t.Fatal(err)
	}
	name := c.engine.Outputs("App")["Name"]
	for i := range 3 {
		c.aws("put-item", "--table-name", name, "--item", `{"id":{"S":"`+string(rune('a'+i))+`"}}`)
		pid := programOf(t, c.file)
		program, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := program.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.aws("scan", "--table-name", name, "--query", "Count"); got != "3" {
		t.Errorf("%s of 3 items are there", got)
	}
}

// TestProgramIsHidden: the program lets pages of any origin read and write, so it
// is where no page can look for it: not on this machine's usual address, and
// elsewhere each time.
func TestProgramIsHidden(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("loopback has one address here")
	}
	seen := map[string]bool{}
	for range 2 {
		c := start(t, installed(t))
		c.aws("list-tables")
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", programOf(t, c.file)))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`--host\x00(127\.\d+\.\d+\.\d+)\x00--port\x00(\d+)\x00`).FindSubmatch(line)
		if found == nil {
			t.Fatalf("it was started as %q", line)
		}
		host, port := string(found[1]), string(found[2])
		if host == "127.0.0.1" || seen[host] {
			t.Errorf("it listens on %s, and listened on %v", host, seen)
		}
		seen[host] = true
		for _, guess := range []string{"127.0.0.1", "::1", "localhost"} {
			if conn, err := net.Dial("tcp", net.JoinHostPort(guess, port)); err == nil {
				conn.Close()
				t.Errorf("it answers on %s", guess)
			}
		}
	}
}

// programOf finds the process that has a database.
func programOf(t *testing.T, file string) int {
	t.Helper()
	out, err := exec.Command("pgrep", "-f", "dynoxide.*"+file).Output()
	if err != nil {
		t.Fatalf("no program has %s: %v", file, err)
	}
	var pid int
	if err := json.Unmarshal([]byte(strings.Fields(string(out))[0]), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// Without the program and without npm the rest of a stack still comes up, and
// one sentence says how to get it.
func TestNoProgram(t *testing.T) {
	c := start(t, dynamodb.Options{Path: t.TempDir(), Cache: t.TempDir()})
	for range 2 {
		if err := c.apply(properties("]")); err != nil {
			t.Fatal(err)
		}
		if err := c.engine.Remove(context.Background(), "App", nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.told) != 1 || !strings.Contains(c.told[0], "npm is not on the PATH") || !strings.Contains(c.told[0], "everything else runs") {
		t.Errorf("told %q", c.told)
	}
}

// A port that somebody else took in between is no failure: the program is
// started again on another one, but not without end.
func TestPortTaken(t *testing.T) {
	first := start(t, installed(t))
	if err := first.apply(properties("]")); err != nil {
		t.Fatal(err)
	}
	real, _ := filepath.Glob(filepath.Join(programs, "dynoxide-*", "dynoxide*"))
	if len(real) != 1 {
		t.Fatalf("programs: %q", real)
	}
	for fails, want := range map[int]string{4: "", 5: "already in use"} {
		bin := t.TempDir()
		wrapper := fmt.Sprintf("#!/bin/sh\nprintf x >>%[1]s/tries\n[ $(wc -c <%[1]s/tries) -gt %[2]d ] || { echo 'error: port 1 is already in use' >&2; exit 1; }\nexec %[3]s \"$@\"\n", bin, fails, real[0])
		if err := os.WriteFile(filepath.Join(bin, "dynoxide"), []byte(wrapper), 0o700); err != nil {
			t.Fatal(err)
		}
		c := start(t, dynamodb.Options{Path: bin, Cache: t.TempDir()})
		err := c.apply(properties("]"))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d times: %v, want %q", fails, err, want)
		}
	}
}

// Another program under the name of ours is not run.
func TestProgramOfAnotherHash(t *testing.T) {
	bin := t.TempDir()
	npm := "#!/bin/sh\nwhile [ \"$1\" != --prefix ]; do shift; done\nmkdir -p $2/node_modules/@dynoxide/linux-x64\nprintf '#!/bin/sh\\ntouch " + bin + "/ran\\n' > $2/node_modules/@dynoxide/linux-x64/dynoxide\n"
	if err := os.WriteFile(filepath.Join(bin, "npm"), []byte(npm), 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, dynamodb.Options{Path: bin + string(filepath.ListSeparator) + "/bin" + string(filepath.ListSeparator) + "/usr/bin", Cache: t.TempDir()})
	if err := c.apply(properties("]")); err != nil {
		t.Fatal(err)
	}
	if said := strings.Join(c.told, "\n"); !strings.Contains(said, "SHA-256") {
		t.Errorf("told %q", said)
	}
	if _, err := os.Stat(filepath.Join(bin, "ran")); err == nil {
		t.Error("it was run")
	}
}

// Keys and definitions of attributes that do not fit each other are refused before
// anything is made, as far as they are known.
func TestTableKeys(t *testing.T) {
	const page = "Property AttributeDefinitions is inconsistent with the KeySchema"
	key := func(name string) any {
		return []any{map[string]any{"AttributeName": name, "KeyType": "HASH"}}
	}
	defined := func(names ...any) any {
		var list []any
		for _, name := range names {
			list = append(list, map[string]any{"AttributeName": name, "AttributeType": "S"})
		}
		return list
	}
	for want, properties := range map[string]map[string]any{
		"":                                    {"AttributeDefinitions": defined("id"), "KeySchema": key("id"), "TableName": stack.Unknown{}},
		"id is a key and not among":           {"AttributeDefinitions": defined("other"), "KeySchema": key("id"), "TableName": stack.Unknown{}},
		"other is among AttributeDefinitions": {"AttributeDefinitions": defined("id", "other"), "KeySchema": key("id")},
		"property Keyschema: not known":       {"AttributeDefinitions": defined("id"), "KeySchema": key("id"), "Keyschema": 1},
	} {
		err := dynamodb.New(dynamodb.Options{}).Registrations()["AWS::DynamoDB::Table"].Check(properties)
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(want, "property") && !strings.HasPrefix(err.Error(), page) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
