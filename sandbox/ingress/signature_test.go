package ingress

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestSignature checks what AWS's own signer has signed, and what was changed after.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestSignature(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	signed := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest("POST", "http://api.example.com/dev/a%20b/c%2Fd?b=2&a=1&a=x%20y&empty=&c=%C3%A9+z&flag", strings.NewReader("body"))
		r.Header.Set("X-Own", "  two   words ")
		r.Header.Add("X-Two", "1")
		r.Header.Add("X-Two", "2")
		hash := "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5" // of "body"
		if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"}, r, hash, "execute-api", "us-east-1", at); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(r)
		}
		return r
	}
	auth := func(was, is string) func(*http.Request) {
		return func(r *http.Request) {
			text := strings.Replace(r.Header.Get("Authorization"), was, is, 1)
			if text == r.Header.Get("Authorization") {
				t.Errorf("%s has no %s", text, was)
			}
			r.Header.Set("Authorization", text)
		}
	}
	for _, c := range []struct {
		name    string
		change  func(*http.Request)
		service string
		secret  string
		now     time.Time
		want    string // "" = it holds
	}{
		{"as it was signed", nil, "execute-api", "secret", at, ""},
		{"five minutes later", nil, "execute-api", "secret", at.Add(5 * time.Minute), ""},
		{"more than that", nil, "execute-api", "secret", at.Add(5*time.Minute + time.Second), "the signature has expired"},
		{"five minutes before", nil, "execute-api", "secret", at.Add(-5 * time.Minute), ""},
		{"earlier than that", nil, "execute-api", "secret", at.Add(-5*time.Minute - time.Second), "the signature is not valid yet"},
		{"for another service", nil, "lambda", "secret", at, "it is signed for execute-api, not for lambda"},
		{"by another secret", nil, "execute-api", "other", at, "the signature is not that of the key"},
		{"another method", func(r *http.Request) { r.Method = "PUT" }, "execute-api", "secret", at, "is not that of the key"},
		{"another path", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/dev/other", "" }, "execute-api", "secret", at, "is not that of the key"},
		{"another query", func(r *http.Request) { r.URL.RawQuery += "&d=1" }, "execute-api", "secret", at, "is not that of the key"},
		{"a query in another order", func(r *http.Request) { r.URL.RawQuery = "flag=&c=%C3%A9%20z&a=1&&a=x%20y&empty&b=2" }, "execute-api", "secret", at, ""},
		{"another host", func(r *http.Request) { r.Host = "other.example.com" }, "execute-api", "secret", at, "is not that of the key"},
		{"another header", func(r *http.Request) { r.Header.Set("X-Own", "three words") }, "execute-api", "secret", at, "is not that of the key"},
		{"a header with other blanks", func(r *http.Request) { r.Header.Set("X-Own", "two words") }, "execute-api", "secret", at, ""},
		{"a header that is not signed", func(r *http.Request) { r.Header.Set("X-New", "1") }, "execute-api", "secret", at, ""},
		{"another body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("tampered")) }, "execute-api", "secret", at, "is not that of the key"},
		{"another date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260103T030405Z") }, "execute-api", "secret", at, "its dates are different ones"},
		{"another time", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260102T030406Z") }, "execute-api", "secret", at, "is not that of the key"},
		{"without its host", auth("host;", ""), "execute-api", "secret", at, "Host is not signed"},
		{"another region", auth("us-east-1", "us-east-2"), "execute-api", "secret", at, "is not that of the key"},
		{"a date that is none", func(r *http.Request) { r.Header.Set("X-Amz-Date", "now") }, "", "", at, "X-Amz-Date is no time"},
		{"a short credential", auth("AKIA/20260102/", ""), "", "", at, "the Credential is not KEY/DATE/REGION/SERVICE/aws4_request"},
		{"another algorithm", auth("AWS4-HMAC-SHA256", "AWS3"), "", "", at, "the request is not signed"},
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, "", "", at, "the request is not signed"},
	} {
		r := signed(c.change)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		s, err := ReadSignature(r)
		if err == nil {
			if s.Key != "AKIA" || s.Token != "token" {
				t.Errorf("%s: of %s, %s", c.name, s.Key, s.Token)
			}
			err = s.Check(r, body, c.service, c.secret, c.now)
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestPresigned checks signatures in URLs, and bodies that are not signed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func TestPresigned(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name, expires string
		change        func(r *http.Request)
		later         time.Duration
		want          string
	}{
		{"in time", "60", nil, time.Minute, ""},
		{"late", "60", nil, time.Minute + time.Second, "the signature has expired"},
		{"later than a clock may be off", "600", nil, 10 * time.Minute, ""},
		{"another query", "60", func(r *http.Request) { r.URL.RawQuery += "&x=1" }, 0, "is not that of the key"},
		{"another signature", "60", func(r *http.Request) {
			q := r.URL.Query()
			q.Set("X-Amz-Signature", "0")
			r.URL.RawQuery = q.Encode()
		}, 0, "is not that of the key"},
		{"no number of seconds", "60", func(r *http.Request) {
			q := r.URL.Query()
			q.Set("X-Amz-Expires", "soon")
			r.URL.RawQuery = q.Encode()
		}, 0, "X-Amz-Expires is no number of seconds"},
		{"another algorithm", "60", func(r *http.Request) {
			q := r.URL.Query()
			q.Set("X-Amz-Algorithm", "AWS3")
			r.URL.RawQuery = q.Encode()
		}, 0, "the request is not signed"},
	} {
		r := httptest.NewRequest("GET", "http://api.example.com?a=1&X-Amz-Expires="+c.expires, nil)
		signed, _, err := v4.NewSigner().PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: "A/K", SecretAccessKey: "secret", SessionToken: "token"}, r, emptyHash, "execute-api", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		r = httptest.NewRequest("GET", signed, nil)
		r.Header.Set("X-Amz-Content-Sha256", "")
		if c.change != nil {
			c.change(r)
		}
		s, err := ReadSignature(r)
		if err == nil {
			if s.Key != "A/K" || s.Token != "token" {
				t.Errorf("%s: of %s, %s", c.name, s.Key, s.Token)
			}
			err = s.Check(r, nil, "execute-api", "secret", at.Add(c.later))
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	r := httptest.NewRequest("PUT", "http://api.example.com/", strings.NewReader("anything"))
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, r, "UNSIGNED-PAYLOAD", "execute-api", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	s, err := ReadSignature(r)
	if err == nil {
		err = s.Check(r, []byte("other"), "execute-api", "secret", at)
	}
	if err != nil {
		t.Errorf("a body that is not signed: %v", err)
	}
}
