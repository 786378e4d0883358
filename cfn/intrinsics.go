package cfn

import "strings"

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
	b := append([]byte(mark), `{"Fn::GetAtt":[`...)
	b = append(appendQuoted(b, resource), ',')
	b = append(appendQuoted(b, attribute), "]}"...)
	return string(b)
}

// Sub fills in ${Name} and ${Resource.Attribute}. Text that comes from the
// manifest goes through SubText first.
func Sub(text string) string { return marked("Fn::Sub", text) }

// SubText makes text of the manifest's safe inside Sub: it stands there as it
// is.
func SubText(text string) string { return strings.ReplaceAll(text, "${", "${!") }

func marked(function, argument string) string {
	b := make([]byte, 0, len(mark)+len(function)+len(argument)+len(`{"":""}`))
	b = append(append(b, mark...), '{')
	b = append(appendQuoted(b, function), ':')
	b = append(appendQuoted(b, argument), '}')
	return string(b)
}
