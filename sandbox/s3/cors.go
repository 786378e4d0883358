package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// corsRules are a bucket's CORS configuration, in the shape of the API.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html
type corsRules struct {
	XMLName xml.Name   `xml:"CORSConfiguration"`
	Rules   []corsRule `xml:"CORSRule"`
}

type corsRule struct {
	ID             string   `xml:"ID,omitempty"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	MaxAgeSeconds  int      `xml:"MaxAgeSeconds,omitempty"`
}

// corsProperties are the same rules in the spelling of a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-corsrule.html
type corsProperties struct {
	CorsRules []struct {
		Id                             string
		AllowedMethods, AllowedOrigins []string
		AllowedHeaders, ExposedHeaders []string
		MaxAge                         int
	}
}

// document is the configuration as PutBucketCors would have it.
func (p corsProperties) document() ([]byte, error) {
	var c corsRules
	for _, r := range p.CorsRules {
		c.Rules = append(c.Rules, corsRule{r.Id, r.AllowedHeaders, r.AllowedMethods, r.AllowedOrigins, r.ExposedHeaders, r.MaxAge})
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return xml.Marshal(c)
}

// checkCORS refuses what S3 refuses to keep.
func checkCORS(document []byte) error {
	var c corsRules
	if err := xml.Unmarshal(document, &c); err != nil {
		return &stack.Error{Code: "MalformedXML", Message: "The XML you provided was not well-formed or did not validate against our published schema: " + err.Error()}
	}
	return c.check()
}

// check holds the rules to the documented ones: up to 100, each with a method
// and an origin, one * in each word.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
func (c corsRules) check() error {
	refuse := func(format string, args ...any) error {
		return &stack.Error{Code: "InvalidRequest", Message: fmt.Sprintf(format, args...)}
	}
	if n := len(c.Rules); n == 0 || n > 100 {
		return refuse("a CORS configuration has 1 to 100 rules, not %d", n)
	}
	for _, rule := range c.Rules {
		if len(rule.AllowedMethods) == 0 || len(rule.AllowedOrigins) == 0 {
			return refuse("each CORS rule names allowed methods and allowed origins")
		}
		for _, method := range rule.AllowedMethods {
			if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD"}, method) {
				return refuse("Found unsupported HTTP method in CORS config. Unsupported method is %s", method)
			}
		}
		for _, word := range slices.Concat(rule.AllowedOrigins, rule.AllowedHeaders) {
			if strings.Count(word, "*") > 1 {
				return refuse("%q can not have more than one wildcard.", word)
			}
		}
	}
	return nil
}

// share puts on an answer what lets the page that asks read it, if a rule of the
// bucket is for it, and answers preflights. It reports whether that was one.
// Origins beyond this machine are refused before, by the door.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
func (s *Server) share(w http.ResponseWriter, r *http.Request, bucket string) bool {
	origin, method, preflight := r.Header.Get("Origin"), r.Method, r.Method == http.MethodOptions
	var asked []string
	if preflight {
		method = r.Header.Get("Access-Control-Request-Method")
		asked = strings.FieldsFunc(r.Header.Get("Access-Control-Request-Headers"), func(c rune) bool { return c == ',' || c == ' ' })
		if origin == "" || method == "" {
			writeError(w, r, &stack.Error{Code: "BadRequest", Message: "Insufficient information. Origin and Access-Control-Request-Method headers needed."})
			return true
		}
	}
	if origin == "" {
		return false
	}
	rules := s.corsOf(bucket)
	for _, rule := range rules {
		if rule.answer(w.Header(), origin, method, asked) {
			return preflight
		}
	}
	if preflight {
		why := "This CORS request is not allowed. This is usually because the evaluation of Origin, Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
		if rules == nil {
			why = "CORS is not enabled for this bucket."
		}
		writeError(w, r, &stack.Error{Code: "AccessForbidden", Message: "CORSResponse: " + why, Status: http.StatusForbidden})
	}
	return preflight
}

func (s *Server) corsOf(bucket string) []corsRule {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	b := s.store.buckets[bucket]
	if b == nil || len(b.settings["cors"]) == 0 {
		return nil
	}
	var c corsRules
	if xml.Unmarshal(b.settings["cors"], &c) != nil {
		return nil // it was looked at before it was kept
	}
	return c.Rules
}

// answer writes the headers of a rule, if it is for the request.
func (rule corsRule) answer(h http.Header, origin, method string, asked []string) bool {
	from := slices.IndexFunc(rule.AllowedOrigins, func(allowed string) bool { return wildcard(allowed, origin) })
	if from < 0 || !slices.Contains(rule.AllowedMethods, method) {
		return false
	}
	for _, name := range asked {
		if !slices.ContainsFunc(rule.AllowedHeaders, func(allowed string) bool {
			return wildcard(strings.ToLower(allowed), strings.ToLower(name))
		}) {
			return false
		}
	}
	h.Set("Access-Control-Allow-Origin", "*")
	if rule.AllowedOrigins[from] != "*" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	if len(asked) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(asked, ", ")))
	}
	if len(rule.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
	h.Set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
	return true
}

// wildcard matches a word with at most one * in it.
func wildcard(pattern, word string) bool {
	before, after, any := strings.Cut(pattern, "*")
	if !any {
		return pattern == word
	}
	return len(word) >= len(before)+len(after) && strings.HasPrefix(word, before) && strings.HasSuffix(word, after)
}
