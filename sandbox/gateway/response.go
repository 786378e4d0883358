package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/ingress"
	"arc/sandbox/invoke"
)

// response is what a function's result means in HTTP.
type response struct {
	status int
	header http.Header
	body   []byte
}

// result is a function's result with a statusCode, before it is checked.
type result struct {
	StatusCode        json.RawMessage  `json:"statusCode"`
	Headers           map[string]any   `json:"headers"`
	MultiValueHeaders map[string][]any `json:"multiValueHeaders"`
	Cookies           []string         `json:"cookies"`
	Body              *string          `json:"body"`
	IsBase64Encoded   bool             `json:"isBase64Encoded"`
}

const plainText = "text/plain; charset=utf-8"

// response2 reads a result of payload format 2.0. Without a statusCode the
// whole result is the body of a 200 with JSON in it.
func response2(payload []byte) (response, error) {
	payload = bytes.TrimSpace(payload)
	var probe struct {
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if !bytes.HasPrefix(payload, []byte("{")) || invoke.Exact(payload, &probe) == nil && probe.StatusCode == nil {
		inferred := response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: payload}
		var text string
		if json.Unmarshal(payload, &text) == nil && bytes.HasPrefix(payload, []byte(`"`)) {
			inferred.body = []byte(text)
		}
		return inferred, nil
	}
	out, r, err := readResult(payload)
	if err != nil {
		return out, err
	}
	if err := addHeaders(out.header, r.Headers); err != nil {
		return out, err
	}
	for _, cookie := range r.Cookies {
		out.header.Add("Set-Cookie", cookie)
	}
	return out, nil
}

// response1 reads a result of payload format 1.0, which must be an object
// with a statusCode.
func response1(payload []byte) (response, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return response{}, errors.New("with payload format 1.0 a function must return an object with a statusCode")
	}
	out, r, err := readResult(payload)
	if err != nil {
		return out, err
	}
	for _, name := range slices.Sorted(maps.Keys(r.MultiValueHeaders)) {
		for _, value := range r.MultiValueHeaders[name] {
			text, err := headerText(name, value)
			if err != nil {
				return out, err
			}
			out.header.Add(name, text)
		}
	}
	single := http.Header{}
	if err := addHeaders(single, r.Headers); err != nil {
		return out, err
	}
	for name, values := range single {
		if !slices.Contains(out.header[name], values[0]) {
			out.header[name] = append(out.header[name], values...)
		}
	}
	return out, nil
}

// readResult checks the parts that both formats have.
func readResult(payload []byte) (response, result, error) {
	var r result
	out := response{header: http.Header{}}
	if err := invoke.Exact(payload, &r); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return out, r, wrongType(wrong)
		}
		return out, r, fmt.Errorf("the function's result is not JSON: %w", err)
	}
	status, err := strconv.Atoi(string(r.StatusCode))
	if err != nil || status < 200 || status > 599 {
		given := string(r.StatusCode)
		if given == "" {
			given = "missing"
		}
		return out, r, fmt.Errorf("statusCode: got %s, want a whole number from 200 to 599", given)
	}
	out.status = status
	if r.Body != nil {
		out.body = []byte(*r.Body)
	}
	if r.IsBase64Encoded {
		if out.body, err = base64.StdEncoding.DecodeString(string(out.body)); err != nil {
			return out, r, fmt.Errorf("isBase64Encoded is true, but body is not base64: %w", err)
		}
	}
	return out, r, nil
}

func wrongType(err *json.UnmarshalTypeError) error {
	field, _, _ := strings.Cut(err.Field, ".")
	want := map[string]string{
		"body":              "text; pass objects through JSON.stringify, binary as base64 with isBase64Encoded",
		"headers":           "an object of strings",
		"multiValueHeaders": "an object of lists",
		"cookies":           "a list of strings",
		"isBase64Encoded":   "true or false",
	}[field]
	if want == "" {
		return fmt.Errorf("the function's result cannot be read: %w", err)
	}
	return fmt.Errorf("%s: got %s, want %s", field, err.Value, want)
}

func addHeaders(h http.Header, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := headerText(name, values[name])
		if err != nil {
			return err
		}
		h.Set(name, text)
	}
	return nil
}

func headerText(name string, value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("header %s: got a list or an object, want a string", name)
}

// write sends the answer. Headers of the connection are the server's to set;
// cookies keep their Secure, which browsers accept from http://localhost.
func (out response) write(w http.ResponseWriter, r *http.Request) {
	ingress.DropHops(out.header)
	out.header.Del("Date")
	if out.header.Get("Content-Type") == "" {
		out.header.Set("Content-Type", plainText)
	}
	// The length of what a GET would get is for a HEAD's function to know.
	if r.Method != http.MethodHead || len(out.body) > 0 {
		out.header.Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	if out.status == http.StatusNoContent || out.status == http.StatusNotModified {
		out.header.Del("Content-Length")
		out.header.Del("Content-Type")
		out.body = nil
	}
	maps.Copy(w.Header(), out.header)
	w.WriteHeader(out.status)
	w.Write(out.body) // the client's going away is nobody's error
}

// writeMessage answers as API Gateway itself does: {"message":"Not Found"}.
func writeMessage(w http.ResponseWriter, status int, message, reason string) {
	body, _ := json.Marshal(struct { // of strings: never fails
		Message string `json:"message"`
		Reason  string `json:"reason,omitempty"`
	}{message, reason})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
