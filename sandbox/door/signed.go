package door

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxUnsigned bounds the form of a call that is unsigned by nature: STS takes
// tokens of 20,000 characters and SAML answers of 100,000, which escapes triple.
const maxUnsigned = 400 << 10

// unsignedActions are the calls of STS that get credentials, and so cannot be
// signed with any.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html
var unsignedActions = map[string]bool{"AssumeRoleWithWebIdentity": true, "AssumeRoleWithSAML": true}

// signed judges a request to AWS's services.
func signed(r *http.Request) string {
	scope := ScopeOf(r)
	if reads(r) {
		// A Query action is its parameters, whatever the method. Of AWS clients, only
		// aws-lite, which @architect/functions calls, sends one by GET: to SNS, signed
		// in a header, which no page can send without asking first; and by GET comes
		// the presigned question who somebody is.
		// https://github.com/aws-lite/aws-lite/blob/main/plugins/sns/src/index.mjs
		action := ""
		for name, values := range query(r) {
			if strings.EqualFold(name, "Action") {
				action = values[0]
			}
		}
		if scope.Service == "sns" && !scope.Presigned && browserMark(r) == "" {
			return ""
		}
		if action == "" || scope.Service == "sts" && scope.Presigned && action == "GetCallerIdentity" {
			return ""
		}
		return fmt.Sprintf("the action %q came by %s, as any web page could send it; actions come by POST", action, r.Method)
	}
	if mark := browserMark(r); mark != "" {
		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case site == "cross-site":
			return "another site's page sent this " + r.Method
		case scope.Service != "s3" && !form(r):
			return fmt.Sprintf("%s says that a web page sent this %s; here pages may change nothing but objects of S3, with a presigned URL or form", mark, r.Method)
		}
	}
	if scope.Service != "" || form(r) || unsignedByNature(r) {
		return ""
	}
	return fmt.Sprintf("this %s is not signed, and any web page could send it; sign it, with any key", r.Method)
}

// form reports whether a request may be S3's upload by a form, whose signature
// is one of the form's fields: S3 looks for it. No other service takes forms
// with files, and none is told by path and method alone.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
func form(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.RawQuery == "" && r.Header.Get("X-Amz-Target") == "" &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

// unsignedByNature reports whether a request gets credentials. It reads the
// form, which stays in the request.
func unsignedByNature(r *http.Request) bool {
	if r.Method != http.MethodPost || r.URL.RawQuery != "" || browserMark(r) != "" || r.Header.Get("X-Amz-Target") != "" ||
		!strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return false
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxUnsigned)
	return r.ParseForm() == nil && unsignedActions[r.PostForm.Get("Action")]
}

// Scope is what a signature says that it is for.
type Scope struct {
	Service   string // as in "s3", "sts"; "" = there is no signature
	Region    string
	Presigned bool   // it is in the URL
	Key       string // the access key that it is made with
}

// ScopeOf finds the signature of a request: version 4 in the header
// Authorization or in the URL, or version 2 in the URL, which only S3 takes.
// Whether it is right is not looked at: the local cloud knows few keys' secrets.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func ScopeOf(r *http.Request) Scope {
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		credential, _, _ := strings.Cut(rest, ",")
		return scope(strings.TrimSpace(credential), false)
	}
	// An S3 client of the old kind: "AWS key:signature".
	if old, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS "); ok {
		key, _, _ := strings.Cut(old, ":")
		return Scope{Service: "s3", Key: key}
	}
	q := query(r)
	if q.Get("X-Amz-Signature") != "" {
		return scope(q.Get("X-Amz-Credential"), true)
	}
	if q.Get("AWSAccessKeyId") != "" && q.Get("Signature") != "" {
		return Scope{Service: "s3", Presigned: true, Key: q.Get("AWSAccessKeyId")}
	}
	return Scope{}
}

// scope reads key/date/[region/]service/aws4_request. A key may hold slashes.
func scope(credential string, presigned bool) Scope {
	parts := strings.Split(credential, "/")
	n := len(parts)
	if n < 4 {
		return Scope{}
	}
	s := Scope{Service: parts[n-2], Presigned: presigned}
	if n > 4 {
		s.Region, s.Key = parts[n-3], strings.Join(parts[:n-4], "/")
	}
	if s.Service == "s3express" {
		s.Service = "s3"
	}
	return s
}

// query reads the parameters of a URL, as far as they can be read.
func query(r *http.Request) url.Values {
	if r.URL.RawQuery == "" {
		return nil
	}
	return r.URL.Query()
}
