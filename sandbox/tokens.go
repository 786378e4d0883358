package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"arc/sandbox/ingress"
	"arc/sandbox/stack"
)

// issuerTimeout is how long an issuer of tokens may take.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const issuerTimeout = 1500 * time.Millisecond

// maxKeySet bounds what an issuer may answer.
const maxKeySet = 1 << 20

// keySet is the JSON Web Key Set of an issuer of tokens: of a file that the
// developer named for it, or of an issuer on this machine, which is asked as API
// Gateway asks. Nothing is fetched from the network.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
func (c *Cloud) keySet(ctx context.Context, issuer string) ([]byte, error) {
	if file := c.opts.JWKS[issuer]; file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--jwks: %w", err)
		}
		return data, nil
	}
	if !onThisMachine(issuer) {
		return nil, fmt.Errorf("nothing is fetched from the network; save its key set and name it: arc sandbox --jwks %s=FILE", issuer)
	}
	data, err := fetchLocal(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	var discovered struct {
		URI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(data, &discovered); err != nil || !onThisMachine(discovered.URI) {
		return nil, fmt.Errorf("its openid-configuration names no jwks_uri on this machine")
	}
	return fetchLocal(ctx, discovered.URI)
}

// onThisMachine reports whether a URL is one of loopback.
func onThisMachine(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func fetchLocal(ctx context.Context, target string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	// A redirection could lead off this machine.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", target, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxKeySet))
}

// signer knows the keys that the local cloud gives out.
func (c *Cloud) signer(accessKey, _ string) (secret string, who ingress.Identity, ok bool) {
	if caller, known := c.guard.Keys.Caller(accessKey); known {
		secret, _ := c.guard.Keys.Secret(accessKey)
		return secret, ingress.Identity{AccessKey: accessKey, Account: Account, ARN: caller.ARN, ID: caller.ID}, true
	}
	if accessKey != "local" {
		return "", ingress.Identity{}, false
	}
	return "local", ingress.Identity{
		AccessKey: accessKey, Account: Account, ARN: stack.ARN(c.opts.Region, "iam", "", Account, "user/local"), ID: "AIDALOCALLOCALLOCAL",
	}, true
}
