package gateway_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

func encoded(v any) string {
	data, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(data)
}

func signedToken(key *rsa.PrivateKey, header, claims props) string {
	text := encoded(header) + "." + encoded(claims)
	hash, sum := crypto.SHA256, func() []byte { s := sha256.Sum256([]byte(text)); return s[:] }
	if header["alg"] == "RS512" {
		hash, sum = crypto.SHA512, func() []byte { s := sha512.Sum512([]byte(text)); return s[:] }
	}
	signature, _ := rsa.SignPKCS1v15(rand.Reader, key, hash, sum())
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// TestTokens asks a JWT authorizer with tokens that are right, and with each thing
// wrong that one can have.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func TestTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://login.example/"
	set := encodedKeys(key)
	var seen struct {
		RequestContext struct{ Authorizer json.RawMessage }
	}
	c := newCloud(t, gateway.Options{
		Keys: func(_ context.Context, of string) ([]byte, error) {
			if of != issuer {
				return nil, errors.New("unknown issuer")
			}
			return []byte(set), nil
		},
		Invoker: functions{"fn": func(_ context.Context, event []byte) (invoke.Result, error) {
			return invoke.Result{Payload: []byte(`{"statusCode":200}`)}, json.Unmarshal(event, &seen)
		}},
	})
	api := c.create("Api", "HTTP", props{"Name": "x", "ProtocolType": "HTTP"})
	authorizer := func(id, source, issuer string) string {
		return c.create("Authorizer", id, props{"ApiId": api.PhysicalID, "Name": id, "AuthorizerType": "JWT", "IdentitySource": []any{source},
			"JwtConfiguration": props{"Issuer": issuer, "Audience": []any{"me", "you"}}}).PhysicalID
	}
	byHeader, byQuery, unknown := authorizer("Z", "$request.header.Authorization", issuer), authorizer("Q", "$request.querystring.token", issuer), authorizer("U", "$request.header.Authorization", "https://else.example")
	for _, format := range []string{"1.0", "2.0"} {
		i := c.create("Integration", "I"+format, props{"ApiId": api.PhysicalID, "IntegrationType": "AWS_PROXY", "IntegrationUri": uri("fn"), "PayloadFormatVersion": format})
		for path, more := range map[string]props{"/x": {"AuthorizerId": byHeader}, "/query": {"AuthorizerId": byQuery}, "/unknown": {"AuthorizerId": unknown}, "/scoped": {"AuthorizerId": byHeader, "AuthorizationScopes": []any{"read", "write"}}} {
			c.create("Route", "R"+format+path, merged(props{"ApiId": api.PhysicalID, "RouteKey": "GET /" + format + path, "Target": "integrations/" + i.PhysicalID, "AuthorizationType": "JWT"}, more))
		}
	}
	c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "$default", "AutoDeploy": true})
	endpoint := api.Attributes["ApiEndpoint"].(string)

	now := time.Now().Unix()
	good := props{"iss": issuer, "aud": "me", "exp": now + 60, "nbf": now - 60, "iat": now - 60, "sub": "s", "groups": []string{"a", "b"}, "n": 1, "scope": "read other"}
	head := props{"alg": "RS256", "kid": "k"}
	with := func(more props) string { return signedToken(key, head, merged(good, more)) }
	token := with(nil)
	parts := strings.Split(token, ".")
	for name, test := range map[string]struct {
		path, token string
		status      int
		says        string // in WWW-Authenticate
	}{
		"bare":                {"/x", token, 200, ""},
		"Bearer":              {"/x", "Bearer " + token, 200, ""},
		"bearer":              {"/x", "bearer " + token, 200, ""},
		"RS512":               {"/x", signedToken(key, props{"alg": "RS512", "kid": "k"}, good), 200, ""},
		"one of audiences":    {"/x", with(props{"aud": []string{"x", "you"}}), 200, ""},
		"client_id":           {"/x", with(props{"aud": nil, "client_id": "me"}), 401, "audience is null"},
		"scope":               {"/scoped", token, 200, ""},
		"scp":                 {"/scoped", with(props{"scope": nil, "scp": []string{"write"}}), 200, ""},
		"none":                {"/x", "", 401, "Bearer"},
		"Bearer alone":        {"/x", "Bearer", 401, "is no JWT"},
		"two parts":           {"/x", parts[0] + "." + parts[1], 401, "is no JWT"},
		"no base64":           {"/x", "!." + parts[1] + "." + parts[2], 401, "is no JWT"},
		"claims are a list":   {"/x", parts[0] + "." + encoded([]int{1}) + "." + parts[2], 401, "is no JWT"},
		"claims are null":     {"/x", parts[0] + "." + encoded(nil) + "." + parts[2], 401, "is no JWT"},
		"unsigned":            {"/x", encoded(props{"alg": "none", "kid": "k"}) + "." + parts[1] + ".", 401, "algorithm is 'none'"},
		"HS256":               {"/x", signedToken(key, props{"alg": "HS256", "kid": "k"}, good), 401, "algorithm is 'HS256'"},
		"other key":           {"/x", signedToken(other, head, good), 401, "signature is not that"},
		"other claims":        {"/x", parts[0] + "." + encoded(merged(good, props{"sub": "x"})) + "." + parts[2], 401, "signature is not that"},
		"no kid":              {"/x", signedToken(key, props{"alg": "RS256"}, good), 401, "kid ''"},
		"other kid":           {"/x", signedToken(key, props{"alg": "RS256", "kid": "x"}, good), 401, "kid 'x'"},
		"a key of a curve":    {"/x", signedToken(key, props{"alg": "RS256", "kid": "curve"}, good), 401, "kid 'curve'"},
		"a key with no n":     {"/x", signedToken(key, props{"alg": "RS256", "kid": "short"}, good), 401, "key short cannot be read"},
		"a key with odd e":    {"/x", signedToken(key, props{"alg": "RS256", "kid": "odd"}, good), 401, "key odd cannot be read"},
		"other issuer":        {"/x", with(props{"iss": "https://login.example"}), 401, "issuer is"},
		"other audience":      {"/x", with(props{"aud": "they"}), 401, "audience is"},
		"no audience":         {"/x", with(props{"aud": []string{}}), 401, "audience is"},
		"expired":             {"/x", with(props{"exp": now - 1}), 401, "has expired"},
		"no exp":              {"/x", signedToken(key, head, props{"iss": issuer, "aud": "me"}), 401, "has expired"},
		"exp is text":         {"/x", with(props{"exp": "soon"}), 401, "exp is no number"},
		"not before":          {"/x", with(props{"nbf": now + 60}), 401, "nbf is still to come"},
		"issued later":        {"/x", with(props{"iat": now + 60}), 401, "iat is still to come"},
		"other scope":         {"/scoped", with(props{"scope": "reads"}), 403, `scope="read write" error="insufficient_scope"`},
		"no scope":            {"/scoped", with(props{"scope": nil}), 403, "insufficient_scope"},
		"an issuer not known": {"/unknown", with(props{"iss": "https://else.example"}), 401, "unknown issuer"},
	} {
		req, err := http.NewRequest("GET", endpoint+"/2.0"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", test.token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if said := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != test.status || !strings.Contains(said, test.says) || test.says == "" && said != "" {
			t.Errorf("%s: %d %s\n%s", name, resp.StatusCode, said, c.log())
		}
	}
	for path, want := range map[string]string{
		"/2.0/x":      fmt.Sprintf(`{"jwt":{"claims":{"aud":"me","exp":"%d","groups":"[a b]","iat":"%d","iss":"https://login.example/","n":"1","nbf":"%d","scope":"read other","sub":"s"},"scopes":null}}`, now+60, now-60, now-60),
		"/2.0/scoped": `"scopes":["read"]}}`,
		"/1.0/scoped": `"scopes":["read"]}`,
		"/1.0/x":      `{"claims":{"aud":"me"`,
	} {
		if status, body := call(t, "GET", endpoint+path, "", "Authorization", token); status != 200 || !strings.Contains(string(seen.RequestContext.Authorizer), want) {
			t.Errorf("%s: %d %s, the function sees %s", path, status, body, seen.RequestContext.Authorizer)
		}
	}
	if status, _ := call(t, "GET", endpoint+"/2.0/query?token="+token, ""); status != 200 {
		t.Errorf("a token of the query: %d", status)
	}
	if status, _ := call(t, "GET", endpoint+"/2.0/x", "", "Authorization", signedToken(key, head, props{"iss": issuer, "client_id": "me", "exp": float64(now) + 60.5})); status != 200 {
		t.Errorf("a token with client_id alone: %d", status)
	}
	if status, _ := call(t, "GET", endpoint+"/2.0/scoped", "", "Authorization", signedToken(key, head, props{"iss": issuer, "aud": "me", "exp": now + 60, "scp": []string{"write"}})); status != 200 {
		t.Errorf("a token with scp: %d", status)
	}
	set = "no JSON"
	if status, _ := call(t, "GET", endpoint+"/2.0/x", "", "Authorization", token); status != 401 {
		t.Errorf("an issuer without keys: %d", status)
	}
}

// encodedKeys is a key set with the key as k, and some that cannot be used.
func encodedKeys(key *rsa.PrivateKey) string {
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	n, e := number(key.N), number(big.NewInt(int64(key.E)))
	set, _ := json.Marshal(props{"keys": []props{
		{"kid": "curve", "kty": "EC", "n": n, "e": e}, {"kid": "short", "kty": "RSA", "n": "AQAB", "e": e}, {"kid": "odd", "kty": "RSA", "n": n, "e": "!"}, {"kid": "", "kty": "RSA", "n": n, "e": e},
		{"kid": "k", "kty": "RSA", "n": n, "e": e},
	}})
	return string(set)
}
