package sam

import (
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
)

// role is the execution role that SAM makes for a function or a state machine
// without one of its own. Its events add to it.
type role struct {
	id         string
	properties object
}

func assumeRole(service string) object {
	return object{"Version": "2012-10-17", "Statement": []any{object{
		"Action": []any{"sts:AssumeRole"}, "Effect": "Allow", "Principal": object{"Service": []any{service}},
	}}}
}

func managedARN(name string) string { return "arn:" + partition + ":iam::aws:policy/" + name }

// executionRole makes a function's role, which useRole puts into the template
// if the function has none.
func (x *expander) executionRole(p object, invokePolicies []any) *role {
	trust := p["AssumeRolePolicyDocument"]
	if trust == nil {
		trust = assumeRole("lambda.amazonaws.com")
	}
	managed := []any{managedARN("service-role/AWSLambdaBasicExecutionRole")}
	if given(p["DurableConfig"]) {
		managed = []any{managedARN("service-role/AWSLambdaBasicDurableExecutionRolePolicy")}
	}
	if x.traced(p) {
		managed = append(managed, managedARN("AWSXrayWriteOnlyAccess"))
	}
	if given(p["VpcConfig"]) {
		managed = append(managed, managedARN("service-role/AWSLambdaVPCAccessExecutionRole"))
	}
	var inline []any
	if dead := asObject(p["DeadLetterQueue"]); len(dead) > 0 {
		action := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[asText(dead["Type"])]
		inline = append(inline, object{"PolicyName": "DeadLetterQueuePolicy", "PolicyDocument": object{
			"Version":   "2012-10-17",
			"Statement": []any{object{"Action": action, "Resource": dead["TargetArn"], "Effect": "Allow"}},
		}})
	}
	inline = append(inline, invokePolicies...)
	r := x.roleWith(trust, p["Policies"], managed, inline)
	set(r.properties, "Path", p["RolePath"])
	set(r.properties, "PermissionsBoundary", p["PermissionsBoundary"])
	r.properties["Tags"] = x.createdBySAM(p["Tags"])
	return r
}

// roleWith makes the role of the resource in hand, with what its Policies say:
// names and ARNs of managed policies, and documents.
func (x *expander) roleWith(trust, policies any, managed, inline []any) *role {
	r := &role{id: x.id + "Role", properties: object{"AssumeRolePolicyDocument": trust}}
	list, ok := policies.([]any)
	if !ok && given(policies) {
		list = []any{policies}
	}
	for i, entry := range list {
		path := "Policies." + strconv.Itoa(i)
		document := func(v any) any {
			return object{"PolicyName": r.id + "Policy" + strconv.Itoa(i), "PolicyDocument": v}
		}
		switch kind := policyKind(entry); kind {
		case "document":
			if args, ok := isIf(entry); ok {
				inline = append(inline, object{"Fn::If": []any{args[0], unlessNoValue(args[1], document), unlessNoValue(args[2], document)}})
				continue
			}
			inline = append(inline, document(entry))
		case "managed":
			arn := entry
			if args, ok := isIf(entry); ok {
				named := func(v any) any {
					if name, ok := v.(string); ok {
						return managedPolicy(name)
					}
					return v
				}
				arn = object{"Fn::If": []any{args[0], named(args[1]), named(args[2])}}
			} else if name, ok := entry.(string); ok {
				arn = managedPolicy(name)
			}
			if !contains(managed, arn) {
				managed = append(managed, arn)
			}
		default:
			x.fail(x.property(path), "write the name or ARN of a policy, a document with Statement, or one of SAM's policy templates", "it is no policy")
		}
	}
	r.properties["ManagedPolicyArns"] = managed
	if len(inline) > 0 {
		r.properties["Policies"] = inline
	}
	return r
}

func unlessNoValue(v any, f func(any) any) any {
	if noValue(v) {
		return v
	}
	return f(v)
}

// policyKind tells what an entry of Policies is: "managed", "document" or "".
func policyKind(v any) string {
	switch v := v.(type) {
	case string:
		return "managed"
	case object:
		if args, ok := isIf(v); ok {
			yes, no := policyKind(args[1]), policyKind(args[2])
			switch {
			case yes == no, noValue(args[2]):
				return yes
			case noValue(args[1]):
				return no
			}
			return ""
		}
		if intrinsic(v) {
			return "managed"
		}
		if v["Statement"] != nil {
			return "document"
		}
	}
	return ""
}

// managedPolicy gives the ARN of a managed policy of AWS's, by name; an ARN, or
// what is no name, as it is.
func managedPolicy(name string) string {
	if strings.HasPrefix(name, "arn:") || strings.ContainsAny(name, ":{}") {
		return name
	}
	return managedARN(cfn.ManagedPolicyPath(name))
}

// useRole gives the function its role, if it has none of its own or only under a
// condition.
func (x *expander) useRole(p, lambda object, r *role, passed object) {
	arn := getAtt(r.id, "Arn")
	if p["Role"] == nil {
		lambda["Role"] = arn
		x.emit(r.id, registry.IAMRole, r.properties, passed)
		return
	}
	args, ok := isIf(x.known(p["Role"]))
	if !ok {
		return
	}
	condition, attributes := asText(args[0]), cloneObject(passed)
	switch {
	case noValue(args[1]) && noValue(args[2]):
		lambda["Role"] = arn
	case noValue(args[1]):
		lambda["Role"] = object{"Fn::If": []any{condition, arn, args[2]}}
		attributes["Condition"] = condition
	case noValue(args[2]):
		lambda["Role"] = object{"Fn::If": []any{condition, args[1], arn}}
		attributes["Condition"] = "NOT" + condition
		x.addCondition("NOT"+condition, object{"Fn::Not": []any{object{"Condition": condition}}})
	default:
		return
	}
	x.emit(r.id, registry.IAMRole, r.properties, attributes)
}

// addManaged attaches a managed policy.
func (r *role) addManaged(arn string) {
	list := asList(r.properties["ManagedPolicyArns"])
	if !contains(list, any(arn)) {
		r.properties["ManagedPolicyArns"] = append(list, arn)
	}
}

// addInline adds a policy, unless one with the same document is there.
func (r *role) addInline(policy any) {
	list := asList(r.properties["Policies"])
	for _, p := range list {
		if same(asObject(p)["PolicyDocument"], asObject(policy)["PolicyDocument"]) {
			return
		}
	}
	r.properties["Policies"] = append(list, policy)
}
