package sandbox

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/custom"
	"arc/sandbox/door"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// Code that knows no AWS_ENDPOINT_URL calls AWS by its public names. Our
// bootstraps lead those connections to a port of the local cloud, whose
// certificate functions trust and nobody else does.

// hosts is what functions are told so that calls to AWS's hosts come here.
type hosts struct {
	port       *door.Port
	trusting   bool // the developer's own NODE_EXTRA_CA_CERTS is in ca
	authority  *door.Authority
	ca, bundle string   // files: our certificate; the machine's roots and ours
	through    []string // services whose calls go to AWS itself
	all        bool     // all of them do
}

// openHosts makes the authority and the port. What it leads there is served
// when the services are there.
func (c *Cloud) openHosts() (err error) {
	h := &hosts{through: c.opts.AWS, all: slices.Contains(c.opts.AWS, "all")}
	if h.authority, err = door.NewAuthority(time.Now()); err != nil {
		return err
	}
	h.ca, h.bundle = filepath.Join(c.scratch, "ca.pem"), filepath.Join(c.scratch, "roots.pem")
	// What the developer's own environment adds, functions are to trust as well.
	extra := firstOf(named(c.opts.User, "NODE_EXTRA_CA_CERTS"))
	h.trusting = extra != nil
	extra = append(extra, h.authority.PEM()...)
	if err := os.WriteFile(h.ca, extra, 0o600); err != nil {
		return fmt.Errorf("certificate of the local cloud: %w", err)
	}
	if err := os.WriteFile(h.bundle, append(machineRoots(c.opts.User), extra...), 0o600); err != nil {
		return fmt.Errorf("certificate of the local cloud: %w", err)
	}
	if h.port, err = door.Listen(0); err != nil {
		return fmt.Errorf("port for the hosts of AWS: %w", err)
	}
	h.port.Secure(h.authority)
	c.undo = append(c.undo, h.port.Close)
	c.hosts = h
	return nil
}

// rootFiles are where systems keep the certificates that they trust.
// https://cs.opensource.google/go/go/+/master:src/crypto/x509/root_linux.go
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// machineRoots are the certificates that this machine trusts, and those that the
// developer's own environment names.
func machineRoots(env func(string) string) []byte {
	return firstOf(append(named(env, "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"), rootFiles...))
}

// named are the files that variables name.
func named(env func(string) string, variables ...string) (files []string) {
	for _, name := range variables {
		if env != nil && env(name) != "" {
			files = append(files, env(name))
		}
	}
	return files
}

// firstOf is what the first of some files holds that is there; nil = none is.
func firstOf(files []string) []byte {
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) > 0 {
			return append(data, '\n')
		}
	}
	return nil
}

// environment is what a function is told. NODE_EXTRA_CA_CERTS adds to what is
// trusted, the others replace it. It doubles the time that Node takes to start,
// so without certificates of the developer's own our bootstrap does without it.
func (h *hosts) environment(env map[string]string) {
	if h.trusting || h.all {
		env["NODE_EXTRA_CA_CERTS"] = h.ca
	} else {
		env["ARC_TRUST"] = h.ca
	}
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "DENO_CERT"} {
		env[name] = h.bundle
	}
	if !h.all {
		env["ARC_HOSTS"] = strconv.Itoa(h.port.Number) + " " + strings.Join(h.through, ",")
	}
}

// lets reports whether calls to a service, as its endpoint's variable calls it,
// go to AWS itself.
func (h *hosts) lets(variable string) bool {
	name := strings.ToLower(strings.ReplaceAll(variable, "_", "-"))
	// Sockets are here, whatever else is not.
	return h.all && variable != "APIGATEWAYMANAGEMENTAPI" || slices.Contains(h.through, name)
}

