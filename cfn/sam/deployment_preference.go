package sam

import (
	"slices"

	"arc/cfn/registry"
)

// Logical IDs of what all functions that are deployed gradually share.
const (
	codeDeployApplication = "ServerlessDeploymentApplication"
	codeDeployRole        = "CodeDeployServiceRole"
)

// gradual is a function whose calls move to a new version step by step.
type gradual struct {
	id         string
	preference object
	condition  any
	tags       any // those that go to what is made for it
}

// deploymentPreference has the alias of a function move by CodeDeploy.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-deploymentpreference.html
func (x *expander) deploymentPreference(p, r object, alias string) {
	preference := cloneObject(asObject(p["DeploymentPreference"]))
	if len(preference) == 0 {
		return
	}
	for _, key := range []string{"Enabled", "Type", "PassthroughCondition"} {
		if preference[key] != nil {
			preference[key] = x.mapped(x.known(preference[key]))
		}
	}
	enabled := preference["Enabled"]
	if enabled != nil && (!given(enabled) || enabled == any("false") || enabled == any("False")) {
		return
	}
	if preference["Type"] == nil {
		x.fail(x.property("DeploymentPreference.Type"), "write how calls move", "the preference has no Type")
	}
	if alias == "" {
		x.fail(x.property("AutoPublishAlias"), "write it", "what is deployed gradually has an alias")
		return
	}
	hooks := asObject(preference["Hooks"])
	update := object{"ApplicationName": ref(codeDeployApplication), "DeploymentGroupName": ref(x.id + "DeploymentGroup")}
	set(update, "BeforeAllowTrafficHook", hooks["PreTraffic"])
	set(update, "AfterAllowTrafficHook", hooks["PostTraffic"])
	asObject(x.made[alias])["UpdatePolicy"] = object{"CodeDeployLambdaAliasUpdate": update}
	g := gradual{id: x.id, preference: preference}
	if through := preference["PassthroughCondition"]; through == true || through == any("true") || through == any("True") {
		g.condition = r["Condition"]
	}
	if p["PropagateTags"] == true && given(p["Tags"]) {
		g.tags = p["Tags"]
	}
	x.gradual = append(x.gradual, g)
}

// codeDeploy makes the application, the role and a group for each function that is
// deployed gradually and was expanded.
func (x *expander) codeDeploy() {
	list := slices.DeleteFunc(slices.Clone(x.gradual), func(g gradual) bool { return isSAM(x.resources[g.id]) })
	if len(list) == 0 {
		return
	}
	var conditions []string
	always, ownRoles := false, true
	tags := object{}
	for _, g := range list {
		if g.condition == nil {
			always = true
		} else {
			conditions = append(conditions, asText(g.condition))
		}
		ownRoles = ownRoles && given(g.preference["Role"])
		for key, v := range asObject(g.tags) {
			tags[key] = v
		}
	}
	shared := object{}
	if slices.Sort(conditions); !always {
		conditions = slices.Compact(conditions)
		shared["Condition"] = conditions[0]
		if len(conditions) > 1 {
			shared["Condition"] = "ServerlessCodeDeployCondition"
			x.anyOf("ServerlessCodeDeployCondition", conditions)
		}
	}
	add := func(id, typ string, properties, attributes object, tags any) {
		if m := asObject(tags); len(m) > 0 {
			properties["Tags"] = tagList(m)
		}
		r := object{"Type": typ, "Properties": properties}
		for key, v := range attributes {
			r[key] = v
		}
		x.resources[id] = r
	}
	add(codeDeployApplication, registry.CodeDeployApplication, object{"ComputePlatform": "Lambda"}, shared, tags)
	if !ownRoles {
		add(codeDeployRole, registry.IAMRole, object{
			"AssumeRolePolicyDocument": assumeRole("codedeploy.amazonaws.com"),
			"ManagedPolicyArns":        []any{managedARN("service-role/AWSCodeDeployRoleForLambda")},
		}, shared, tags)
	}
	for _, g := range list {
		group := object{
			"ApplicationName":           ref(codeDeployApplication),
			"AutoRollbackConfiguration": object{"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"}},
			"DeploymentConfigName":      configName(g.preference["Type"], false),
			"DeploymentStyle":           object{"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
			"ServiceRoleArn":            getAtt(codeDeployRole, "Arn"),
		}
		if given(g.preference["Role"]) {
			group["ServiceRoleArn"] = g.preference["Role"]
		}
		if given(g.preference["TriggerConfigurations"]) {
			group["TriggerConfigurations"] = g.preference["TriggerConfigurations"]
		}
		set(group, "AlarmConfiguration", x.alarms(g))
		attributes := object{}
		set(attributes, "Condition", g.condition)
		add(g.id+"DeploymentGroup", registry.CodeDeployDeploymentGroup, group, attributes, g.tags)
	}
}

// alarms are those that stop a deployment.
func (x *expander) alarms(g gradual) any {
	v := g.preference["Alarms"]
	if !given(v) || noValue(v) {
		return nil
	}
	configuration := func(v any) any {
		list, ok := v.([]any)
		switch {
		case !ok:
			x.fail("Resources."+g.id+".Properties.DeploymentPreference.Alarms", "write a list", "Alarms is no list")
			return nil
		case len(list) == 0 || noValue(list[0]):
			return object{}
		}
		names := make([]any, len(list))
		for i, name := range list {
			names[i] = object{"Name": name}
		}
		return object{"Enabled": true, "Alarms": names}
	}
	if args, ok := isIf(v); ok {
		return object{"Fn::If": []any{args[0], configuration(args[1]), configuration(args[2])}}
	}
	return configuration(v)
}

// configurations are the names of CodeDeploy's own ways that SAM shortens.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html
var configurations = []string{"Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes",
	"Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes", "AllAtOnce"}

// configName writes the whole name of a way to deploy, wherever it stands.
func configName(v any, inSub bool) any {
	switch v := v.(type) {
	case string:
		if !slices.Contains(configurations, v) {
			return v
		}
		call := []any{"CodeDeployDefault.Lambda${ConfigName}", object{"ConfigName": v}}
		if inSub {
			return call
		}
		return object{"Fn::Sub": call}
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = configName(e, false)
		}
		return list
	case object:
		if !intrinsic(v) {
			return v
		}
		m := object{}
		for key, e := range v {
			m[key] = configName(e, key == "Fn::Sub")
		}
		return m
	}
	return v
}
