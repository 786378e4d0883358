package sandbox_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"arc/sandbox"
	"arc/source"
)

// Functions in Go, Deno and Ruby call ten services with AWS's own SDK, unchanged and
// by the rights of their role: DynamoDB, SQS, SNS, S3, SSM, Secrets Manager,
// EventBridge, Lambda, STS, and connections of WebSockets. Node's and Python's do in
// TestTables, TestLegacyClients and others.
func TestSDKs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: not building functions with the SDK")
	}
	need(t, "node") // of the function that is called
	template, err := os.ReadFile(filepath.Join("testdata", "sdk", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join("testdata", "sdk", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cache := t.TempDir()
	p := newProject(t)
	opts := p.options()
	opts.Cache = cache
	opts.Offer = func(dir, runtime string, names ...string) (source.Offered, error) {
		return source.Tree{Files: os.DirFS(p.dir), Disk: p.dir}.Offer(&source.Builder{Dir: p.dir, Env: os.Getenv, Cache: filepath.Join(cache, "packages"), Live: true}, dir, runtime, names...)
	}
	c, err := sandbox.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, test := range map[string]struct {
		runtime, handler string
		code             func(t *testing.T) map[string][]byte
	}{
		"go": {"provided.al2023", "bootstrap", func(t *testing.T) map[string][]byte { return map[string][]byte{"bootstrap": goFunction(t)} }},
		"deno": {"deno", "index.handler", func(t *testing.T) map[string][]byte {
			denoPackages(t, cache)
			return map[string][]byte{"index.ts": read("deno/index.ts")}
		}},
		"ruby": {"ruby3.3", "index.handler", func(t *testing.T) map[string][]byte {
			rubyPackages(t)
			return map[string][]byte{"index.rb": read("ruby/index.rb")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &publicStack{t: t, c: c, name: "sdk-" + name, files: map[string][]byte{"template.yaml": template}}
			s.rest(http.MethodPut, "s3", "/sdk-code", nil)
			if got := s.rest(http.MethodPut, "s3", "/sdk-code/"+name+".zip", zipped(t, test.code(t))); got != "" {
				t.Fatal(got)
			}
			for key, value := range map[string]string{"Runtime": test.runtime, "Handler": test.handler, "Code": name + ".zip"} {
				s.given = append(s.given, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
			}
			s.up()
			s.step(`ws $Socket go -> ` + name + ` queued stored parameter secret 0 "other" arn:aws:sts::000000000000:assumed-role`)
			p.mu.Lock()
			defer p.mu.Unlock()
			if log := strings.Join(p.lines, "\n"); t.Failed() || strings.Contains(log, "denied") {
				t.Error(log)
			}
		})
	}
}

// goFunction is the program of testdata/sdk/go, a module of its own.
func goFunction(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", file, "-ldflags=-s -w", ".")
	cmd.Dir = filepath.Join("testdata", "sdk", "go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// denoPackages has Deno fetch the packages of testdata/sdk/deno into the cache that
// functions have, which is filled once for all runs.
func denoPackages(t *testing.T, cache string) {
	t.Helper()
	need(t, "deno")
	need(t, "npm")
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(user, "arc-ci", "deno")
	if err := os.MkdirAll(kept, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(kept, filepath.Join(cache, "deno")); err != nil {
		t.Fatal(err)
	}
	registry, err := exec.Command("npm", "config", "get", "registry").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "deno", "cache", "--quiet", filepath.Join("testdata", "sdk", "deno", "index.ts"))
	cmd.Env = append(os.Environ(), "DENO_DIR="+kept, "NPM_CONFIG_REGISTRY="+strings.TrimSpace(string(registry)), "DENO_NO_UPDATE_CHECK=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("deno cache: %v\n%s", err, out)
		}
		t.Skipf("deno cannot fetch the SDK: %v\n%s", err, out)
	}
}

// rubyPackages looks for the gems of the SDK.
func rubyPackages(t *testing.T) {
	t.Helper()
	need(t, "ruby")
	if out, err := exec.Command("ruby", "-e", "require 'aws-sdk-s3'").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the gem aws-sdk-s3 is not installed: %s", out)
		}
		t.Skip("the gem aws-sdk-s3 is not installed")
	}
}
