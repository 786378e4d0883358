package cfn

import (
	"bytes"
	"encoding/json"
	"strings"
)

// mark starts a string that stands for an intrinsic; the intrinsic's JSON
// follows. goformation's fields are plain strings, so an intrinsic has to
// travel as one; a manifest cannot hold the mark (Compile refuses it), so no
// value of a user's can turn into an intrinsic.
const mark = "\x00cfn:"

// Ref refers to a parameter, a pseudo parameter such as AWS::Region, or a
// resource.
func Ref(name string) string { return marked("Ref", name) }

// GetAtt is an attribute of a resource.
func GetAtt(resource, attribute string) string {
	return marked("Fn::GetAtt", []string{resource, attribute})
}

// Sub fills in ${Name} and ${Resource.Attribute}. Text that comes from the
// manifest goes through SubText first.
func Sub(text string) string { return marked("Fn::Sub", text) }

// SubText makes text of the manifest's safe inside Sub: it stands there as it
// is.
func SubText(text string) string { return strings.ReplaceAll(text, "${", "${!") }

// Join puts values together, marked or plain ones, with sep between them.
func Join(sep string, values ...string) string {
	return marked("Fn::Join", []any{sep, values})
}

func marked(function string, argument any) string {
	return mark + string(encode(map[string]any{function: argument}))
}

// encode is json.Marshal without HTML escapes. It is given strings, lists and
// maps of them only, which cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
