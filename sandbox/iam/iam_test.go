package iam

import (
	"strings"
	"testing"

	"arc/sandbox/stack"
)

// A boundary is kept and told, and what IAM would not take is refused.
func TestPermissionsBoundary(t *testing.T) {
	s := New("123456789012", "eu-central-1")
	create := func(boundary string) error {
		_, err := s.createRole(t.Context(), stack.Request{Properties: map[string]any{
			"RoleName": "bound", "Path": "/arc/ShopStaging/", "AssumeRolePolicyDocument": map[string]any{"Version": "2012-10-17"}, "PermissionsBoundary": boundary,
		}})
		return err
	}
	if err := create("shop-staging"); err == nil || !strings.Contains(err.Error(), "ARN shop-staging is not valid") {
		t.Errorf("a name: %v", err)
	}
	const arn = "arn:aws:iam::123456789012:policy/shop-staging"
	if err := create(arn); err != nil {
		t.Fatal(err)
	}
	got := s.roles["bound"].shown()
	if got.PermissionsBoundary == nil || got.PermissionsBoundary.PermissionsBoundaryArn != arn || got.Arn != "arn:aws:iam::123456789012:role/arc/ShopStaging/bound" {
		t.Errorf("%+v", got)
	}
}
