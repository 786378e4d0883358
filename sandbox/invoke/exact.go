package invoke

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// Exact reads a JSON object into a struct whose fields have json tags, as json.Unmarshal
// does, but for names that differ in case, which are others to AWS: a result with a
// StatusCode has no statusCode.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
func Exact[T any](data []byte, into *T) error {
	err := json.Unmarshal(data, into)
	if err == nil && named(data, reflect.ValueOf(into).Elem()) {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || members == nil {
		return err
	}
	kept := map[string]json.RawMessage{}
	for field := range reflect.TypeFor[T]().Fields() {
		if name := tagged(field); members[name] != nil {
			kept[name] = members[name]
		}
	}
	rest, err := json.Marshal(kept)
	if err != nil {
		return err // of JSON: never fails
	}
	*into = *new(T)
	return json.Unmarshal(rest, into)
}

// named reports whether the names of all fields that have a value are in the data, as they
// are written: else they were found by another.
func named(data []byte, value reflect.Value) bool {
	for i := range value.NumField() {
		if !value.Field(i).IsZero() && !bytes.Contains(data, []byte(`"`+tagged(value.Type().Field(i))+`"`)) {
			return false
		}
	}
	return true
}

// tagged is the name of a field in JSON.
func tagged(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}
