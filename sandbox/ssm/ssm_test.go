package ssm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"arc/sandbox/stack"
)

func code(err error) string {
	var api *stack.Error
	if errors.As(err, &api) {
		return api.Code
	}
	return ""
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"/app/staging/A_b-c.d": "", "plain": "",
		"": "ValidationException", "/a/": "ValidationException", "a/b": "ValidationException", "/a//b": "ValidationException",
		"/aws/x": "ValidationException", "SSMx": "ValidationException", "/a b": "ValidationException",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16": "ValidationException",
	} {
		_, err := New("123456789012", "us-east-1").Put(Parameter{Name: name, Type: "String", Value: "x"}, false)
		if code(err) != want {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

func TestVersionsAndSecrets(t *testing.T) {
	s := New("123456789012", "us-east-1")
	for i, value := range []string{"one", "two"} {
		if version, err := s.Put(Parameter{Name: "/a/b", Type: "SecureString", Value: value}, true); err != nil || version != int64(i+1) {
			t.Fatal(version, err)
		}
	}
	for name, want := range map[string]string{"/a/b": "two", "/a/b:1": "one", "/a/b:2": "two", "arn:aws:ssm:us-east-1:123456789012:parameter/a/b": "two"} {
		if p, err := s.Get(name); err != nil || p.Value != want {
			t.Errorf("%s: %q %v, want %q", name, p.Value, err, want)
		}
	}
	if _, err := s.Get("/a/b:3"); code(err) != "ParameterVersionNotFound" {
		t.Errorf("a version that is none: %v", err)
	}
	for decrypt, secret := range map[string]bool{"true": true, "false": false} {
		out, err := s.Handle(context.Background(), "GetParametersByPath", []byte(`{"Path":"/a","WithDecryption":`+decrypt+`}`))
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(out)
		if err != nil || strings.Contains(string(text), "two") != secret {
			t.Errorf("decrypted %s: %s %v", decrypt, text, err)
		}
	}
	if _, err := s.Put(Parameter{Name: "/a/b", Value: strings.Repeat("x", 4097)}, true); code(err) != "ValidationException" {
		t.Errorf("a value that is too long: %v", err)
	}
	if _, err := s.Handle(context.Background(), "GetParameters", []byte(`{"Names":["1","2","3","4","5","6","7","8","9","10","11"]}`)); code(err) != "ValidationException" {
		t.Errorf("eleven names: %v", err)
	}
}

func TestProvider(t *testing.T) {
	s := New("123456789012", "us-east-1")
	p := s.Registrations()["AWS::SSM::Parameter"].Provider
	ctx := context.Background()
	if _, err := s.Put(Parameter{Name: "/taken", Type: "String", Value: "mine"}, false); err != nil {
		t.Fatal(err)
	}
	made, err := p.Create(ctx, stack.Request{Properties: map[string]any{"Name": "/taken", "Type": "String", "Value": "x"}})
	if code(err) != "ParameterAlreadyExists" || made.PhysicalID != "" {
		t.Errorf("a name that is taken: %+v %v", made, err)
	}
	if _, err := p.Create(ctx, stack.Request{Properties: map[string]any{"Name": "/secret", "Type": "SecureString", "Value": "x"}}); err == nil {
		t.Error("a SecureString was made by a stack")
	}
	made, err = p.Create(ctx, stack.Request{Stack: stack.Ref{Name: "app"}, LogicalID: "P", Token: "T", Properties: map[string]any{"Type": "String", "Value": "x"}})
	if err != nil || made.PhysicalID != "CFN-app-P-T" || made.Attributes["Value"] != "x" {
		t.Errorf("a nameless one: %+v %v", made, err)
	}
	if err := p.Delete(ctx, stack.Request{PhysicalID: made.PhysicalID}); err != nil || len(s.ByPath("/", true)) != 1 {
		t.Errorf("deleted: %v", err)
	}
}
