package stack

import (
	"fmt"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// lookup gives the present state of a resource; nil when it does not exist.
type lookup func(logicalID string) *resource

// scope answers what intrinsics ask: parameters, pseudo parameters, and
// resources through find. A nil find knows no resource, which is enough for
// conditions.
func (t *template) scope(ref Ref, find lookup, exports func(name string) (any, error)) cfn.Scope {
	conditions := t.decided
	if conditions == nil {
		conditions = t.doc.Conditions
	}
	return cfn.Scope{
		Mappings:   t.doc.Mappings,
		Conditions: conditions,
		Import:     exports,
		Ref: func(name string) (any, error) {
			if v, ok := t.params.values[name]; ok {
				return v, nil
			}
			if v, ok := pseudo(ref, name); ok {
				return v, nil
			}
			if find != nil {
				if r := find(name); r != nil {
					return r.physicalID, nil
				}
			}
			return nil, fmt.Errorf("%s is not known yet", name)
		},
		GetAtt: func(id, attribute string) (any, error) {
			if find != nil {
				if r := find(id); r != nil {
					return r.shownAttribute(attribute, t.discreet)
				}
			}
			return nil, fmt.Errorf("%s is not known yet", id)
		},
	}
}

// masked is the template with its secrets replaced, for whatever is shown.
func (t *template) masked() *template {
	m := *t.tactful()
	if len(t.params.noEcho) == 0 {
		return &m
	}
	m.params.values = map[string]any{}
	for name, v := range t.params.values {
		if t.params.noEcho[name] {
			v = secret
		}
		m.params.values[name] = v
	}
	return &m
}

// tactful is the template with what custom resources keep secret replaced, as it
// is in outputs, which show what NoEcho parameters are.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
func (t *template) tactful() *template {
	m := *t
	m.discreet = true
	return &m
}

// pseudo is the value of a pseudo parameter.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
func pseudo(ref Ref, name string) (any, bool) {
	switch name {
	case "AWS::AccountId":
		return ref.Account, true
	case "AWS::NotificationARNs":
		return []any{}, true
	case "AWS::Partition":
		return Partition(ref.Region), true
	case "AWS::Region":
		return ref.Region, true
	case "AWS::StackId":
		return ref.ID, true
	case "AWS::StackName":
		return ref.Name, true
	case "AWS::URLSuffix":
		if Partition(ref.Region) == "aws-cn" {
			return "amazonaws.com.cn", true
		}
		return "amazonaws.com", true
	}
	return nil, false
}

// Partition is the partition that a region belongs to, as ARNs spell it.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// OtherAttributes names the attribute with which the values of all begin that a
// resource is not known to have: they end with the attribute's name.
const OtherAttributes = "*"

// starred is what stands for an attribute of a custom resource with NoEcho.
const starred = "*****"

// shownAttribute is attribute, or stars where it is secret and is to be shown.
func (r *resource) shownAttribute(name string, discreet bool) (any, error) {
	v, err := r.attribute(name)
	if err == nil && discreet && r.noEcho {
		return starred, nil
	}
	return v, err
}

// attribute finds an attribute by its whole name ("Outputs.Url") or by its
// path through nested maps ("Endpoint.Address").
func (r *resource) attribute(name string) (any, error) {
	if v, ok := r.attributes[name]; ok {
		return v, nil
	}
	if registry.IsCustom(r.kind) { // the keys of its Data are not looked into
		bucket := "cloudformation-custom-resource-storage-" + strings.ReplaceAll(regionOfARN(r.object), "-", "")
		return nil, fmt.Errorf("CustomResource attribute error: Vendor response doesn't contain %s key in object %s in S3 bucket %s", name, r.object, bucket) //nolint:staticcheck // CloudFormation's words
	}
	var at any = r.attributes
	for _, key := range strings.Split(name, ".") {
		m, _ := at.(map[string]any)
		next, ok := m[key]
		if other, given := r.attributes[OtherAttributes].(string); !ok && given {
			return other + name, nil
		}
		if !ok {
			return nil, fmt.Errorf("resource %s (%s) has no attribute %s in the local cloud", r.logicalID, r.kind, name)
		}
		at = next
	}
	return at, nil
}

// ARN is the name of a resource of a service. region and account are "" for
// services that have none in their ARNs; where says which partition it is in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func ARN(where, service, region, account, resource string) string {
	return "arn:" + Partition(where) + ":" + service + ":" + region + ":" + account + ":" + resource
}
