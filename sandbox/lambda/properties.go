package lambda

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// number is a number that a template may also spell as a string.
type number int

func (n *number) UnmarshalJSON(data []byte) error {
	i, err := strconv.Atoi(strings.Trim(string(data), `"`))
	if err != nil {
		return fmt.Errorf("%s is not a whole number", data)
	}
	*n = number(i)
	return nil
}

// text is a string that a template may also spell as a number or a boolean.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] != '"' {
		if data[0] == '{' || data[0] == '[' || string(data) == "null" {
			return fmt.Errorf("%s is not a string", data)
		}
		*t = text(data)
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// truth is a boolean that a template may also spell as a string.
type truth bool

func (b *truth) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseBool(strings.Trim(string(data), `"`))
	if err != nil {
		return fmt.Errorf("%s is not true or false", data)
	}
	*b = truth(v)
	return nil
}

// decode reads a resource's properties into a struct with a field for each
// that makes a difference here. Those in harmless make none on one machine; any
// other is refused, as CloudFormation refuses what it does not know.
func decode(properties map[string]any, into any, harmless ...string) error {
	rest := maps.Clone(properties)
	for _, name := range harmless {
		delete(rest, name)
	}
	data, err := json.Marshal(rest)
	if err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("properties: %s; the local cloud knows of no more than Lambda's documented ones", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
