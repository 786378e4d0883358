package deploy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"arc/deploy/s3"
)

// noAWS hides every AWS setting of the machine from the test.
func noAWS(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that it comes back
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
}

func TestConnectWithoutCredentials(t *testing.T) {
	noAWS(t)
	for _, opts := range []ConnectOptions{{}, {Region: "eu-west-1"}, {Profile: "nobody"}} {
		if _, err := Connect(t.Context(), opts); !errors.Is(err, ErrNoCredentials) {
			t.Errorf("%+v: %v", opts, err)
		} else {
			t.Log(err)
		}
	}
}

func TestConnectTakesRegionInOrder(t *testing.T) {
	noAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDUSER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "user")
	region := func(opts ConnectOptions) string {
		clients, err := Connect(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		if clients.Local {
			t.Error("AWS is not local")
		}
		return clients.Region
	}
	if got := region(ConnectOptions{}); got != DefaultRegion {
		t.Errorf("default: %s", got)
	}
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[default]\nregion = eu-north-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := region(ConnectOptions{}); got != "eu-north-1" {
		t.Errorf("profile: %s", got)
	}
	t.Setenv("AWS_REGION", "ap-south-1")
	if got := region(ConnectOptions{}); got != "ap-south-1" {
		t.Errorf("environment: %s", got)
	}
	if got := region(ConnectOptions{Region: "eu-west-1"}); got != "eu-west-1" {
		t.Errorf("option: %s", got)
	}
}

// recorder answers nothing useful and remembers who signed.
func recorder(t *testing.T, signers *[]string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*signers = append(*signers, r.Method+" "+r.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLocalEndpointNeverSeesTheUsersCredentials(t *testing.T) {
	noAWS(t)
	var local, elsewhere []string
	other := recorder(t, &elsewhere)
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_CLOUDFORMATION", "AWS_ENDPOINT_URL_SSM"} {
		t.Setenv(name, other)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDUSER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "user")
	t.Setenv("AWS_PROFILE", "nobody")
	clients, err := Connect(t.Context(), ConnectOptions{Endpoint: recorder(t, &local)})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Clients: clients, d: Deployment{App: "demo"}, progress: func(Step) {}}
	clients.Describe(t.Context(), "DemoStaging")
	clients.Env(t.Context(), Scope{App: "demo", Stage: "staging"})
	r.ownsBucket(t.Context(), s3.Bucket{Name: "some-bucket"})
	if len(local) != 3 || len(elsewhere) != 0 || !clients.Local {
		t.Errorf("here %q, elsewhere %q", local, elsewhere)
	}
	for _, line := range local {
		if !strings.Contains(line, "Credential=local/") || strings.Contains(line, "AKIDUSER") {
			t.Error(line)
		}
		if strings.HasPrefix(line, "HEAD") && !strings.Contains(line, "/some-bucket ") {
			t.Errorf("not path style: %s", line)
		}
	}
}

func TestEndpointVariableIsHonoured(t *testing.T) {
	noAWS(t)
	var seen []string
	t.Setenv("AWS_ENDPOINT_URL", recorder(t, &seen))
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDUSER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "user")
	clients, err := Connect(t.Context(), ConnectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clients.Describe(t.Context(), "DemoStaging")
	if len(seen) != 1 || !strings.Contains(seen[0], "Credential=AKIDUSER/") || !clients.Local {
		t.Errorf("%q", seen)
	}
}

// TestUnreachable asks where nobody is: it says so at once.
func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	for endpoint, want := range map[string]string{
		closed:                  "no connection to " + closed + ": ",
		"nonsense":              "no connection to /nonsense: unsupported protocol scheme",
		"http://nobody.invalid": "no connection to http://nobody.invalid: ",
	} {
		clients, err := Connect(t.Context(), ConnectOptions{Endpoint: endpoint})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err = clients.Describe(ctx, "AppStaging")
		cancel()
		unreachable, ok := errors.AsType[*UnreachableError](err)
		if !ok || !strings.HasPrefix(unreachable.Error(), want) || strings.Contains(err.Error(), "exceeded maximum") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

// TestFunctionsMayTakeLong: what waits for a function waits for as long as it may
// run, whatever else has a limit.
func TestFunctionsMayTakeLong(t *testing.T) {
	noAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for _, opts := range []ConnectOptions{{}, {Endpoint: "http://127.0.0.1:2222"}} {
		clients, err := Connect(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		client := clients.Invoker.(*lambdaFunctions).client.Config.HTTPClient.(*firstContact).HTTPClient.(wholeRequests).HTTPClient.(*awshttp.BuildableClient)
		transport := client.GetTransport()
		if limit := client.GetTimeout(); limit <= 15*time.Minute || transport.ResponseHeaderTimeout != 0 {
			t.Errorf("%+v: %s for all, %s for the first byte", opts, limit, transport.ResponseHeaderTimeout)
		}
	}
}

// TestNoNetwork has a run end at once, in words that say so, where no network leads to
// AWS: neither its address nor that of who knows its name.
func TestNoNetwork(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	unasked := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "dial udp 192.0.2.1:53: connect: network is unreachable", Name: "sts.us-west-2.amazonaws.com", IsTemporary: true}}
	slow := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", Name: "sts.us-west-2.amazonaws.com", IsTemporary: true}}
	for err, want := range map[error]bool{unreachable: true, unasked: true, slow: false} {
		if neverConnects(&url.Error{Op: "Post", URL: "https://sts.us-west-2.amazonaws.com", Err: err}) != want {
			t.Errorf("%v: want %t", err, want)
		}
	}
}
