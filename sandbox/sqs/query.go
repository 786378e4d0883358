package sqs

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// query answers the Query protocol: it reads a form as the JSON protocol's
// request, and prints the answer as XML.
type query struct {
	service *Service
	path    string // of the request, which may name the queue
}

// Handle answers an operation.
func (q query) Handle(ctx context.Context, operation string, form url.Values) (any, error) {
	in, err := requestOf(form)
	if err == nil {
		if in["QueueUrl"] == nil && strings.Count(q.path, "/") > 1 {
			in["QueueUrl"] = q.path
		}
		var body []byte
		if body, err = json.Marshal(in); err == nil {
			var out any
			if out, err = q.service.Handle(ctx, operation, body); err == nil {
				return answerOf(operation, out)
			}
		}
	}
	var api *stack.Error
	if errors.As(err, &api) && queryCodes[api.Code] != "" {
		err = &stack.Error{Code: queryCodes[api.Code], Message: api.Message, Status: api.Status}
	}
	return nil, err
}

// numbers are the parameters that are numbers.
var numbers = map[string]bool{"DelaySeconds": true, "MaxNumberOfMessages": true, "VisibilityTimeout": true, "WaitTimeSeconds": true, "MaxResults": true, "MaxNumberOfMessagesPerSecond": true}

// lists are the parameters that are counted, by their names in JSON.
var lists = map[string]string{
	"AttributeName": "AttributeNames", "MessageAttributeName": "MessageAttributeNames", "MessageSystemAttributeName": "MessageSystemAttributeNames", "TagKey": "TagKeys",
	"SendMessageBatchRequestEntry": "Entries", "DeleteMessageBatchRequestEntry": "Entries", "ChangeMessageVisibilityBatchRequestEntry": "Entries",
}

// pairs are those whose items are a name and a value.
var pairs = map[string]string{"Attribute": "Attributes", "MessageAttribute": "MessageAttributes", "MessageSystemAttribute": "MessageSystemAttributes", "Tag": "Tags"}

// requestOf reads a form: Name=value, List.1=value, List.1.Field=value,
// Attribute.1.Name=… with Attribute.1.Value=… or Attribute.1.Value.Field=….
func requestOf(form url.Values) (map[string]any, error) {
	flat := map[string]string{}
	for name := range form {
		flat[name] = form.Get(name)
	}
	return fields(flat)
}

func fields(flat map[string]string) (map[string]any, error) {
	out := map[string]any{}
	nested := map[string]map[int]map[string]string{} // list, number, rest of the name
	for name, text := range flat {
		list, rest, dotted := strings.Cut(name, ".")
		if !dotted {
			if !numbers[name] {
				out[name] = text
			} else if n, err := strconv.Atoi(text); err == nil {
				out[name] = n
			} else if text != "" {
				return nil, value("Value %s for parameter %s is invalid. Reason: Must be a number.", text, name)
			}
			continue
		}
		number, rest, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil || lists[list] == "" && pairs[list] == "" {
			continue // nothing that the API knows
		}
		if nested[list] == nil {
			nested[list] = map[int]map[string]string{}
		}
		if nested[list][n] == nil {
			nested[list][n] = map[string]string{}
		}
		nested[list][n][rest] = text
	}
	for list, items := range nested {
		for _, n := range slices.Sorted(maps.Keys(items)) {
			item := items[n]
			if name := pairs[list]; name != "" {
				m, _ := out[name].(map[string]any)
				if m == nil {
					m = map[string]any{}
					out[name] = m
				}
				m[item["Name"]+item["Key"]] = valueOf(item)
				continue
			}
			all, _ := out[lists[list]].([]any)
			if text, plain := item[""]; plain {
				out[lists[list]] = append(all, text)
				continue
			}
			entry, err := fields(item)
			if err != nil {
				return nil, err
			}
			out[lists[list]] = append(all, entry)
		}
	}
	return out, nil
}

// valueOf is the value of a pair: a text or an attribute.
func valueOf(item map[string]string) any {
	if text, ok := item["Value"]; ok {
		return text
	}
	out := map[string]string{}
	for name, text := range item {
		if field, ok := strings.CutPrefix(name, "Value."); ok {
			out[field] = text
		}
	}
	return out
}

// answer is a result of the JSON protocol that prints itself as XML.
type answer struct {
	operation string
	members   map[string]any
}

func answerOf(operation string, out any) (answer, error) {
	data, err := json.Marshal(out)
	if err != nil {
		return answer{}, err
	}
	a := answer{operation: operation}
	return a, json.Unmarshal(data, &a.members)
}

// elements are the names of a list's or a map's elements in XML.
func (a answer) element(name string) string {
	switch name {
	case "Successful":
		return a.operation + "ResultEntry"
	case "Failed":
		return "BatchResultErrorEntry"
	case "Results":
		return a.operation + "ResultEntry"
	case "queueUrls":
		return "QueueUrl"
	}
	return strings.TrimSuffix(name, "s") // Messages, QueueUrls, Attributes, MessageAttributes, Tags
}

// MarshalXML prints the members.
func (a answer) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := a.print(e, a.members); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

func (a answer) print(e *xml.Encoder, members map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := a.member(e, name, members[name]); err != nil {
			return err
		}
	}
	return nil
}

func (a answer) member(e *xml.Encoder, name string, v any) error {
	within := func(name string, inside func() error) error {
		start := xml.StartElement{Name: xml.Name{Local: name}}
		if err := e.EncodeToken(start); err != nil {
			return err
		}
		if err := inside(); err != nil {
			return err
		}
		return e.EncodeToken(start.End())
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := a.member(e, a.element(name), item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if name != "Attributes" && name != "MessageAttributes" && name != "Tags" {
			return within(name, func() error { return a.print(e, v) })
		}
		key := "Name"
		if name == "Tags" {
			key = "Key"
		}
		for _, item := range slices.Sorted(maps.Keys(v)) {
			err := within(a.element(name), func() error {
				if err := a.member(e, key, item); err != nil {
					return err
				}
				return a.member(e, "Value", v[item])
			})
			if err != nil {
				return err
			}
		}
		return nil
	case float64:
		return e.EncodeElement(strconv.FormatFloat(v, 'f', -1, 64), xml.StartElement{Name: xml.Name{Local: name}})
	}
	return e.EncodeElement(fmt.Sprint(v), xml.StartElement{Name: xml.Name{Local: name}})
}
