package signed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"arc/deploy/signed"
)

// recorder is an HTTP client that sends nothing: it notes where a request was
// going and how it was signed.
type recorder struct{ urls, scopes []string }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	_, scope, _ := strings.Cut(req.Header.Get("Authorization"), "/")
	scope, _, _ = strings.Cut(scope, ",")
	_, scope, _ = strings.Cut(scope, "/") // the date
	r.urls, r.scopes = append(r.urls, strings.TrimSuffix(req.URL.String(), "/")), append(r.scopes, scope)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Parameters":[]}`)), Request: req}, nil
}

// TestEndpoint holds the client beside the SDK's own, which asks the same
// configuration.
func TestEndpoint(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_PROFILE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	profiles := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(profiles, []byte("[profile all]\nendpoint_url = http://all.example\n[profile one]\nservices = mine\n[services mine]\nssm =\n  endpoint_url = http://one.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", profiles)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
	for _, c := range []struct{ region, env string }{
		{"us-west-2", ""},
		{"eu-central-1", "AWS_USE_DUALSTACK_ENDPOINT=true"},
		{"us-east-1", "AWS_USE_FIPS_ENDPOINT=true"},
		{"us-gov-west-1", ""},
		{"cn-north-1", ""},
		{"us-iso-east-1", ""},
		{"us-isob-east-1", ""},
		{"us-west-2", "AWS_ENDPOINT_URL=http://everything.example"},
		{"us-west-2", "AWS_ENDPOINT_URL_SSM=http://ssm.example"},
		{"us-west-2", "AWS_ENDPOINT_URL=http://everything.example AWS_ENDPOINT_URL_SSM=http://ssm.example"},
		{"us-west-2", "AWS_ENDPOINT_URL=http://everything.example AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"},
		{"us-west-2", "AWS_PROFILE=all"},
		{"us-west-2", "AWS_PROFILE=one"},
	} {
		t.Run(c.region+" "+c.env, func(t *testing.T) {
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			sent := &recorder{}
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(c.region))
			if err != nil {
				t.Fatal(err)
			}
			cfg.HTTPClient = sent
			if _, err := awsssm.NewFromConfig(cfg).GetParameters(t.Context(), &awsssm.GetParametersInput{Names: []string{"/a"}}); err != nil {
				t.Fatal(err)
			}
			ours := signed.Client{Config: cfg, ID: "SSM", Name: "ssm", Target: "AmazonSSM"}
			if err := ours.Call(t.Context(), "GetParameters", map[string]any{"Names": []string{"/a"}}, &struct{}{}); err != nil {
				t.Fatal(err)
			}
			if sent.urls[0] != sent.urls[1] || sent.scopes[0] != sent.scopes[1] {
				t.Errorf("the SDK asks %s (%s), ours %s (%s)", sent.urls[0], sent.scopes[0], sent.urls[1], sent.scopes[1])
			}
		})
	}
}

// service answers with one prepared answer after the other.
type service struct {
	answers []answer
	bodies  []string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.bodies = append(s.bodies, r.Header.Get("X-Amz-Target")+" "+string(body))
	a := s.answers[min(len(s.bodies), len(s.answers))-1]
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []answer
		code    string // of the error; "" = none
		tries   int
	}{
		{"well", []answer{{200, nil, `{"Version":3}`}}, "", 1},
		{"type with a namespace", []answer{{400, nil, `{"__type":"com.amazonaws.ssm#ParameterNotFound","message":"none"}`}}, "ParameterNotFound", 1},
		{"header with an address", []answer{{400, http.Header{"X-Amzn-Errortype": {"ValidationException:http://x/"}}, `{"Message":"bad"}`}}, "ValidationException", 1},
		{"throttled, then well", []answer{{400, nil, `{"__type":"ThrottlingException"}`}, {400, nil, `{"__type":"ThrottlingException"}`}, {200, nil, `{}`}}, "", 3},
		{"down", []answer{{503, nil, "<html>"}}, "Service Unavailable", 4},
		{"no JSON", []answer{{200, nil, "<html>"}}, "-", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &service{answers: c.answers}
			server := httptest.NewServer(s)
			defer server.Close()
			client := signed.Client{ID: "SSM", Name: "ssm", Target: "AmazonSSM", Config: aws.Config{
				Region: "us-west-2", BaseEndpoint: aws.String(server.URL), HTTPClient: server.Client(),
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
				}),
				Retryer: func() aws.Retryer {
					return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 4, time.Millisecond })
				},
			}}
			var out struct{ Version int }
			err := client.Call(t.Context(), "PutParameter", map[string]string{"Name": "/a"}, &out)
			var api smithy.APIError
			var of *smithy.OperationError
			switch {
			case c.code == "" && err != nil, c.code == "-" && err == nil:
				t.Errorf("error: %v", err)
			case len(c.code) > 1 && (!errors.As(err, &api) || api.ErrorCode() != c.code || !errors.As(err, &of)):
				t.Errorf("error: %v", err)
			}
			if len(s.bodies) != c.tries || s.bodies[0] != `AmazonSSM.PutParameter {"Name":"/a"}` {
				t.Errorf("%d tries: %q", len(s.bodies), s.bodies)
			}
		})
	}
}

// What never reaches anybody says so, and is what deploy looks for.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := signed.Client{ID: "SSM", Name: "ssm", Config: aws.Config{Region: "us-west-2", BaseEndpoint: aws.String("http://127.0.0.1:1"), HTTPClient: http.DefaultClient, Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
	})}}
	err := client.Call(ctx, "GetParameters", json.RawMessage(`{}`), &struct{}{})
	if !errors.Is(err, context.Canceled) {
		t.Error(fmt.Sprint(err))
	}
}
