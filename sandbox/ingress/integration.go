package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/sandbox/invoke"
)

// Service is the service in an integration's URI:
// arn:aws:apigateway:REGION:SERVICE:action/NAME or :path/PATH.
type Service struct {
	Name, Region, Action, Path string
}

// ServiceIn reads the URI of an integration with a service; what the local cloud does
// not run is an error. part is what people leave out without it: a method, or a route.
func ServiceIn(uri, part string) (s Service, err error) {
	parts := strings.SplitN(uri, ":", 6)
	if len(parts) < 6 || parts[2] != "apigateway" {
		return s, fmt.Errorf("%q must be arn:aws:apigateway:REGION:SERVICE:action/NAME or …:path/PATH", uri)
	}
	s.Region, s.Name = parts[3], parts[4]
	if bucket, host, ok := strings.Cut(s.Name, "."); ok && host == "s3" { // a subdomain
		s.Name, s.Path = "s3", bucket+"/"
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "action":
		s.Action, _, _ = strings.Cut(rest, "&")
	case "path":
		s.Path += rest
	default:
		return s, fmt.Errorf("%q must end with :action/NAME or :path/PATH", uri)
	}
	if _, known := protocols[s.Name]; !known {
		return s, fmt.Errorf("integrations with the service %s are not emulated by the local cloud: put a function before it, or leave the %s out of the local stack with a Condition", s.Name, part)
	}
	return s, nil
}

// PlainVariables is a URI with some text in the place of its stage variables.
func PlainVariables(uri string) string { return stageVariable().ReplaceAllString(uri, "x") }

var stageVariable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`) })

// FillVariables is a URI with its stage variables filled in.
func FillVariables(uri string, variables map[string]string) string {
	return stageVariable().ReplaceAllStringFunc(uri, func(found string) string {
		return variables[stageVariable().FindStringSubmatch(found)[1]]
	})
}

// Request is the call that the service gets, of the method, headers and body that the
// integration has for it, and of what goes into its URI: parameters of the query string
// and of the path. The headers become the request's.
func (s Service) Request(ctx context.Context, method string, header http.Header, query url.Values, path map[string]string, body string) (*http.Request, error) {
	u, err := Address("http://localhost/"+s.Path, query, path)
	if err != nil {
		return nil, err
	}
	protocol := protocols[s.Name]
	protocol.Head(header, s.Action)
	if protocol.Version != "" {
		if body, err = s.form(u, body); err != nil {
			return nil, err
		}
		method = http.MethodPost // a GET of a query protocol is its form in the query
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", s.Name, err)
	}
	r.Header = header
	return r, nil
}

// Address is the URL of an integration's URI with its {variables} filled in, and with
// more parameters.
func Address(uri string, query url.Values, path map[string]string) (*url.URL, error) {
	for name, value := range path {
		escaped := (&url.URL{Path: value}).EscapedPath()
		uri = strings.NewReplacer("{"+name+"}", escaped, "{"+name+"+}", escaped).Replace(uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("integration URI %q: no http or https URL", uri)
	}
	if len(query) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query.Encode()
	}
	return u, nil
}

// form is the body of a query protocol: what the mappings wrote, what is in the query
// string, the action of the URI, and the queue of its path.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
func (s Service) form(u *url.URL, body string) (string, error) {
	form, err := url.ParseQuery(strings.TrimSpace(body))
	if err != nil {
		return "", fmt.Errorf("the call of %s is no form: %w", s.Name, err)
	}
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		form = url.Values{} // a body that no template has made a form of
	}
	for name, values := range u.Query() {
		form[name] = values
	}
	u.RawQuery = ""
	defaults := map[string]string{"Action": s.Action, "Version": protocols[s.Name].Version}
	if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); s.Name == "sqs" && len(parts) == 2 {
		defaults["QueueUrl"] = "https://sqs." + s.Region + ".amazonaws.com/" + parts[0] + "/" + parts[1]
	}
	for name, value := range defaults {
		if value != "" && form.Get(name) == "" {
			form.Set(name, value)
		}
	}
	u.Path, u.RawPath = "/", ""
	return form.Encode(), nil
}

// Answer is what a service said as API Gateway has it: of a query protocol the JSON
// that it asks such services for, whose XML is not told on.
func (s Service) Answer(said invoke.Answer) invoke.Answer {
	if protocols[s.Name].Version == "" {
		return said
	}
	decoder := xml.NewDecoder(bytes.NewReader(said.Body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return said // no XML: it stays as it is
		}
		root, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		value, err := element(decoder)
		if err != nil {
			return said
		}
		fillNulls(value)
		if root.Name.Local != "ErrorResponse" { // which stands for itself: {"Error":…,"RequestId":…}
			value = map[string]any{root.Name.Local: value}
		}
		if text, err := json.Marshal(value); err == nil {
			said.Body = text
			said.Header = said.Header.Clone()
			said.Header.Set("Content-Type", "application/json")
		}
		return said
	}
}

// nulls are the members that are null in JSON where XML leaves them out.
var nulls = map[string][]string{
	"SendMessageResult": {"MD5OfMessageAttributes", "MD5OfMessageSystemAttributes", "SequenceNumber"},
	"PublishResult":     {"SequenceNumber"},
}

func fillNulls(answer any) {
	fields, _ := answer.(map[string]any)
	for name, missing := range nulls {
		result, _ := fields[name].(map[string]any)
		for _, member := range missing {
			if _, there := result[member]; result != nil && !there {
				result[member] = nil
			}
		}
	}
}

// element is what stands within an element: its text, or its elements, of which those
// that come twice, and members of lists, are a list.
func element(decoder *xml.Decoder) (any, error) {
	var text strings.Builder
	fields := map[string]any{}
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			value, err := element(decoder)
			if err != nil {
				return nil, err
			}
			name := t.Name.Local
			switch before := fields[name].(type) {
			case nil:
				fields[name] = value
				if name == "member" {
					fields[name] = []any{value}
				}
			case []any:
				fields[name] = append(slices.Clip(before), value)
			default:
				fields[name] = []any{before, value}
			}
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if list, ok := fields["member"]; ok && len(fields) == 1 {
				return list, nil
			}
			if len(fields) > 0 {
				return fields, nil
			}
			return text.String(), nil
		}
	}
}
