package wire

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// namespaces are the XML namespaces of the Query services.
var namespaces = map[string]string{
	"cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
	"sts":            "https://sts.amazonaws.com/doc/2011-06-15/",
	"iam":            "https://iam.amazonaws.com/doc/2010-05-08/",
}

// query answers a request of a Query protocol.
func (h *Handler) query(w http.ResponseWriter, r *http.Request, service string) {
	form := formOf(r)
	name := form.Get("Action")
	var out any
	var err error
	switch op := h.operations[service][name]; {
	case op != nil:
		out, err = op(r.Context(), form)
	case service == "iam" && h.options.Identities != nil:
		out, err = h.options.Identities.Handle(name, form)
	default:
		err = &stack.Error{Code: "InvalidAction", Message: fmt.Sprintf("the local cloud's %s does not run %q", service, name)}
	}
	if err != nil {
		writeQueryError(w, namespaces[service], err)
		return
	}
	writeQuery(w, service, name, out)
}

// writeQuery prints an answer: its members inside <NameResult>, that inside
// <NameResponse>, with the request's ID beside it.
func writeQuery(w http.ResponseWriter, service, name string, out any) {
	var result strings.Builder
	enc := xml.NewEncoder(&result)
	if err := enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: name + "Result"}}); err != nil {
		writeQueryError(w, namespaces[service], err)
		return
	}
	id := newRequestID()
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", id)
	fmt.Fprintf(w, "%s<%sResponse xmlns=%q>%s<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n",
		xml.Header, name, namespaces[service], result.String(), id, name)
}

func writeQueryError(w http.ResponseWriter, namespace string, err error) {
	var api *stack.Error
	if !errors.As(err, &api) {
		api = &stack.Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	kind := "Sender"
	if api.HTTPStatus() >= 500 {
		kind = "Receiver"
	}
	id := newRequestID()
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", id)
	w.WriteHeader(api.HTTPStatus())
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Namespace string   `xml:"xmlns,attr"`
		Error     struct{ Type, Code, Message string }
		RequestID string `xml:"RequestId"`
	}{Namespace: namespace, Error: struct{ Type, Code, Message string }{kind, api.Code, api.Message}, RequestID: id})
}

// decode fills a request's fields from a form: Name, List.member.1,
// List.member.1.Field. Field names are compared without regard to case, as
// ours write ID where the API writes Id.
func decode(form url.Values, prefix string, into reflect.Value) error {
	switch into.Kind() {
	case reflect.Struct:
		for i := range into.NumField() {
			name := prefix + into.Type().Field(i).Name
			if err := decode(form, name, into.Field(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Slice:
		return decodeList(form, prefix, into)
	}
	value := lookup(form, prefix)
	if value == "" {
		return nil
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(value)
	case reflect.Bool:
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return malformed(prefix, value, "true or false")
		}
		into.SetBool(yes)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return malformed(prefix, value, "a number")
		}
		into.SetInt(int64(n))
	}
	return nil
}

func decodeList(form url.Values, prefix string, into reflect.Value) error {
	for i := 1; ; i++ {
		item := prefix + ".member." + strconv.Itoa(i)
		if !hasPrefix(form, item) {
			return nil
		}
		el := reflect.New(into.Type().Elem()).Elem()
		if el.Kind() == reflect.Struct {
			item += "."
		}
		if err := decode(form, item, el); err != nil {
			return err
		}
		into.Set(reflect.Append(into, el))
	}
}

// hasPrefix reports whether the form has the item itself or a field of it.
func hasPrefix(form url.Values, item string) bool {
	for name := range form {
		if strings.EqualFold(name, item) || len(name) > len(item) && strings.EqualFold(name[:len(item)+1], item+".") {
			return true
		}
	}
	return false
}

func lookup(form url.Values, name string) string {
	if form.Has(name) {
		return form.Get(name)
	}
	for key := range form {
		if strings.EqualFold(key, name) {
			return form.Get(key)
		}
	}
	return ""
}

func malformed(name, value, want string) error {
	return &stack.Error{Code: "MalformedInput", Message: fmt.Sprintf("%s: %q is not %s", name, value, want)}
}
