package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"arc/deploy/s3"
	local "arc/sandbox/s3"
)

const account = "123456789012"

// recorder sends nothing: it notes what a request asks for, and of whom.
type recorder struct{ asked []string }

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	_, scope, _ := strings.Cut(req.Header.Get("Authorization"), "/")
	scope, _, _ = strings.Cut(scope, ",")
	_, scope, _ = strings.Cut(scope, "/") // the date
	query := req.URL.Query()
	query.Del("x-id") // the SDK's name of the operation
	r.asked = append(r.asked, fmt.Sprint(req.Method, " ", req.URL.Scheme, "://", req.URL.Host, req.URL.EscapedPath(), "?", query.Encode(), " ", scope, " ", req.Header.Get("X-Amz-Expected-Bucket-Owner")))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

// TestPlaces holds the client beside the SDK's own: the hosts, paths and scopes
// of the same configuration.
func TestPlaces(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	profiles := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(profiles, []byte("[profile all]\nendpoint_url = http://all.example\n[profile one]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = http://one.example/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", profiles)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
	for _, c := range []struct{ region, env string }{
		{"us-west-2", ""}, {"us-east-1", ""}, {"us-gov-west-1", ""}, {"cn-north-1", ""}, {"us-iso-east-1", ""}, {"us-isob-east-1", ""}, {"eusc-de-east-1", ""},
		{"eu-central-1", "AWS_USE_DUALSTACK_ENDPOINT=true"},
		{"cn-north-1", "AWS_USE_DUALSTACK_ENDPOINT=true"},
		{"us-east-1", "AWS_USE_FIPS_ENDPOINT=true"},
		{"us-east-1", "AWS_USE_FIPS_ENDPOINT=true AWS_USE_DUALSTACK_ENDPOINT=true"},
		{"us-west-2", "AWS_ENDPOINT_URL=http://everything.example"},
		{"us-west-2", "AWS_ENDPOINT_URL_S3=http://s3.example:9000"},
		{"us-west-2", "AWS_ENDPOINT_URL=http://everything.example AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"},
		{"us-west-2", "AWS_PROFILE=all"}, {"us-west-2", "AWS_PROFILE=one"},
	} {
		t.Run(c.region+" "+c.env, func(t *testing.T) {
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(c.region))
			if err != nil {
				t.Fatal(err)
			}
			theirs, ours := &recorder{}, &recorder{}
			cfg.HTTPClient = theirs
			sdk := awss3.NewFromConfig(cfg, func(o *awss3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
			cfg.HTTPClient = ours
			client := s3.New(cfg)
			for _, bucket := range []string{"my-bucket", "my.bucket"} {
				owner := aws.String(account)
				sdk.HeadBucket(t.Context(), &awss3.HeadBucketInput{Bucket: &bucket, ExpectedBucketOwner: owner})
				client.HeadBucket(t.Context(), s3.Bucket{Name: bucket, Owner: account})
				for _, key := range []string{"a/b.txt", "ä b+c%41&=~.json", "/x//y", "(a)'!*;:@,"} {
					sdk.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner})
					client.GetObject(t.Context(), s3.Bucket{Name: bucket, Owner: account}, key, "")
				}
			}
			if !slices.Equal(ours.asked, theirs.asked) {
				t.Errorf("ours   %q\ntheirs %q", ours.asked, theirs.asked)
			}
		})
	}
}

// newLocal is the local cloud's S3, and a client of it.
func newLocal(t *testing.T) (*s3.Client, aws.Config) {
	server := httptest.NewServer(local.New(local.Options{Account: account, Region: "us-west-2"}))
	t.Cleanup(server.Close)
	return clientOf(server.URL), configOf(server.URL)
}

