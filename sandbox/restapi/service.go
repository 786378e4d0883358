package restapi

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// Integrations with services of AWS: what the mappings make of the request goes to
// the service as a call in the name of the integration's role.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html
// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (uri)

// backendService is the service in an integration's URI:
// arn:aws:apigateway:REGION:SERVICE:action/NAME or :path/PATH.
type backendService struct {
	name, region, action, path string
}

// serviceIn reads the URI of an integration with a service.
func serviceIn(uri string) (s backendService, err error) {
	parts := strings.SplitN(uri, ":", 6)
	if len(parts) < 6 || parts[2] != "apigateway" {
		return s, fmt.Errorf("%q must be arn:aws:apigateway:REGION:SERVICE:action/NAME or …:path/PATH", uri)
	}
	s.region, s.name = parts[3], parts[4]
	if bucket, host, ok := strings.Cut(s.name, "."); ok && host == "s3" { // a subdomain
		s.name, s.path = "s3", bucket+"/"
	}
	kind, rest, _ := strings.Cut(parts[5], "/")
	switch kind {
	case "action":
		s.action, _, _ = strings.Cut(rest, "&")
	case "path":
		s.path += rest
	default:
		return s, fmt.Errorf("%q must end with :action/NAME or :path/PATH", uri)
	}
	if _, known := ingress.ProtocolOf(s.name); !known {
		return s, fmt.Errorf("integrations with the service %s are not emulated by the local cloud: put a function before it, or leave the method out of the local stack with a Condition", s.name)
	}
	return s, nil
}

// service calls a service and makes an answer of what it says by the integration
// responses, whose patterns are matched with the status.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
func (g *APIs) service(c *call, i *integration) (response, *failure) {
	body, o, failed := c.mapped(i)
	if failed != nil {
		return response{}, failed
	}
	s, err := serviceIn(filled(i.uri, c.stage.variables))
	if err != nil {
		return response{}, misconfigured("%v", err)
	}
	header := c.mappedHeader(i, o)
	r, err := s.request(c, i, o, header, body)
	if err != nil {
		return response{}, unable(http.StatusInternalServerError, "%v", err)
	}
	if err := g.mayCall(c, i); err != nil {
		return response{}, misconfigured("%v", err)
	}
	said := g.options.Call(invoke.Session{
		Role: i.role, Name: ingress.SessionName, For: c.api.arn(c.stage.name + "/" + c.route.verb + c.route.resource.path),
		Called: "API " + c.api.logical, Region: s.region, Service: s.name,
	}, r)
	if said.Status >= 400 {
		c.delay = strings.TrimSpace(fmt.Sprintf("%s answered %d: %.300s %s", s.name, said.Status, bytes.TrimSpace(said.Body), c.delay))
	}
	answered := &backendAnswer{said.Status, said.Header, said.Body}
	if protocol, _ := ingress.ProtocolOf(s.name); protocol.Version != "" {
		answered.asJSON()
	}
	return c.respond(i, strconv.Itoa(said.Status), answered)
}

// mayCall says why the integration's role cannot be taken.
func (g *APIs) mayCall(c *call, i *integration) error {
	if g.options.Call == nil {
		return errors.New("there are no services to call here")
	}
	return g.options.Errand.Ask(context.Background(), invoke.Errand{
		Service: "apigateway.amazonaws.com", Role: i.role, Session: ingress.SessionName, For: c.api.arn(c.stage.name + "/" + c.route.verb + c.route.resource.path), Called: "API " + c.api.logical,
	})
}

// request is the call that the service gets.
func (s backendService) request(c *call, i *integration, o overrides, header http.Header, body string) (*http.Request, error) {
	in := *i
	in.uri = "http://localhost/" + s.path
	target, err := c.address(&in, url.Values{}, o)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", i.uri, err)
	}
	protocol, _ := ingress.ProtocolOf(s.name)
	protocol.Head(header, s.action)
	verb := i.verb
	if verb == "ANY" {
		verb = c.request.Method
	}
	if protocol.Version != "" {
		if body, err = s.form(u, body, protocol.Version); err != nil {
			return nil, err
		}
		verb = http.MethodPost // a GET of a query protocol is its form in the query
	}
	r, err := http.NewRequestWithContext(c.request.Context(), verb, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("integration URI %q: %w", i.uri, err)
	}
	r.Header = header
	return r, nil
}

// form is the body of a query protocol: what the mappings wrote, what is in the query
// string, the action of the URI, and the queue of its path.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
func (s backendService) form(u *url.URL, body, version string) (string, error) {
	form, err := url.ParseQuery(strings.TrimSpace(body))
	if err != nil {
		return "", fmt.Errorf("the call of %s is no form: %w", s.name, err)
	}
	if strings.HasPrefix(strings.TrimSpace(body), "{") {
		form = url.Values{} // a body that no template has made a form of
	}
	for name, values := range u.Query() {
		form[name] = values
	}
	u.RawQuery = ""
	defaults := map[string]string{"Action": s.action, "Version": version}
	if parts := strings.Split(strings.Trim(u.Path, "/"), "/"); s.name == "sqs" && len(parts) == 2 {
		defaults["QueueUrl"] = "https://sqs." + s.region + ".amazonaws.com/" + parts[0] + "/" + parts[1]
	}
	for name, value := range defaults {
		if value != "" && form.Get(name) == "" {
			form.Set(name, value)
		}
	}
	u.Path, u.RawPath = "/", ""
	return form.Encode(), nil
}

// asJSON makes JSON of the XML of a query protocol: API Gateway asks for JSON, and
// those services give it.
func (a *backendAnswer) asJSON() {
	decoder := xml.NewDecoder(bytes.NewReader(a.body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return // no XML: it stays as it is
		}
		root, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		value, err := element(decoder)
		if err != nil {
			return
		}
		fillNulls(value)
		if root.Name.Local != "ErrorResponse" { // which stands for itself: {"Error":…,"RequestId":…}
			value = map[string]any{root.Name.Local: value}
		}
		if text, err := json.Marshal(value); err == nil {
			a.body = text
			a.header = a.header.Clone()
			a.header.Set("Content-Type", "application/json")
		}
		return
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
