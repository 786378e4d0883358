package sam

import (
	"slices"
	"strconv"
	"strings"

	"arc/cfn/registry"
)

// architectPolicies are the policies that Architect's shared role has, in itself or
// attached, with how the actions begin that ours allows in their place.
var architectPolicies = map[string]string{
	"ArcGlobalPolicy":                    "logs:",
	"ArcStaticBucketPolicy":              "s3:",
	"ArcDynamoPolicy":                    "dynamodb:",
	"ArcSimpleNotificationServicePolicy": "sns:",
	"ArcSimpleQueueServicePolicy":        "sqs:",
	"ArcParameterStorePolicy":            "ssm:",
	"ArcWebSocketPolicy":                 "execute-api:",
}

// roles takes over what was changed in the policies that only the view has: what
// they allow more is a policy more of our role, and one that is gone takes the
// statements of ours along that stand for it. It takes them out of both expansions,
// so that nobody looks for them in ours.
func (c *carrier) roles(before, after, ours object) {
	own := asObject(asObject(ours[sharedRole])["Properties"])
	was, now := asObject(asObject(before[sharedRole])["Properties"]), asObject(asObject(after[sharedRole])["Properties"])
	if was != nil && now != nil {
		for _, p := range asList(was["Policies"]) {
			name := asText(asObject(p)["PolicyName"])
			if architectPolicies[name] == "" {
				continue
			}
			list := asList(now["Policies"])
			at := slices.IndexFunc(list, func(v any) bool { return asObject(v)["PolicyName"] == any(name) })
			if at < 0 {
				c.withoutPolicy(own, ours, name)
				continue
			}
			path := "Resources." + sharedRole + ".Properties.Policies." + strconv.Itoa(at) + ".PolicyDocument"
			c.policyChanged(path, name, own, asObject(asObject(p)["PolicyDocument"]), asObject(asObject(list[at])["PolicyDocument"]))
		}
		for _, p := range []object{was, now} {
			p["Policies"] = slices.DeleteFunc(slices.Clone(asList(p["Policies"])), func(v any) bool {
				return architectPolicies[asText(asObject(v)["PolicyName"])] != ""
			})
		}
	}
	for id, name := range map[string]string{parameterStorePolicy: "ArcParameterStorePolicy", webSocketPolicy: "ArcWebSocketPolicy"} {
		b, a := asObject(before[id]), asObject(after[id])
		delete(before, id)
		if b == nil {
			continue
		}
		delete(after, id)
		if a == nil {
			c.withoutPolicy(own, ours, name)
			continue
		}
		path := "Resources." + id + ".Properties.PolicyDocument"
		bp, ap := cloneObject(asObject(b["Properties"])), cloneObject(asObject(a["Properties"]))
		c.policyChanged(path, name, own, asObject(bp["PolicyDocument"]), asObject(ap["PolicyDocument"]))
		delete(bp, "PolicyDocument")
		delete(ap, "PolicyDocument")
		if !same(bp, ap) {
			c.fail("Resources."+id, "add a policy of your own", "it is arc's to write whose policy this is")
		}
	}
}

// policyChanged adds what a policy of Architect's allows or denies more now to our
// role, as a policy beside it.
func (c *carrier) policyChanged(path, name string, own, before, after object) {
	if same(before, after) {
		return
	}
	if own == nil {
		c.warn(path, "no function of the app has the shared role: give the functions theirs with policies")
		return
	}
	was, now := statementsOf(before), statementsOf(after)
	var more []any
	for _, s := range now {
		if !contains(was, s) {
			more = append(more, clone(s))
		}
	}
	for i, s := range was {
		if !contains(now, s) && len(now) < len(was) {
			c.warn(path+".Statement."+strconv.Itoa(i), "arc's role allows less than this one, and is left as it is")
		}
	}
	if len(more) == 0 {
		return
	}
	policy := object{"PolicyName": name + "Additions", "PolicyDocument": object{"Version": "2012-10-17", "Statement": more}}
	own["Policies"] = append(slices.Clone(asList(own["Policies"])), policy)
}

