package custom

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
)

// answer is the body of a PUT to a request's URL.
type answer struct {
	body []byte
	long bool
}

// take answers for the bucket of answers, as S3 does for a presigned PUT.
func (d *Desk) take(w http.ResponseWriter, in *http.Request) {
	refuse := func(status int, code, message string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(in.URL.Path, "/"), "/")
	id := key[strings.LastIndexByte(key, '|')+1:]
	d.mu.Lock()
	r := d.waiting[id]
	d.mu.Unlock()
	switch {
	case in.Method != http.MethodPut:
		refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
		return
	case r == nil:
		io.Copy(io.Discard, io.LimitReader(in.Body, 1<<20))
		d.options.Tell.Notice("an answer came for the request %s of a custom resource, for which nothing waits any more: it is dropped, as on AWS", printable(id))
		w.WriteHeader(http.StatusOK)
		return
	case r.key != key || subtle.ConstantTimeCompare([]byte(in.URL.Query().Get("X-Amz-Signature")), []byte(r.sign)) != 1:
		refuse(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
		return
	}
	body, err := io.ReadAll(io.LimitReader(in.Body, maxAnswer+1))
	if err != nil {
		refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
		return
	}
	io.Copy(io.Discard, io.LimitReader(in.Body, 1<<20)) // what is too long was sent all the same
	select {
	case r.answers <- answer{body, len(body) > maxAnswer}:
	default: // only the first counts
	}
	w.Header().Set("ETag", `"00000000000000000000000000000000"`)
	w.WriteHeader(http.StatusOK)
}

// printable is an ID as it may be printed, whoever sent it.
func printable(id string) string {
	if len(id) > 64 {
		id = id[:64]
	}
	return fmt.Sprintf("%q", id)
}

// response is an answer. Its names are read as they are written: a physicalResourceId is
// no PhysicalResourceId.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
type response struct {
	Status             *string         `json:"Status"`
	Reason             json.RawMessage `json:"Reason"`
	PhysicalResourceID string          `json:"PhysicalResourceId"`
	StackID            string          `json:"StackId"`
	RequestID          string          `json:"RequestId"`
	LogicalResourceID  string          `json:"LogicalResourceId"`
	NoEcho             bool            `json:"NoEcho"`
	Data               json.RawMessage `json:"Data"`
}

// reason is why it failed; false = it is no text. null is none, which CloudFormation refuses
// of a success, too: https://github.com/typelevel/feral (lambda-cloudformation-custom-resource)
func (r response) reason() (text string, ok bool) {
	if r.Reason == nil {
		return "", true
	}
	return text, string(r.Reason) != "null" && json.Unmarshal(r.Reason, &text) == nil
}

// resource is what an answer says of the resource. With an error it has its ID, if
// there is one in the answer.
func (a answer) resource(r *request, req stack.Request) (stack.Resource, error) {
	if a.long {
		return stack.Resource{}, errors.New("Response object is too long.") //nolint:staticcheck // CloudFormation's words
	}
	var in response
	if err := invoke.Exact(a.body, &in); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return stack.Resource{}, fmt.Errorf("Invalid Response object: %s must not be a %s", wrong.Field, wrong.Value) //nolint:staticcheck // as CloudFormation begins
		}
		return stack.Resource{}, errors.New("Response is not valid JSON") //nolint:staticcheck // CloudFormation's words
	}
	reason, isText := in.reason()
	if !isText {
		return stack.Resource{}, errors.New("Invalid Response object: Value of property Reason must be of type String") //nolint:staticcheck // CloudFormation's words
	}
	if in.Status == nil {
		return stack.Resource{}, errors.New("Invalid Response object: Status is missing") //nolint:staticcheck // as CloudFormation begins
	}
	if *in.Status != "SUCCESS" && *in.Status != "FAILED" {
		return stack.Resource{}, fmt.Errorf("Invalid Response object: '%s' is not a valid ResponseStatus", *in.Status) //nolint:staticcheck // CloudFormation's words
	}
	for _, copied := range [...]struct{ name, is, asked string }{
		{"StackId", in.StackID, req.Stack.ID}, {"RequestId", in.RequestID, r.id}, {"LogicalResourceId", in.LogicalResourceID, req.LogicalID},
	} {
		if copied.is != copied.asked {
			return stack.Resource{}, fmt.Errorf("Invalid Response object: %s must be copied from the request", copied.name) //nolint:staticcheck // as CloudFormation begins
		}
	}
	if in.PhysicalResourceID == "" || len(in.PhysicalResourceID) > maxID {
		return stack.Resource{}, errors.New("Invalid PhysicalResourceId") //nolint:staticcheck // CloudFormation's words
	}
	made := stack.Resource{PhysicalID: in.PhysicalResourceID, NoEcho: in.NoEcho, Object: r.key}
	if *in.Status == "FAILED" {
		return made, fmt.Errorf("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", reason, r.id) //nolint:staticcheck // CloudFormation's words
	}
	data, err := members(in.Data)
	if err != nil {
		return made, errors.New("Invalid Response object: Data must be an object") //nolint:staticcheck // as CloudFormation begins
	}
	made.Attributes = map[string]any{}
	for name, value := range data {
		if value != nil {
			made.Attributes[name] = value
		}
	}
	return made, nil
}

// members are those of an object, with numbers as they are written; nil and null have none.
func members(object json.RawMessage) (of map[string]any, err error) {
	if object == nil {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	return of, decoder.Decode(&of)
}
