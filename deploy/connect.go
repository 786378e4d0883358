package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"arc/deploy/logs"
	"arc/deploy/queues"
	"arc/deploy/s3"
	"arc/deploy/ssm"
	"arc/deploy/tables"
)

// DefaultRegion is used where neither the manifest, the environment nor the
// profile names one.
const DefaultRegion = "us-west-2"

// ErrNoCredentials tells that nothing on this machine signs requests: no
// environment variables, no profile, no single sign-on session, no role.
var ErrNoCredentials = errors.New("no AWS credentials")

// UnreachableError tells that nothing has ever answered at the endpoint of a
// service: there is no network, or the address is wrong. Of a local cloud it
// tells that it has ended, or does not answer any more.
type UnreachableError struct {
	Endpoint string // scheme and host, or all there is where it has none
	Gone     bool   // a local cloud that did answer before
	Err      error
}

// Error says what could not be reached, and why.
func (e *UnreachableError) Error() string {
	if e.Gone {
		return fmt.Sprintf("the local cloud at %s does not answer any more: %v", e.Endpoint, e.Err)
	}
	return fmt.Sprintf("no connection to %s: %v", e.Endpoint, e.Err)
}

// Unwrap is the error of the call.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Time limits. A call that answers nothing for this long is tried again; an
// upload may take longer, but its connection may not.
const (
	dialTimeout   = 5 * time.Second
	callTimeout   = 60 * time.Second
	uploadTimeout = 15 * time.Minute
	invokeTimeout = 16 * time.Minute // a function has 15 minutes
	localTimeout  = 15 * time.Second // of a call to a local cloud
	maxAttempts   = 8
	maxBackoff    = 10 * time.Second
)

// ConnectOptions choose the endpoint and whose rights to use.
type ConnectOptions struct {
	Region  string // "" = AWS_REGION, then the profile's, then DefaultRegion
	Profile string // "" = AWS_PROFILE, then "default"; keys in the environment count before it
	// AskMFA asks a person for the code of a device; nil = nobody is there.
	AskMFA func(device string) (string, error)
	// Note is told what takes long; nil = nobody wants to know.
	Note func(text string)
	// Endpoint is the URL of a local cloud that answers for every service.
	// It is spoken to with made-up credentials: the user's own, and every AWS_*
	// variable and profile, stay out of it. "" = AWS, or AWS_ENDPOINT_URL.
	Endpoint string
	// Cloud is the ID of the local cloud that did answer there, so that it is gone when
	// it cannot be reached, or when another one answers; "" = none has yet.
	Cloud string
}

