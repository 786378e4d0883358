package ci

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDocumentedCommands runs the commands by which docs/ci.md makes the roles
// against moto, which reads policies as strictly as it knows how to.
func TestDocumentedCommands(t *testing.T) {
	for _, tool := range []string{"moto_server", "aws", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing; pip install 'moto[server]' awscli", tool)
			}
			t.Skipf("%s is missing; pip install 'moto[server]' awscli", tool)
		}
	}
	page, err := os.ReadFile("../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], "aws iam") {
			commands = append(commands, block[1])
		}
	}
	if len(commands) != 2 {
		t.Fatalf("%d blocks of docs/ci.md call aws iam", len(commands))
	}
	s := shop()
	s.App, s.Role = "my-app", "my-app-github"
	files, err := GitHub(s)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range files {
		file := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(commands, "\n")+`
aws iam list-policies --scope Local --query 'Policies[].PolicyName' --output text
aws iam list-roles --query 'Roles[].RoleName' --output text
for role in preview staging plan production; do
  aws iam get-role-policy --role-name "my-app-github-$role" --policy-name arc --query PolicyName --output text
done`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+startMoto(t), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=eu-central-1", "AWS_PAGER=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, stage := range []string{"preview", "staging", "production"} {
		if !strings.Contains(string(out), "my-app-github-"+stage) {
			t.Errorf("no boundary of %s in\n%s", stage, out)
		}
	}
	for _, role := range s.roles() {
		if !strings.Contains(string(out), s.roleName(role)) {
			t.Errorf("no role %s in\n%s", s.roleName(role), out)
		}
	}
}

func startMoto(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	listener.Close()
	cmd := exec.Command("moto_server", "-H", "127.0.0.1", "-p", port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get("http://" + address + "/moto-api/"); err == nil {
			resp.Body.Close()
			return "http://" + address
		}
	}
	t.Fatal("moto_server does not answer")
	return ""
}
