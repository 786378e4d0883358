package secretsmanager

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
)

// call runs an operation and gives its answer as JSON, or the error's code.
func call(t *testing.T, s *Store, operation, request string) string {
	t.Helper()
	out, err := s.Handle(t.Context(), operation, []byte(request))
	var api *stack.Error
	if errors.As(err, &api) {
		return api.Code
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSecrets walks a secret through its versions, labels, deletion and return.
func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets")
	log, err := journal.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := New("111111111111", "eu-central-1")
	if err := s.Restore(log); err != nil {
		t.Fatal(err)
	}
	const first, second, third = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333"
	for _, c := range []struct{ operation, request, want string }{
		{"GetSecretValue", `{"SecretId":"shop/key"}`, "ResourceNotFoundException"},
		{"CreateSecret", `{"Name":"sh op"}`, "ValidationException"},
		{"CreateSecret", `{"Name":"shop/key","SecretString":"one","ClientRequestToken":"` + first + `"}`, `"VersionId":"` + first + `"`},
		{"CreateSecret", `{"Name":"shop/key","SecretString":"one","ClientRequestToken":"` + first + `"}`, `"VersionId":"` + first + `"`},
		{"CreateSecret", `{"Name":"shop/key","SecretString":"two"}`, "ResourceExistsException"},
		{"GetSecretValue", `{"SecretId":"shop/key"}`, `"SecretString":"one","VersionStages":["AWSCURRENT"]`},
		{"PutSecretValue", `{"SecretId":"shop/key"}`, "InvalidParameterException"},
		{"PutSecretValue", `{"SecretId":"shop/key","SecretBinary":"AAE=","ClientRequestToken":"` + second + `"}`, `"VersionStages":["AWSCURRENT"]`},
		{"PutSecretValue", `{"SecretId":"shop/key","SecretString":"other","ClientRequestToken":"` + second + `"}`, "ResourceExistsException"},
		{"GetSecretValue", `{"SecretId":"shop/key"}`, `"SecretBinary":"AAE="`},
		{"GetSecretValue", `{"SecretId":"shop/key","VersionStage":"AWSPREVIOUS"}`, `"SecretString":"one"`},
		{"GetSecretValue", `{"SecretId":"shop/key","VersionId":"` + first + `","VersionStage":"AWSCURRENT"}`, "ResourceNotFoundException"},
		{"PutSecretValue", `{"SecretId":"shop/key","SecretString":"three","ClientRequestToken":"` + third + `","VersionStages":["AWSPENDING"]}`, `"VersionStages":["AWSPENDING"]`},
		{"GetSecretValue", `{"SecretId":"shop/key"}`, `"VersionId":"` + second + `"`},
		{"UpdateSecretVersionStage", `{"SecretId":"shop/key","VersionStage":"AWSCURRENT","MoveToVersionId":"` + third + `"}`, "InvalidParameterException"},
		{"UpdateSecretVersionStage", `{"SecretId":"shop/key","VersionStage":"AWSCURRENT","MoveToVersionId":"` + third + `","RemoveFromVersionId":"` + second + `"}`, `"Name":"shop/key"`},
		{"DescribeSecret", `{"SecretId":"shop/key"}`, `"VersionIdsToStages":{"` + second + `":["AWSPREVIOUS"],"` + third + `":["AWSCURRENT","AWSPENDING"]}`},
		{"ListSecretVersionIds", `{"SecretId":"shop/key","IncludeDeprecated":true}`, `"VersionId":"` + first + `"`},
		{"UpdateSecret", `{"SecretId":"shop/key","Description":"d","SecretString":"four"}`, `"VersionId":`},
		{"TagResource", `{"SecretId":"shop/key","Tags":[{"Key":"a","Value":"b"}]}`, `{}`},
		{"ListSecrets", `{"Filters":[{"Key":"name","Values":["SHOP"]}]}`, `"Tags":[{"Key":"a","Value":"b"}]`},
		{"BatchGetSecretValue", `{"SecretIdList":["shop/key","nope"]}`, `"Errors":[{"ErrorCode":"ResourceNotFoundException"`},
		{"DeleteSecret", `{"SecretId":"shop/key","RecoveryWindowInDays":3}`, "InvalidParameterException"},
		{"DeleteSecret", `{"SecretId":"shop/key"}`, `"DeletionDate":`},
		{"GetSecretValue", `{"SecretId":"shop/key"}`, "InvalidRequestException"},
		{"CreateSecret", `{"Name":"shop/key"}`, "InvalidRequestException"},
		{"RestoreSecret", `{"SecretId":"shop/key"}`, `"Name":"shop/key"`},
		{"GetSecretValue", `{"SecretId":"shop/key"}`, `"SecretString":"four"`},
		{"GetRandomPassword", `{"PasswordLength":8,"ExcludePunctuation":true}`, `"RandomPassword":"`},
		{"RotateSecret", `{"SecretId":"shop/key"}`, "UnknownOperationException"},
	} {
		if got := call(t, s, c.operation, c.request); !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %s, want %s", c.operation, c.request, got, c.want)
		}
	}
	end := s.Find("shop/key")
	if !strings.HasPrefix(end, "secret:shop/key-") || s.Find("arn:aws:secretsmanager:eu-central-1:111111111111:"+end) != end || s.Find("shop/key-AbCdEf") != "" {
		t.Errorf("found as %q", end)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	// The next run has it.
	if log, err = journal.Open(file); err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	again := New("111111111111", "eu-central-1")
	if err := again.Restore(log); err != nil {
		t.Fatal(err)
	}
	if got := call(t, again, "GetSecretValue", `{"SecretId":"shop/key"}`); !strings.Contains(got, `"SecretString":"four"`) {
		t.Errorf("after a restart: %s", got)
	}
	if again.Find("shop/key") != end {
		t.Errorf("after a restart it is %s", again.Find("shop/key"))
	}
}

// TestSecretsOfStacks makes secrets with values given and drawn.
func TestSecretsOfStacks(t *testing.T) {
	s := New("111111111111", "eu-central-1")
	types := s.Registrations()
	p, ctx := types["AWS::SecretsManager::Secret"].Provider, context.Background()
	req := stack.Request{LogicalID: "Db", Token: "ABCDEF123456", Properties: map[string]any{"GenerateSecretString": map[string]any{
		"SecretStringTemplate": `{"user":"me"}`, "GenerateStringKey": "password", "PasswordLength": json.Number("12"), "ExcludeCharacters": "\"@/\\",
	}}}
	made, err := p.Create(ctx, req)
	if err != nil || !strings.Contains(made.PhysicalID, ":secret:Db-ABCDEF123456-") {
		t.Fatalf("%+v %v", made, err)
	}
	drawn, err := s.Value(made.PhysicalID, "password", "", "")
	if user, wrong := s.Value(made.PhysicalID, "user", "AWSCURRENT", ""); err != nil || wrong != nil || user != "me" || len(drawn) != 12 || strings.ContainsAny(drawn, "\"@/\\") {
		t.Errorf("%q %v, %q %v", drawn, err, user, wrong)
	}
	// A change of something else draws no other.
	update := req
	update.PhysicalID, update.Old = made.PhysicalID, req.Properties
	update.Properties = map[string]any{"GenerateSecretString": req.Properties["GenerateSecretString"], "Description": "d"}
	if _, err := p.Update(ctx, update); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.Value(made.PhysicalID, "password", "", ""); after != drawn {
		t.Error("a description has changed the value")
	}
	restored := req
	restored.Restored, restored.PhysicalID = true, made.PhysicalID
	if again, err := p.Create(ctx, restored); err != nil || again.PhysicalID != made.PhysicalID {
		t.Errorf("restored: %+v %v", again, err)
	}
	policy := types["AWS::SecretsManager::ResourcePolicy"].Provider
	attached, err := policy.Create(ctx, stack.Request{Properties: map[string]any{"SecretId": made.PhysicalID, "ResourcePolicy": map[string]any{"Statement": []any{}}}})
	if err != nil || len(s.Policies(made.PhysicalID)) != 1 {
		t.Errorf("%+v %v", attached, err)
	}
	if err := policy.Delete(ctx, stack.Request{PhysicalID: attached.PhysicalID}); err != nil || len(s.Policies(made.PhysicalID)) != 0 {
		t.Errorf("its policy stays: %v", err)
	}
	if _, err := p.Create(ctx, stack.Request{Properties: map[string]any{"SecretString": "x", "GenerateSecretString": map[string]any{}}}); err == nil {
		t.Error("two values were taken")
	}
	if err := p.Delete(ctx, stack.Request{PhysicalID: made.PhysicalID}); err != nil || s.Find(made.PhysicalID) != "" {
		t.Errorf("it stays: %v", err)
	}
}