func configOf(endpoint string) aws.Config {
	return aws.Config{
		Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), BaseEndpoint: &endpoint, HTTPClient: http.DefaultClient,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

func clientOf(endpoint string) *s3.Client { return s3.New(configOf(endpoint)) }

// TestObjects writes, reads, lists and deletes keys of all kinds.
func TestObjects(t *testing.T) {
	client, _ := newLocal(t)
	b := s3.Bucket{Name: "files", Owner: account}
	if err := client.CreateBucket(t.Context(), b.Name); err != nil {
		t.Fatal(err)
	}
	if err := client.HeadBucket(t.Context(), b); err != nil {
		t.Error(err)
	}
	for name, code := range map[s3.Bucket]string{{Name: "none", Owner: account}: "NotFound", {Name: "files", Owner: "999999999999"}: "Forbidden"} {
		if err := client.HeadBucket(t.Context(), name); codeOf(err) != code {
			t.Errorf("%+v: %v", name, err)
		}
	}
	keys := []string{"a b+c.txt", "p/%41.txt", "p/x.txt", "p/ä&<>\"'.txt"}
	for _, key := range keys {
		if err := client.PutObject(t.Context(), b, s3.Put{Key: key, Body: strings.NewReader("body of " + key), ContentType: "text/plain", CacheControl: "no-cache"}); err != nil {
			t.Fatal(err)
		}
		if head, err := client.HeadObject(t.Context(), b, key); err != nil || head != (s3.Head{ContentType: "text/plain", CacheControl: "no-cache"}) {
			t.Errorf("%s: %+v %v", key, head, err)
		}
		got, err := client.GetObject(t.Context(), b, key, "bytes=5-8")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		got.Body.Close()
		if want := ("body of " + key)[5:9]; err != nil || string(body) != want || got.Range != fmt.Sprintf("bytes 5-8/%d", len("body of "+key)) {
			t.Errorf("%s: %q %q %v", key, body, got.Range, err)
		}
	}
	if got := listed(t, client, b, ""); !slices.Equal(got, keys) {
		t.Errorf("listed %q", got)
	}
	if got := listed(t, client, b, "p/"); !slices.Equal(got, keys[1:]) {
		t.Errorf("below p/ %q", got)
	}
	if err := client.PutBucketVersioning(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := client.PutObject(t.Context(), b, s3.Put{Key: keys[0], Body: strings.NewReader("anew")}); err != nil {
		t.Fatal(err)
	}
	versions, err := client.ListObjectVersions(t.Context(), b)
	if err != nil || len(versions) < len(keys)+1 {
		t.Errorf("%+v %v", versions, err)
	}
	if refused, err := client.DeleteObjects(t.Context(), b, versions); err != nil || len(refused) != 0 {
		t.Errorf("%+v %v", refused, err)
	}
	if left, err := client.ListObjectVersions(t.Context(), b); err != nil || len(left) != 0 {
		t.Errorf("%+v %v", left, err)
	}
	if _, err := client.HeadObject(t.Context(), b, keys[0]); codeOf(err) != "NotFound" {
		t.Error(err)
	}
	if _, err := client.GetObject(t.Context(), b, keys[0], ""); codeOf(err) != "NoSuchKey" {
		t.Error(err)
	}
}

func listed(t *testing.T, client *s3.Client, b s3.Bucket, prefix string) []string {
	t.Helper()
	var keys []string
	for next := ""; ; {
		page, err := client.ListObjectsV2(t.Context(), b, prefix, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if next = page.Next; next == "" {
			return keys
		}
	}
}

// TestPages lists more than a page.
func TestPages(t *testing.T) {
	client, _ := newLocal(t)
	b := s3.Bucket{Name: "files"}
	if err := client.CreateBucket(t.Context(), b.Name); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 1100 {
		key := fmt.Sprintf("%04d", i)
		want = append(want, key)
		if err := client.PutObject(t.Context(), b, s3.Put{Key: key, Body: strings.NewReader("")}); err != nil {
			t.Fatal(err)
		}
	}
	if got := listed(t, client, b, ""); !slices.Equal(got, want) {
		t.Errorf("%d keys: %.60q", len(got), got)
	}
}

// TestChecksums are told by S3, which worked them out, and hold the body.
func TestChecksums(t *testing.T) {
	client, _ := newLocal(t)
	b := s3.Bucket{Name: "files"}
	if err := client.CreateBucket(t.Context(), b.Name); err != nil {
		t.Fatal(err)
	}
	const sum = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" // of "hello"
	if err := client.PutObject(t.Context(), b, s3.Put{Key: "k", Body: strings.NewReader("hello"), Checksum: sum}); err != nil {
		t.Fatal(err)
	}
	if got, err := client.HeadObjectChecksum(t.Context(), b, "k"); got != sum || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if err := client.PutObject(t.Context(), b, s3.Put{Key: "other", Body: strings.NewReader("hullo"), Checksum: sum}); err == nil {
		t.Error("took other bytes than the checksum's")
	}
	if err := client.PutObject(t.Context(), b, s3.Put{Key: "other", Body: strings.NewReader("hello"), Checksum: "?"}); err == nil {
		t.Error("took a checksum that is none")
	}
	if err := client.PutObject(t.Context(), b, s3.Put{Key: "plain", Body: strings.NewReader("hello")}); err != nil {
		t.Fatal(err)
	}
	if got, err := client.HeadObjectChecksum(t.Context(), b, "plain"); got != "" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// TestAnswers reads answers of success and failure, and asks again where that
// may help. The documents are those of S3's reference.
func TestAnswers(t *testing.T) {
	const slow = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`
	type answer struct {
		status int
		header http.Header
		body   string
	}
	for name, c := range map[string]struct {
		answers []answer
		code    string // of the error; "" = none
		calls   int
	}{
		"throttled twice":        {[]answer{{503, nil, slow}, {503, nil, slow}, {200, nil, `<ListBucketResult/>`}}, "", 3},
		"denied":                 {[]answer{{403, nil, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`}}, "AccessDenied", 1},
		"a proxy's page":         {[]answer{{407, nil, `<html>sign in</html>`}}, "ProxyAuthenticationRequired", 1},
		"an error in a success":  {[]answer{{200, nil, `<Error><Code>InternalError</Code><Message>sorry</Message></Error>`}}, "InternalError", 1},
		"encoded keys":           {[]answer{{200, nil, `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Bb+c</Key></Contents></ListBucketResult>`}}, "", 1},
		"a clock that is behind": {[]answer{{403, http.Header{"Date": {"Fri, 01 Jan 2100 00:00:00 GMT"}}, `<Error><Code>RequestTimeTooSkewed</Code></Error>`}, {200, nil, `<ListBucketResult/>`}}, "", 2},
		"a clock that is right":  {[]answer{{403, http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, `<Error><Code>RequestTimeTooSkewed</Code></Error>`}}, "RequestTimeTooSkewed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var signed []string
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := c.answers[min(calls, len(c.answers)-1)]
				calls++
				signed = append(signed, r.Header.Get("X-Amz-Date")[:4])
				for key, values := range a.header {
					w.Header()[key] = values
				}
				w.WriteHeader(a.status)
				io.WriteString(w, a.body)
			}))
			defer server.Close()
			page, err := clientOf(server.URL).ListObjectsV2(t.Context(), s3.Bucket{Name: "b"}, "", "")
			if codeOf(err) != c.code || (err == nil) != (c.code == "") || calls != c.calls {
				t.Errorf("%d calls: %+v %v", calls, page, err)
			}
			if name == "encoded keys" && page.Objects[0].Key != "a+b c" {
				t.Errorf("%+v", page)
			}
			if name == "a clock that is behind" && signed[1] != "2100" {
				t.Errorf("signed in %v", signed)
			}
		})
	}
}

