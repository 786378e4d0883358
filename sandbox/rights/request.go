package rights

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxBody bounds what is read of a request: a batch of DynamoDB's, and some more.
const maxBody = 17 << 20

// operationOf is what a request asks for, and what it says. The body can be read
// again.
func operationOf(service string, r *http.Request) (name string, of members) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, name, _ = strings.Cut(target, ".")
		var top map[string]json.RawMessage
		json.Unmarshal(peek(r), &top) // what is no JSON says nothing
		return name, object(top)
	}
	switch service {
	case "s3":
		return s3Operation(r)
	case "lambda":
		return lambdaOperation(r)
	case "scheduler":
		return schedulerOperation(r)
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if r.ParseForm() != nil {
		return "", rest{}
	}
	return r.Form.Get("Action"), form(r.Form)
}

// replayed is a body that was read, with the rest of it.
type replayed struct {
	io.Reader
	io.Closer
}

// peek reads a body, which can be read again; what could not be read is no JSON.
func peek(r *http.Request) []byte {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		return nil
	}
	r.Body = replayed{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	return body
}

// failing is the end of a body that could not be read.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// object is the body of a JSON protocol.
type object map[string]json.RawMessage

func (o object) get(path string) []string {
	if o == nil {
		return nil
	}
	first, after, deeper := strings.Cut(path, ".")
	name, list := strings.CutSuffix(first, "[]")
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil
	}
	if list {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return nil
		}
		var out []string
		for _, item := range items {
			if !deeper {
				out = append(out, plain(item))
			} else {
				var o object
				json.Unmarshal(item, &o) // what is no object has no members
				found := o.get(after)
				if len(found) == 0 {
					found = []string{""} // this one has none
				}
				out = append(out, found...)
			}
		}
		return out
	}
	if !deeper {
		if text := plain(raw); text != "" {
			return []string{text}
		}
		return nil
	}
	var inner object
	if json.Unmarshal(raw, &inner) != nil {
		return nil
	}
	if after == "*" {
		return slices.Sorted(maps.Keys(inner))
	}
	return inner.get(after)
}

// plain is a text as it is, and any other value as JSON.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// form is the body of a Query protocol.
type form url.Values

func (f form) get(path string) []string {
	if name, ok := strings.CutSuffix(path, "[]"); ok {
		var out []string
		for i := 1; ; i++ {
			value := f[name+".member."+strconv.Itoa(i)]
			if len(value) == 0 {
				return out
			}
			out = append(out, value[0])
		}
	}
	if value := f[path]; len(value) > 0 {
		return value[:1]
	}
	return nil
}

// rest is what the path, the query and the headers of a request say.
type rest map[string]string

func (m rest) get(path string) []string {
	if value, ok := m[path]; ok && value != "" {
		return []string{value}
	}
	return nil
}

// lambdaOperation reads a request to Lambda.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
func lambdaOperation(r *http.Request) (string, members) {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(parts) < 2 || parts[1] != "functions" {
		return "", rest{}
	}
	name, what := "", ""
	if len(parts) > 2 {
		name, _ = url.PathUnescape(parts[2]) // what cannot be read is no function
	}
	if len(parts) > 3 {
		what = parts[3]
	}
	of := rest{"FunctionName": name, "Qualifier": r.URL.Query().Get("Qualifier")}
	if strings.Contains(functionName(name), ":") {
		delete(of, "Qualifier") // it has one already
	}
	switch {
	case name == "":
		return "ListFunctions", of
	case what == "" && r.Method == http.MethodGet:
		return "GetFunction", of
	}
	if what == "configuration" && r.Method == http.MethodPut {
		// The role that is handed over stands in the body.
		var in struct{ Role string }
		if json.Unmarshal(peek(r), &in) == nil {
			of["Role"] = in.Role
		}
	}
	return map[string]string{
		"POST invocations": "Invoke", "GET configuration": "GetFunctionConfiguration", "PUT configuration": "UpdateFunctionConfiguration",
		"PUT code": "UpdateFunctionCode", "POST versions": "PublishVersion", "PUT aliases": "UpdateAlias",
		"PUT concurrency": "PutFunctionConcurrency", "DELETE concurrency": "DeleteFunctionConcurrency",
	}[r.Method+" "+what], of
}

// schedulerOperation reads a request to EventBridge Scheduler.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
func schedulerOperation(r *http.Request) (string, members) {
	kind, name, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	of := rest{"Name": name, "GroupName": r.URL.Query().Get("groupName")}
	verb := map[string]string{"POST": "Create", "PUT": "Update", "GET": "Get", "DELETE": "Delete"}[r.Method]
	if name == "" {
		verb = "List"
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		// The group of a schedule that is written stands in the body, and its role.
		var in struct {
			GroupName string
			Target    struct{ RoleArn string }
		}
		if json.Unmarshal(peek(r), &in) == nil {
			of["GroupName"], of["RoleArn"] = in.GroupName, in.Target.RoleArn
		}
	}
	switch kind {
	case "schedules":
		if verb == "List" {
			return "ListSchedules", of
		}
		return verb + "Schedule", of
	case "schedule-groups":
		if verb == "List" {
			return "ListScheduleGroups", of
		}
		return verb + "ScheduleGroup", of
	}
	return "", of
}
