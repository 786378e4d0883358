package ingress

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

var encode = base64.RawURLEncoding.EncodeToString

// TestBearer reads tokens as API Gateway does.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
// https://www.rfc-editor.org/rfc/rfc7519
func TestBearer(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	n, e := encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	token := func(head string, hash crypto.Hash, claims string) string {
		text := encode([]byte(head)) + "." + encode([]byte(claims))
		sum := hash.New()
		sum.Write([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, sum.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(signature)
	}
	of := func(claims string) string { return token(`{"alg":"RS256","kid":"k"}`, crypto.SHA256, claims) }
	set := func(keys string) KeySets {
		return func(_ context.Context, issuer string) ([]byte, error) {
			if issuer != "https://issuer" {
				return nil, errors.New("nobody's")
			}
			return []byte(`{"keys":[` + keys + `]}`), nil
		}
	}
	good := set(`{"kid":"other","kty":"RSA","n":"` + n + `","e":"` + e + `"},{"kid":"k","kty":"EC","x":"","y":""},{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + e + `"}`)
	now := time.Unix(1_700_000_000, 0)
	const ann = `{"iss":"https://issuer","aud":"app","exp":1700000001}`
	valid := of(ann)
	parts := strings.Split(valid, ".")
	for _, c := range []struct {
		name, token string
		keys        KeySets
		audience    []string
		want        string // "" = it is taken
	}{
		{"a good one", valid, good, []string{"app"}, ""},
		{"for one of two", valid, good, []string{"other", "app"}, ""},
		{"for whomever", valid, good, nil, ""},
		{"of a list", of(`{"iss":"https://issuer","aud":["x","app"],"exp":1700000001}`), good, []string{"app"}, ""},
		{"of a client", of(`{"iss":"https://issuer","client_id":"app","exp":1700000001}`), good, []string{"app"}, ""},
		{"an audience before a client", of(`{"iss":"https://issuer","aud":"x","client_id":"app","exp":1700000001}`), good, []string{"app"}, `the token's audience is "x", none of app`},
		{"for another", valid, good, []string{"other"}, `the token's audience is "app", none of other`},
		{"for nobody", of(`{"iss":"https://issuer","exp":1700000001}`), good, []string{"app"}, "the token's audience is"},
		{"an audience that is none", of(`{"iss":"https://issuer","aud":1,"exp":1700000001}`), good, []string{"app"}, "the token's audience is 1"},
		{"another issuer", of(`{"iss":"https://other","aud":"app","exp":1700000001}`), good, []string{"app"}, `the token's issuer is "https://other", not https://issuer`},
		{"with more bits", token(`{"alg":"RS384","kid":"k"}`, crypto.SHA384, ann), good, nil, ""},
		{"with most bits", token(`{"alg":"RS512","kid":"k"}`, crypto.SHA512, ann), good, nil, ""},
		{"another algorithm", token(`{"alg":"none","kid":"k"}`, crypto.SHA256, ann), good, nil, `the token's algorithm is "none"`},
		{"another algorithm than it says", token(`{"alg":"RS384","kid":"k"}`, crypto.SHA256, ann), good, nil, "the token's signature is not that of its key"},
		{"that expires now", of(`{"iss":"https://issuer","exp":1700000000}`), good, nil, "the token has expired"},
		{"that never expires", of(`{"iss":"https://issuer"}`), good, nil, "the token has expired"},
		{"that expires in words", of(`{"iss":"https://issuer","exp":"soon"}`), good, nil, "the token's exp is no number"},
		{"from now", of(`{"iss":"https://issuer","exp":1700000001,"nbf":1700000000,"iat":1700000000}`), good, nil, ""},
		{"not before a second", of(`{"iss":"https://issuer","exp":1700000009,"nbf":1700000001}`), good, nil, "the token's nbf is still to come"},
		{"made in a second", of(`{"iss":"https://issuer","exp":1700000009,"iat":1700000001}`), good, nil, "the token's iat is still to come"},
		{"made in words", of(`{"iss":"https://issuer","exp":1700000009,"iat":"x"}`), good, nil, "the token's iat is no number"},
		{"two parts", parts[0] + "." + parts[1], good, nil, "the token is no JWT"},
		{"four parts", valid + ".x", good, nil, "the token is no JWT"},
		{"a signature that is no base64", parts[0] + "." + parts[1] + ".*", good, nil, "the token is no JWT"},
		{"a head that is no base64", "*." + parts[1] + "." + parts[2], good, nil, "the token is no JWT"},
		{"claims that are no JSON", parts[0] + "." + encode([]byte("x")) + "." + parts[2], good, nil, "the token is no JWT"},
		{"claims that are null", of("null"), good, nil, "the token is no JWT"},
		{"other claims", parts[0] + "." + encode([]byte(`{"iss":"https://issuer","exp":1700000002}`)) + "." + parts[2], good, nil, "the token's signature is not that of its key"},
		{"a key that is not there", token(`{"alg":"RS256","kid":"z"}`, crypto.SHA256, ann), good, nil, `the token's kid "z" is none of https://issuer's RSA keys`},
		{"no key's ID", token(`{"alg":"RS256"}`, crypto.SHA256, ann), set(`{"kty":"RSA","n":"` + n + `","e":"` + e + `"}`), nil, `the token's kid "" is none`},
		{"nobody knows", valid, nil, nil, "nobody knows the keys of https://issuer"},
		{"keys that are no JSON", valid, set(`{`), nil, "keys of https://issuer: "},
		{"a modulus that is no base64", valid, set(`{"kid":"k","kty":"RSA","n":"*","e":"` + e + `"}`), nil, "key k cannot be read"},
		{"an exponent that is no base64", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"*"}`), nil, "key k cannot be read"},
		{"a small exponent", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + encode([]byte{2}) + `"}`), nil, "key k cannot be read"},
		{"a smallest exponent", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + encode([]byte{3}) + `"}`), nil, "the token's signature is not that of its key"},
		{"a largest exponent", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + encode([]byte{0x7f, 0xff, 0xff, 0xff}) + `"}`), nil, "the token's signature is not that of its key"},
		{"a large exponent", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + encode([]byte{0x80, 0, 0, 1}) + `"}`), nil, "key k cannot be read"},
		{"a huge exponent", valid, set(`{"kid":"k","kty":"RSA","n":"` + n + `","e":"` + encode([]byte{1, 0, 0, 0, 0, 0, 0, 0, 1}) + `"}`), nil, "key k cannot be read"},
		{"a short modulus", valid, set(`{"kid":"k","kty":"RSA","n":"` + encode(make([]byte, 127)) + `","e":"` + e + `"}`), nil, "key k cannot be read"},
	} {
		claims, err := Bearer{"https://issuer", c.audience}.Read(t.Context(), c.keys, c.token, now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || err == nil && string(claims["iss"]) != `"https://issuer"` {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := (Bearer{Issuer: "https://third"}).Read(t.Context(), good, valid, now); err == nil || err.Error() != "keys of https://third: nobody's" {
		t.Error(err)
	}
}

// TestClaims reads claims as functions and authorizers see them.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func TestClaims(t *testing.T) {
	read := func(text string) (claims map[string]json.RawMessage) {
		if err := json.Unmarshal([]byte(text), &claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	for text, want := range map[string][]string{
		`{"scope":"a b"}`: {"a", "b"}, `{"scp":"a"}`: {"a"}, `{"scp":["a b","c"]}`: {"a b", "c"}, `{"scope":"x","scp":["y"]}`: {"x"}, `{"scope":null,"scp":["y"]}`: {"y"}, `{}`: nil, `{"scope":["z"]}`: {"z"}, `{"scp":[]}`: {},
	} {
		if got := TokenScopes(read(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	got := ClaimTexts(read(`{"sub":"ann","n":1.50,"yes":true,"list":["a",1,{"b":2}],"none":null,"empty":[],"object":{"a":[1]}}`))
	if want := map[string]string{"sub": "ann", "n": "1.50", "yes": "true", "list": `[a 1 {"b":2}]`, "none": "", "empty": "[]", "object": `{"a":[1]}`}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	const body = `{"a":{"b":["x"],"c":"text"},"n":null,"f":2.50}`
	for path, want := range map[string]string{"a.b": `["x"]`, "a.c": "text", "a": `{"b":["x"],"c":"text"}`, "f": "2.50", "n": "-", "z": "-", "a.c.d": "-", "a.b.0": "-"} {
		text, ok := Field([]byte(body), strings.Split(path, "."))
		if !ok {
			text = "-"
		}
		if text != want {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
	for value, want := range map[string]string{`"a\"b"`: `a"b`, ` 1 `: "1", "null": "-", "": "-", " ": "-", `"open`: "-", "[1]": "[1]"} {
		text, ok := Plain(json.RawMessage(value))
		if !ok {
			text = "-"
		}
		if text != want {
			t.Errorf("%q: %s, want %s", value, text, want)
		}
	}
}