// bucketPolicy takes over what the policy of the static bucket allows or denies
// more. That Architect's is public, ours is not: who takes it away finds it gone.
func (c *carrier) bucketPolicy(before, after, ours object) {
	b, a := asObject(before[staticBucketPolicy]), asObject(after[staticBucketPolicy])
	if b == nil {
		return
	}
	delete(before, staticBucketPolicy)
	delete(after, staticBucketPolicy)
	if a == nil || same(b, a) {
		return
	}
	path := "Resources." + staticBucketPolicy + ".Properties.PolicyDocument"
	was, now := statementsOf(asObject(asObject(b["Properties"])["PolicyDocument"])), statementsOf(asObject(asObject(a["Properties"])["PolicyDocument"]))
	var more []any
	for i, s := range now {
		if contains(was, s) {
			continue
		}
		more = append(more, clone(s))
		blocked := asObject(asObject(asObject(asObject(after[staticBucket])["Properties"])["PublicAccessBlockConfiguration"]))
		if m := asObject(s); m["Effect"] == any("Allow") && (m["Principal"] == any("*") || same(m["Principal"], object{"AWS": "*"})) && m["Condition"] == nil && blocked["BlockPublicPolicy"] == true {
			c.fail(path+".Statement."+strconv.Itoa(i), "set BlockPublicPolicy and RestrictPublicBuckets of StaticBucket to false as well", "arc's bucket lets nobody in from outside, and S3 refuses the policy")
		}
	}
	if len(more) == 0 {
		return
	}
	r := asObject(ours[staticBucketPolicy])
	if r == nil {
		r = object{"Type": registry.S3BucketPolicy, "Properties": object{"Bucket": ref(staticBucket), "PolicyDocument": object{"Version": "2012-10-17"}}}
		ours[staticBucketPolicy] = r
	}
	document := asObject(asObject(r["Properties"])["PolicyDocument"])
	document["Statement"] = append(slices.Clone(statementsOf(document)), more...)
}

func statementsOf(document object) []any {
	if list, ok := document["Statement"].([]any); ok {
		return list
	}
	if document["Statement"] == nil {
		return nil
	}
	return []any{document["Statement"]}
}

func (c *carrier) warn(path, message string) {
	c.problems = append(c.problems, Problem{Path: path, Message: message, Warning: true})
}

// withoutPolicy takes away what our shared role allows in place of a policy.
func (c *carrier) withoutPolicy(own, ours object, name string) {
	prefix := architectPolicies[name]
	each := func(document object) {
		if document == nil {
			return
		}
		document["Statement"] = slices.DeleteFunc(slices.Clone(statementsOf(document)), func(v any) bool {
			s := asObject(v)
			for _, action := range listOf(s["Action"]) {
				if !strings.HasPrefix(asText(action), prefix) {
					return false
				}
			}
			return name != "ArcStaticBucketPolicy" || mentions(s["Resource"], "StaticBucket")
		})
	}
	for _, p := range asList(own["Policies"]) {
		each(asObject(asObject(p)["PolicyDocument"]))
	}
	own["Policies"] = slices.DeleteFunc(slices.Clone(asList(own["Policies"])), func(v any) bool {
		return len(statementsOf(asObject(asObject(v)["PolicyDocument"]))) == 0
	})
	for _, arn := range asList(own["ManagedPolicyArns"]) {
		if r := asObject(ours[referred(arn)]); asText(r["Type"]) == registry.IAMManagedPolicy {
			each(asObject(asObject(r["Properties"])["PolicyDocument"]))
		}
	}
}

func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func mentions(v any, id string) bool {
	found := false
	eachReference(v, "", func(name, _ string) { found = found || name == id })
	return found
}
