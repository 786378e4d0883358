package wire_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"arc/sandbox/cloudformation"
	"arc/sandbox/door"
	"arc/sandbox/iam"
	"arc/sandbox/logs"
	"arc/sandbox/rights"
	"arc/sandbox/s3"
	"arc/sandbox/ssm"
	"arc/sandbox/stack"
	"arc/sandbox/sts"
	"arc/sandbox/wire"
)

const (
	testAccount = "123456789012"
	testRegion  = "us-west-2"
)

// cloud is the endpoint with the services that need nothing else.
type cloud struct {
	endpoint string
	engine   *stack.Engine
	objects  *s3.Server
}

func start(t *testing.T) cloud {
	t.Helper()
	objects := s3.New(s3.Options{Account: testAccount, Region: testRegion})
	parameters := ssm.New(testAccount, testRegion)
	identities := iam.New(testAccount, testRegion)
	registrations := map[string]stack.Registration{}
	for _, more := range []map[string]stack.Registration{objects.Registrations(), parameters.Registrations(), identities.Registrations(), logs.New(testAccount, testRegion).Registrations()} {
		maps.Copy(registrations, more)
	}
	engine := stack.New(stack.Options{
		Account: testAccount, Region: testRegion, Registrations: registrations,
		Fetch: objects.Fetch, Parameter: parameters.Value, Patience: 20 * time.Second, // else awscli sleeps for 30 s, on a busy machine too
	})
	port, err := door.Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	port.Serve(door.Guard{Kind: door.Signed, Handler: wire.New(
		cloudformation.New(engine).Endpoint(), sts.New(testAccount, testRegion, rights.New(rights.Options{})).Endpoint(),
		objects.Endpoint(), parameters.Endpoint(), identities.Endpoint(),
	)}, door.NewBudget(64<<20), nil)
	t.Cleanup(func() {
		port.Close()
		engine.Close()
	})
	return cloud{endpoint: "http://" + port.Address(), engine: engine, objects: objects}
}

// sdk is the configuration of the pinned AWS SDK.
func (c cloud) sdk(t *testing.T) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(),
		config.WithRegion(testRegion), config.WithBaseEndpoint(c.endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("local", "local", "")),
		config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles(nil))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// need finds a tool on this machine. Where CI runs, it must be there.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed: CI needs it", tool)
		}
		t.Skipf("%s is not installed: this client cannot be tried", tool)
	}
	return path
}

// env is the environment of a client that knows nothing but the endpoint.
func (c cloud) env(t *testing.T) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"AWS_ENDPOINT_URL=" + c.endpoint, "AWS_REGION=" + testRegion, "AWS_DEFAULT_REGION=" + testRegion,
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// run runs a client and returns what it printed.
func (c cloud) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := c.try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (c cloud) try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(need(t, name), args...)
	cmd.Env = c.env(t)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}
