package ingress

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Signature is what a request says of its signature, version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type Signature struct {
	Key                   string // the access key
	date, region, service string
	at                    time.Time
	expires               time.Duration // of a presigned URL
	headers               []string      // that are signed, in lower case
	hex                   string
	Token                 string // of the session
	query                 bool   // it is in the URL
}

const signAlgorithm = "AWS4-HMAC-SHA256"

// maxSkew is how far a clock may be off.
const maxSkew = 5 * time.Minute

// ReadSignature finds the signature of a request; an error says that there is none
// or that it cannot be read.
func ReadSignature(r *http.Request) (Signature, error) {
	var s Signature
	q := r.URL.Query()
	fields := map[string]string{}
	if rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), signAlgorithm); ok {
		for part := range strings.SplitSeq(rest, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			fields[name] = value
		}
		fields["Date"], s.Token = r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Security-Token")
	} else if q.Get("X-Amz-Algorithm") == signAlgorithm {
		s.query = true
		fields = map[string]string{"Credential": q.Get("X-Amz-Credential"), "SignedHeaders": q.Get("X-Amz-SignedHeaders"), "Signature": q.Get("X-Amz-Signature"), "Date": q.Get("X-Amz-Date")}
		seconds, err := time.ParseDuration(q.Get("X-Amz-Expires") + "s")
		if err != nil {
			return s, errors.New("X-Amz-Expires is no number of seconds")
		}
		s.expires, s.Token = seconds, q.Get("X-Amz-Security-Token")
	} else {
		return s, errors.New("the request is not signed")
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) < 5 {
		return s, errors.New("the Credential is not KEY/DATE/REGION/SERVICE/aws4_request")
	}
	n := len(scope)
	s.Key, s.date, s.region, s.service = strings.Join(scope[:n-4], "/"), scope[n-4], scope[n-3], scope[n-2]
	s.headers, s.hex = strings.Split(fields["SignedHeaders"], ";"), fields["Signature"]
	var err error
	if s.at, err = time.Parse("20060102T150405Z", fields["Date"]); err != nil {
		return s, errors.New("X-Amz-Date is no time")
	}
	return s, nil
}

// Check compares the signature with that of the secret.
func (s Signature) Check(r *http.Request, body []byte, service, secret string, now time.Time) error {
	switch {
	case s.service != service:
		return fmt.Errorf("it is signed for %s, not for %s", s.service, service)
	case !strings.HasPrefix(s.at.Format("20060102T150405Z"), s.date):
		return errors.New("its dates are different ones")
	case s.query && now.After(s.at.Add(s.expires)), !s.query && now.After(s.at.Add(maxSkew)):
		return errors.New("the signature has expired")
	case s.at.After(now.Add(maxSkew)):
		return errors.New("the signature is not valid yet")
	case !slices.Contains(s.headers, "host"):
		return errors.New("Host is not signed")
	}
	want := s.sign(r, body, secret)
	if !hmac.Equal([]byte(want), []byte(s.hex)) {
		return errors.New("the signature is not that of the key")
	}
	return nil
}

// sign is the signature that the request should have.
func (s Signature) sign(r *http.Request, body []byte, secret string) string {
	var canonical strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	fmt.Fprintf(&canonical, "%s\n%s\n%s\n", r.Method, escapePath(path), s.canonicalQuery(r.URL.RawQuery))
	for _, name := range s.headers {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(&canonical, "%s:%s\n", name, strings.Join(strings.Fields(value), " "))
	}
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash != "UNSIGNED-PAYLOAD" {
		sum := sha256.Sum256(body)
		hash = hex.EncodeToString(sum[:])
	}
	fmt.Fprintf(&canonical, "\n%s\n%s", strings.Join(s.headers, ";"), hash)
	sum := sha256.Sum256([]byte(canonical.String()))
	scope := s.date + "/" + s.region + "/" + s.service + "/aws4_request"
	text := signAlgorithm + "\n" + s.at.Format("20060102T150405Z") + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// escapePath escapes a path once more: for all services but S3 it is escaped twice.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = strictEscape(part)
	}
	return strings.Join(parts, "/")
}

// strictEscape escapes all but letters, digits and -_.~.
func strictEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// canonicalQuery is a query string in the order and spelling that is signed.
func (s Signature) canonicalQuery(raw string) string {
	var parts [][2]string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = DecodeQuery(name), DecodeQuery(value)
		if s.query && name == "X-Amz-Signature" {
			continue
		}
		parts = append(parts, [2]string{strictEscape(name), strictEscape(value)})
	}
	slices.SortFunc(parts, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	var joined []string
	for _, pair := range parts {
		joined = append(joined, pair[0]+"="+pair[1])
	}
	return strings.Join(joined, "&")
}

// Identity is who signed a request with a key that the local cloud gave out.
type Identity struct {
	AccessKey string
	Account   string // twelve digits
	ARN       string // of the user or role session
	ID        string // unique ID of it
}
