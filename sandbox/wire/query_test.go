package wire

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"arc/sandbox/stack"
)

func TestDecode(t *testing.T) {
	form, err := url.ParseQuery("StackName=app&Parameters.member.1.ParameterKey=A&Parameters.member.1.ParameterValue=&Parameters.member.2.ParameterKey=B&Parameters.member.2.UsePreviousValue=true&Capabilities.member.1=CAPABILITY_IAM&Tags.member.1.Key=k&Tags.member.1.Value=v&IncludeNestedStacks=true")
	if err != nil {
		t.Fatal(err)
	}
	var got stack.CreateChangeSetInput
	if err := decode(form, "", reflect.ValueOf(&got).Elem()); err != nil {
		t.Fatal(err)
	}
	want := stack.CreateChangeSetInput{
		StackName:    "app",
		Parameters:   []stack.Parameter{{ParameterKey: "A"}, {ParameterKey: "B", UsePreviousValue: true}},
		Capabilities: []string{"CAPABILITY_IAM"}, Tags: []stack.Tag{{Key: "k", Value: "v"}}, IncludeNestedStacks: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("Parameters.member.1.ParameterKey=A&Capabilities.member.1=x&DisableRollback=maybe")
	f.Add("Parameters.member.1=A&Parameters.member.2.=x")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		var in stack.CreateStackInput
		_ = decode(form, "", reflect.ValueOf(&in).Elem()) // must end, and not panic
	})
}