// apiOf is the API that a request's host names: ID.execute-api.REGION.amazonaws.com,
// or ID.execute-api.localhost at the cloud's own endpoint; nil = none.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html
func (c *Cloud) apiOf(r *http.Request) http.Handler {
	host, _ := door.SplitHost(r.Host)
	id, _, ok := strings.Cut(host, ".execute-api.")
	if !ok || c.gateway == nil {
		return nil
	}
	if strings.HasSuffix(host, ".localhost") {
		return either(c.gateway.Local(id), c.rest.Local(id))
	}
	return either(c.gateway.Site(id), c.rest.Site(id))
}

// either is the first of two handlers that is there; nil = none is.
func either(a, b http.Handler) http.Handler {
	if a != nil {
		return a
	}
	return b
}

// serveHosts answers for the hosts of AWS with what the local cloud has.
func (c *Cloud) serveHosts(services http.Handler) {
	guard := door.Guard{Kind: door.Signed, Handler: services, Refused: c.refused, Answer: wire.Refusal}
	unsigned := door.Guard{Kind: door.Unsigned, Handler: http.NotFoundHandler(), Refused: c.refused, Answer: wire.Refusal}
	for _, s := range c.all {
		if e := s.Endpoint(); e.Variable == "APIGATEWAYMANAGEMENTAPI" {
			unsigned.Handler = e.Handler
		}
	}
	c.hosts.port.Serve(door.Guard{Kind: door.Hosts, Refused: c.refused, Answer: wire.Refusal, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _ := door.SplitHost(r.Host)
		if site := c.apiOf(r); site != nil && !strings.Contains(r.URL.Path, "/@connections/") {
			site.ServeHTTP(w, r) // its events name the host that was called
			return
		}
		r.Host = c.hosts.port.Address() // from here on it is a request to this machine
		if strings.Contains(host, ".execute-api.") {
			unsigned.ServeHTTP(w, r)
			return
		}
		if bucket := custom.Bucket(host); bucket != "" && !strings.Contains(host, ".s3.") {
			r.URL.Path = "/" + bucket + r.URL.Path // see answerHost
			r.URL.RawPath = ""
		}
		// A bucket may be named by the host: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
		for _, mark := range []string{".s3.", ".s3-"} {
			if bucket, _, ok := strings.Cut(host, mark); ok {
				r.URL.Path = "/" + bucket + r.URL.Path
				if r.URL.RawPath != "" {
					r.URL.RawPath = "/" + bucket + r.URL.RawPath
				}
				break
			}
		}
		guard.ServeHTTP(w, r)
	})}, c.bodies, c.problems())
}

// answerHost is the host to which answers for custom resources are sent: S3's, but
// where calls of S3 go to AWS itself, which knows nothing of these.
func (c *Cloud) answerHost(bucket, region string) string {
	suffix := "amazonaws.com"
	if stack.Partition(region) == "aws-cn" {
		suffix += ".cn"
	}
	if c.hosts.lets("S3") {
		return bucket + "." + region + "." + suffix
	}
	return bucket + ".s3." + region + "." + suffix
}

// led reports whether whoever gets a message reaches this cloud by the names of AWS's
// hosts. What subscribes to topics is taken for a function.
func (c *Cloud) led(arn string) bool {
	return !c.hosts.all && (strings.Split(arn, ":")[2] != "lambda" || c.lambda.Led(arn))
}

// credentialVariables are how a developer's environment says who calls AWS.
// https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html
var credentialVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"}

// ownCredentials gives functions the developer's own, in place of those that no
// AWS account knows: some of their calls go there.
func (c *Cloud) ownCredentials(env map[string]string) {
	if c.opts.User == nil {
		return
	}
	for _, name := range credentialVariables {
		delete(env, name)
		if value := c.opts.User(name); value != "" {
			env[name] = value
		}
	}
	for name, file := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"} {
		if env[name] = c.opts.User(name); env[name] == "" {
			env[name] = filepath.Join(c.opts.User("HOME"), ".aws", file) // their HOME is another
		}
	}
}