// TestSettings asks AWS's own client what was set.
func TestSettings(t *testing.T) {
	client, cfg := newLocal(t)
	b := s3.Bucket{Name: "mine", Owner: account}
	for _, set := range []func(context.Context) error{
		func(ctx context.Context) error { return client.CreateBucket(ctx, b.Name) },
		func(ctx context.Context) error { return client.PutPublicAccessBlock(ctx, b) },
		func(ctx context.Context) error { return client.PutBucketEncryption(ctx, b) },
		func(ctx context.Context) error { return client.PutBucketVersioning(ctx, b) },
	} {
		if err := set(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sdk := awss3.NewFromConfig(cfg, func(o *awss3.Options) { o.UsePathStyle = true })
	block, err := sdk.GetPublicAccessBlock(t.Context(), &awss3.GetPublicAccessBlockInput{Bucket: &b.Name})
	if err != nil {
		t.Fatal(err)
	}
	if is := block.PublicAccessBlockConfiguration; !*is.BlockPublicAcls || !*is.BlockPublicPolicy || !*is.IgnorePublicAcls || !*is.RestrictPublicBuckets {
		t.Errorf("%+v", is)
	}
	if got, err := sdk.GetBucketEncryption(t.Context(), &awss3.GetBucketEncryptionInput{Bucket: &b.Name}); err != nil || got.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != "AES256" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := sdk.GetBucketVersioning(t.Context(), &awss3.GetBucketVersioningInput{Bucket: &b.Name}); err != nil || got.Status != "Enabled" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := sdk.GetBucketOwnershipControls(t.Context(), &awss3.GetBucketOwnershipControlsInput{Bucket: &b.Name}); err != nil || got.OwnershipControls.Rules[0].ObjectOwnership != "BucketOwnerEnforced" {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := sdk.GetBucketLocation(t.Context(), &awss3.GetBucketLocationInput{Bucket: &b.Name}); err != nil || got.LocationConstraint != "us-west-2" {
		t.Errorf("%+v %v", got, err)
	}
}

// TestHostLabels tells names that a host can begin with.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func TestHostLabels(t *testing.T) {
	for name, want := range map[string]bool{
		"a": true, "0-z": true, strings.Repeat("a", 63): true,
		"": false, strings.Repeat("a", 64): false, "-a": false, "a-": false, "A": false, "a_b": false, "a.b": false, "ä": false,
	} {
		if got := s3.IsHostLabel(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}