// Connect makes the clients. It fails with ErrNoCredentials, at once and
// without any network call, where no credentials are set up.
func Connect(ctx context.Context, opts ConnectOptions) (Clients, error) {
	if opts.Endpoint != "" {
		return newClients(localConfig(opts), opts.Cloud), nil
	}
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient(callTimeout)),
		config.WithRetryer(newRetryer),
		config.WithDefaultRegion(DefaultRegion),
		config.WithEC2IMDSClientEnableState(instanceMetadata()),
	}
	load = append(load, config.WithLogger(logging.Nop{}), withMFA(opts.AskMFA))
	if opts.Region != "" {
		load = append(load, config.WithRegion(opts.Region))
	}
	if opts.Profile != "" && !keysInEnvironment() {
		load = append(load, config.WithSharedConfigProfile(opts.Profile))
	}
	if err := checkRegion(opts.Region); err != nil {
		return Clients{}, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if missing := (config.SharedConfigProfileNotExistError{}); errors.As(err, &missing) {
		return Clients{}, fmt.Errorf("%w: profile %q is in neither ~/.aws/config nor ~/.aws/credentials; make it with aws configure --profile %s",
			ErrNoCredentials, missing.Profile, missing.Profile)
	}
	if err != nil {
		return Clients{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if err := checkRegion(cfg.Region); err != nil {
		return Clients{}, err
	}
	from := credentialsOf(cfg)
	done := slowly(opts.Note, "still waiting for "+from.what)
	_, err = cfg.Credentials.Retrieve(ctx)
	done()
	if err != nil {
		if ctx.Err() != nil {
			return Clients{}, ctx.Err()
		}
		return Clients{}, withoutCredentials(err, from)
	}
	clients := newClients(cfg, "")
	clients.Credentials, clients.SignIn = from.what, from.remedy
	return clients, nil
}

// localConfig is written out rather than loaded, so that nothing of the
// user's own configuration can reach, or be redirected by, a local endpoint.
func localConfig(opts ConnectOptions) aws.Config {
	region := opts.Region
	if region == "" {
		region = DefaultRegion
	}
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String(strings.TrimSuffix(opts.Endpoint, "/")),
		HTTPClient:   localClient{httpClient(localTimeout)},
		Retryer:      newRetryer,
		Logger:       logging.Nop{},
	}
}

func newClients(cfg aws.Config, cloud string) Clients {
	made := new(atomic.Bool)
	made.Store(cloud != "")
	waiting, longest, endless := cfg.HTTPClient, cfg.HTTPClient, cfg.HTTPClient
	local, isLocal := cfg.HTTPClient.(localClient)
	if isLocal {
		cfg.HTTPClient = local.BuildableClient
	}
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		// A connection that uploads is silent for as long as that takes.
		client = client.WithTimeout(uploadTimeout).WithReadTimeout(0)
		waiting, endless = client, client.WithTimeout(0)
		// A function's answer does not begin before it has ended.
		longest = client.WithTimeout(invokeTimeout).WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = 0 })
	}
	uploads := cfg
	uploads.HTTPClient = waiting
	if isLocal {
		uploads.HTTPClient = &firstContact{HTTPClient: waiting, local: true, cloud: cloud, made: made}
	}
	cfg.HTTPClient = &firstContact{HTTPClient: wholeRequests{cfg.HTTPClient}, local: isLocal, cloud: cloud, made: made}
	stacks := cloudformation.NewFromConfig(cfg)
	// A function may answer nothing for as long as an upload may take.
	invoking := cfg
	invoking.HTTPClient = &firstContact{HTTPClient: wholeRequests{longest}, local: isLocal, cloud: cloud, made: made}
	streaming := cfg
	streaming.HTTPClient = &firstContact{HTTPClient: wholeRequests{endless}, local: isLocal, cloud: cloud, made: made}
	return Clients{
		Stacks:     stacks,
		Objects:    s3.New(cfg),
		Uploads:    s3.New(uploads),
		Parameters: ssm.New(cfg),
		Tables:     tables.New(cfg),
		Queues:     queues.New(cfg),
		Schedules:  newSchedules(cfg),
		Identity:   sts.NewFromConfig(cfg),
		Functions:  newLambdaFunctions(cfg),
		Invoker:    newLambdaFunctions(invoking),
		Logs:       logs.New(cfg, streaming),
		Metrics:    newMetrics(cfg),
		Region:     cfg.Region,
		Local:      isLoopback(stacks.Options().BaseEndpoint),
	}
}

// wholeRequests hands each request's body to net/http in memory. The SDK's own
// reader makes it send the headers first, and closes the body as soon as an
// answer begins; an endpoint on the same machine answers so fast that net/http
// is still at the end of the body then, and drops the connection half-read.
type wholeRequests struct{ aws.HTTPClient }

func (c wholeRequests) Do(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return c.HTTPClient.Do(req)
	}
	body, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil {
		return nil, err
	}
	whole := *req
	whole.Body = io.NopCloser(bytes.NewReader(body))
	return c.HTTPClient.Do(&whole)
}

// localClient speaks to a local cloud: no network can fail there, so what does
// not answer is gone.
type localClient struct{ *awshttp.BuildableClient }

