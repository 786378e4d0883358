package iam

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// Handle answers the operations of IAM that read roles and their policies.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
func (s *Store) Handle(_ context.Context, operation string, form url.Values) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch operation {
	case "ListRoles":
		out := listRoles{}
		for _, name := range slices.Sorted(maps.Keys(s.roles)) {
			out.Roles = append(out.Roles, s.roles[name].shown())
		}
		return out, nil
	case "GetPolicy":
		p := s.policies[form.Get("PolicyArn")]
		if p == nil {
			return nil, missing("Policy %s was not found.", form.Get("PolicyArn"))
		}
		return struct{ Policy shownPolicy }{shownPolicy{p.name, p.id, p.arn, p.path, "v1", p.created}}, nil
	case "GetPolicyVersion":
		p := s.policies[form.Get("PolicyArn")]
		if p == nil {
			return nil, missing("Policy %s was not found.", form.Get("PolicyArn"))
		}
		return struct{ PolicyVersion policyVersion }{policyVersion{escape(p.document), "v1", true, p.created}}, nil
	}
	return s.ofRole(operation, form)
}

func (s *Store) ofRole(operation string, form url.Values) (any, error) {
	answer, known := roleOperations[operation]
	if !known {
		return nil, &stack.Error{Code: "InvalidAction", Message: fmt.Sprintf("the local cloud's IAM does not run %q", operation)}
	}
	r := s.roles[form.Get("RoleName")]
	if r == nil {
		return nil, missing("The role with name %s cannot be found.", form.Get("RoleName"))
	}
	return answer(r, form)
}

var roleOperations = map[string]func(*role, url.Values) (any, error){
	"GetRole": func(r *role, _ url.Values) (any, error) {
		return struct{ Role shownRole }{r.shown()}, nil
	},
	"ListRolePolicies": func(r *role, _ url.Values) (any, error) {
		return struct {
			PolicyNames []string `xml:"PolicyNames>member"`
			IsTruncated bool
		}{slices.Sorted(maps.Keys(r.inline)), false}, nil
	},
	"GetRolePolicy": func(r *role, form url.Values) (any, error) {
		name := form.Get("PolicyName")
		document, ok := r.inline[name]
		if !ok {
			return nil, missing("The role policy with name %s cannot be found.", name)
		}
		return struct{ RoleName, PolicyName, PolicyDocument string }{r.name, name, escape(document)}, nil
	},
	"ListAttachedRolePolicies": func(r *role, _ url.Values) (any, error) {
		out := struct {
			AttachedPolicies []attached `xml:"AttachedPolicies>member"`
			IsTruncated      bool
		}{}
		for _, arn := range r.attached {
			out.AttachedPolicies = append(out.AttachedPolicies, attached{arn[strings.LastIndex(arn, "/")+1:], arn})
		}
		return out, nil
	},
}

type listRoles struct {
	Roles       []shownRole `xml:"Roles>member"`
	IsTruncated bool
}

type shownRole struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int
	PermissionsBoundary      *shownBoundary `xml:",omitempty"`
}

type shownBoundary struct {
	PermissionsBoundaryType, PermissionsBoundaryArn string
}

type shownPolicy struct {
	PolicyName       string
	PolicyID         string `xml:"PolicyId"`
	Arn              string
	Path             string
	DefaultVersionID string `xml:"DefaultVersionId"`
	CreateDate       time.Time
}

type policyVersion struct {
	Document         string
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       time.Time
}

type attached struct {
	PolicyName string
	PolicyArn  string
}

func (r *role) shown() shownRole {
	out := shownRole{r.path, r.name, r.id, r.arn, r.created.Truncate(time.Second), escape(r.trust), r.description, r.maxSession, nil}
	if r.boundary != "" {
		out.PermissionsBoundary = &shownBoundary{"PermissionsBoundaryPolicy", r.boundary}
	}
	return out
}

// escape spells a document as IAM does: percent-encoded after RFC 3986.
func escape(document string) string { return strings.ReplaceAll(url.QueryEscape(document), "+", "%20") }

func missing(format string, args ...any) error {
	return &stack.Error{Code: "NoSuchEntity", Message: fmt.Sprintf(format, args...), Status: http.StatusNotFound}
}
