package wire

import (
	"context"
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

// Query makes the handler of a service with a Query protocol: a form in, XML of
// a namespace out.
func Query(namespace string, to QueryService) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := formOf(r)
		if err != nil {
			WriteQueryError(w, namespace, err)
			return
		}
		name := form.Get("Action")
		out, err := to.Handle(r.Context(), name, form)
		if err != nil {
			WriteQueryError(w, namespace, err)
			return
		}
		writeQuery(w, namespace, name, out)
	})
}

// Operation answers one operation of a Query service.
type Operation func(ctx context.Context, form url.Values) (any, error)

// Operations is a Query service made of its operations, by name.
type Operations struct {
	Service string
	ByName  map[string]Operation
}

// Handle answers an operation.
func (o Operations) Handle(ctx context.Context, name string, form url.Values) (any, error) {
	if op := o.ByName[name]; op != nil {
		return op(ctx, form)
	}
	return nil, &stack.Error{Code: "InvalidAction", Message: fmt.Sprintf("the local cloud's %s does not run %q", o.Service, name)}
}

// On reads the request that an operation takes out of the form.
func On[In, Out any](do func(context.Context, In) (Out, error)) Operation {
	return func(ctx context.Context, form url.Values) (any, error) {
		var in In
		if err := decode(form, "", reflect.ValueOf(&in).Elem()); err != nil {
			return nil, err
		}
		return do(ctx, in)
	}
}

// writeQuery prints an answer: its members inside <NameResult>, that inside
// <NameResponse>, with the request's ID beside it.
func writeQuery(w http.ResponseWriter, namespace, name string, out any) {
	var result strings.Builder
	enc := xml.NewEncoder(&result)
	if err := enc.EncodeElement(out, xml.StartElement{Name: xml.Name{Local: name + "Result"}}); err != nil {
		WriteQueryError(w, namespace, err)
		return
	}
	id := NewRequestID()
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", id)
	fmt.Fprintf(w, "%s<%sResponse xmlns=%q>%s<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n",
		xml.Header, name, namespace, result.String(), id, name)
}

// WriteQueryError prints an error of a Query protocol: a *stack.Error as what it
// says, any other as a failure of the service.
func WriteQueryError(w http.ResponseWriter, namespace string, err error) {
	var api *stack.Error
	if !errors.As(err, &api) {
		api = &stack.Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	kind := "Sender"
	if api.HTTPStatus() >= 500 {
		kind = "Receiver"
	}
	id := NewRequestID()
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
// List.member.1.Field, Map.entry.1.key. Field names are compared without regard to case, as
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
	case reflect.Map:
		return decodeMap(form, prefix, into)
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

// decodeMap reads Map.entry.1.key with Map.entry.1.value, or its Name and Value.
func decodeMap(form url.Values, prefix string, into reflect.Value) error {
	for i := 1; ; i++ {
		item := prefix + ".entry." + strconv.Itoa(i)
		if !hasPrefix(form, item) {
			return nil
		}
		key := lookup(form, item+".key")
		if key == "" {
			key = lookup(form, item+".Name")
		}
		el := reflect.New(into.Type().Elem()).Elem()
		value := item + ".value"
		if el.Kind() == reflect.Struct {
			value += "."
		}
		if err := decode(form, value, el); err != nil {
			return err
		}
		if into.IsNil() {
			into.Set(reflect.MakeMap(into.Type()))
		}
		into.SetMapIndex(reflect.ValueOf(key), el)
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