// firstContact ends a run at once when it cannot connect before anything has
// answered: a network that fails in the middle comes back, while waiting for
// one that was never there looks like a program that hangs. A local cloud that
// is gone does not come back, either.
type firstContact struct {
	aws.HTTPClient
	local bool
	cloud string       // ID of a local one; "" = any will do
	made  *atomic.Bool // shared by all clients of a run
}

// CloudHeader names the local cloud that a request is for, by its ID. Another one, which
// has taken its port since, answers with 421 Misdirected Request.
const CloudHeader = "Arc-Cloud"

var errOther = errors.New("another project's local cloud answers there")

// Do sends one request.
func (c *firstContact) Do(req *http.Request) (*http.Response, error) {
	began := time.Now()
	if c.cloud != "" {
		req.Header.Set(CloudHeader, c.cloud)
	}
	resp, err := c.HTTPClient.Do(req)
	if err == nil && c.cloud != "" && resp.StatusCode == http.StatusMisdirectedRequest {
		resp.Body.Close()
		return nil, &UnreachableError{Endpoint: (&url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}).String(), Gone: true, Err: errOther}
	}
	if err == nil {
		c.made.Store(true)
		return resp, nil
	}
	made := c.made.Load()
	if !made && neverConnects(err) || c.local && req.Context().Err() == nil && isGone(err) {
		var call *url.Error
		if errors.As(err, &call) {
			err = call.Err
		}
		if wait, ok := errors.AsType[net.Error](err); ok && wait.Timeout() {
			err = fmt.Errorf("no answer in %s", time.Since(began).Round(time.Second))
		}
		where := &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}
		if where.Scheme == "" {
			where = req.URL
		}
		return nil, &UnreachableError{Endpoint: where.String(), Gone: c.local && made, Err: err}
	}
	return nil, err
}

// isGone tells that a local cloud has ended, or answers no more, from a
// connection that broke, which another try mends while the cloud is there.
func isGone(err error) bool {
	wait, ok := errors.AsType[net.Error](err)
	return neverConnects(err) || ok && wait.Timeout()
}

// neverConnects tells a refused connection, a machine without a network, a name that
// is not known and an address that is none from what another try may mend. Who cannot
// ask for a name because there is no network says so in words alone.
func neverConnects(err error) bool {
	var name *net.DNSError
	var call *url.Error
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.As(err, &name) && (name.IsNotFound || strings.Contains(name.Err, "unreachable")) ||
		errors.As(err, &call) && strings.HasPrefix(call.Err.Error(), "unsupported protocol scheme")
}

// newRetryer retries as the SDK's standard mode does, but for longer, and
// without its budget of retries: eight uploads that are throttled together
// would spend that in a second. The adaptive mode makes everything wait.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
		// The first one with an opinion decides.
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(isUnreachable)}, o.Retryables...)
		// TooManyUpdates: SSM takes one change of a parameter at a time, and the SDK gives up.
		// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(isCutShort),
			retry.RetryableErrorCode{Codes: map[string]struct{}{"TooManyUpdates": {}}})
	})
}

func isUnreachable(err error) aws.Ternary {
	if _, ok := errors.AsType[*UnreachableError](err); ok {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// isCutShort tells an answer that broke off, which the SDK takes for one that
// cannot be read.
func isCutShort(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

func httpClient(total time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(total).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = callTimeout / 2
		})
}

// instanceMetadata keeps the SDK from asking the instance metadata service on
// machines that have none: it would wait for seconds before it gives up.
func instanceMetadata() imds.ClientEnableState {
	if os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") != "" {
		return imds.ClientDefaultEnableState
	}
	vendor, err := os.ReadFile("/sys/devices/virtual/dmi/id/sys_vendor")
	if err == nil && strings.Contains(string(vendor), "Amazon EC2") {
		return imds.ClientDefaultEnableState
	}
	return imds.ClientDisabled
}

func isLoopback(endpoint *string) bool {
	if endpoint == nil {
		return false
	}
	u, err := url.Parse(*endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
