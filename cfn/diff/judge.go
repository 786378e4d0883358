package diff

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"arc/cfn"
)

// judge says what each of a modified resource's differences does, and what
// the resource as a whole comes to.
func judge(c *Change, old, new cfn.ResourceDef) {
	for i, p := range c.Properties {
		if p.Path != "(Stack)" {
			c.Properties[i].Update = cfn.UpdateOf(c.Type, p.Path)
		}
	}
	if exception := exceptionOf(c.Type); exception != nil {
		exception(c, old.Properties, new.Properties)
	}
	settle(c, old, new)
}

// settle draws from the properties what happens to the resource.
func settle(c *Change, old, new cfn.ResourceDef) {
	for _, p := range c.Properties {
		c.Update = max(c.Update, p.Update)
	}
	if c.Update < cfn.MayReplace {
		return
	}
	if c.Refused == "" && c.Update == cfn.Replacement {
		c.Refused = nameTaken(c, old, new)
		if isCustom(c.Type) {
			c.Refused = "CloudFormation gives no custom resource another service token: give it another logical ID"
		}
	}
	moved := home(old) != home(new) // then it leaves one stack, and another makes its own
	kept := cfn.Keeps(old.UpdateReplacePolicy) && cfn.Keeps(new.UpdateReplacePolicy)
	if moved {
		kept = old.OutlivesRemoval()
	}
	if cfn.HoldsData(c.Type) && !kept {
		c.Loss = "its data is deleted with the old one"
		if c.Update == cfn.MayReplace {
			c.Loss = "if it is replaced, its data is deleted with the old one"
		}
	}
}

// lossOfRemoval says which data goes with a resource. A nested stack is only
// asked about when its template is not at hand: then nobody knows.
func lossOfRemoval(old cfn.ResourceDef) string {
	switch {
	case old.OutlivesRemoval():
		return ""
	case old.Type == stackType:
		return "whatever it holds is deleted with it, and its template is not at hand"
	case cfn.HoldsData(old.Type):
		return "its data is deleted with it"
	}
	return ""
}

// retentions are the properties that say how long data is kept. A shorter
// time deletes what is older, as data that ages out is anyway, and no deploy
// asks: a safeguard that goes, not a loss.
var retentions = map[string]struct {
	property, what, unit string
	fallback             int // when the property is absent; 0 = for ever
}{
	"AWS::Logs::LogGroup":  {"RetentionInDays", "events", "days", 0},
	"AWS::SQS::Queue":      {"MessageRetentionPeriod", "messages", "seconds", 345_600},
	"AWS::Kinesis::Stream": {"RetentionPeriodHours", "records", "hours", 24},
}

// shorterRetention says what a change of how long data is kept deletes.
func shorterRetention(typ string, p Property) string {
	r, ok := retentions[typ]
	if !ok || p.Path != r.property || p.Because != "" {
		return ""
	}
	before, okBefore := wholeNumber(p.Before, r.fallback)
	after, okAfter := wholeNumber(p.After, r.fallback)
	if !okBefore || !okAfter || after == 0 || before != 0 && after >= before {
		return ""
	}
	return fmt.Sprintf("%s older than %d %s are deleted", r.what, after, r.unit)
}

func wholeNumber(v any, fallback int) (int, bool) {
	if v == nil {
		return fallback, true
	}
	text, ok := spelled(v)
	n, err := strconv.Atoi(text)
	return n, ok && err == nil
}

// customNames are the properties with which the user names a resource for the
// whole account and region. While one stands, a replacement would need the
// name twice at a time, so CloudFormation refuses it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-customname-updatereplace.html
var customNames = map[string]string{
	"AWS::CloudWatch::Alarm":               "AlarmName",
	"AWS::Cognito::UserPoolDomain":         "Domain",
	"AWS::DynamoDB::GlobalTable":           "TableName",
	"AWS::DynamoDB::Table":                 "TableName",
	"AWS::ECR::Repository":                 "RepositoryName",
	"AWS::ECS::Cluster":                    "ClusterName",
	"AWS::Events::EventBus":                "Name",
	"AWS::IAM::Group":                      "GroupName",
	"AWS::IAM::InstanceProfile":            "InstanceProfileName",
	"AWS::IAM::ManagedPolicy":              "ManagedPolicyName",
	"AWS::IAM::Role":                       "RoleName",
	"AWS::IAM::User":                       "UserName",
	"AWS::KMS::Alias":                      "AliasName",
	"AWS::Kinesis::Stream":                 "Name",
	"AWS::Lambda::Function":                "FunctionName",
	"AWS::Logs::LogGroup":                  "LogGroupName",
	"AWS::RDS::DBCluster":                  "DBClusterIdentifier",
	"AWS::RDS::DBInstance":                 "DBInstanceIdentifier",
	"AWS::S3::Bucket":                      "BucketName",
	"AWS::SNS::Topic":                      "TopicName",
	"AWS::SQS::Queue":                      "QueueName",
	"AWS::SSM::Parameter":                  "Name",
	"AWS::SecretsManager::Secret":          "Name",
	"AWS::StepFunctions::StateMachine":     "StateMachineName",
	"AWS::CloudFront::OriginAccessControl": "OriginAccessControlConfig.Name",
}

// nameTaken says why a replacement cannot be: the resource keeps its name.
func nameTaken(c *Change, old, new cfn.ResourceDef) string {
	property := customNames[c.Type]
	if property == "" || old.Properties[property] == nil || !equal(old.Properties[property], new.Properties[property]) {
		return ""
	}
	return "CloudFormation cannot replace what has a fixed name: change " + property + " as well, or leave it out"
}

// sameNames finds what is removed under one logical ID and added under
// another with the same name: the new one is made first, and its name is taken.
func sameNames(changes []Change, before, after *cfn.Document) {
	removed := map[string]string{}
	key := func(r cfn.ResourceDef) string {
		name := r.Properties[customNames[r.Type]]
		if name == nil {
			return ""
		}
		raw, _ := json.Marshal(name) // read from JSON: cannot fail
		return r.Type + " " + string(raw)
	}
	for _, c := range changes {
		if r := before.Resources[c.LogicalID]; c.Action == Remove && key(r) != "" {
			removed[key(r)] = c.LogicalID
		}
	}
	if len(removed) == 0 {
		return
	}
	for i, c := range changes {
		if c.Action != Add {
			continue
		}
		if id := removed[key(after.Resources[c.LogicalID])]; id != "" {
			changes[i].Refused = "its name is still taken by " + id + ", which CloudFormation removes only afterwards"
		}
	}
}

// under reports whether a property is the named one or below it.
func under(path, name string) bool {
	return path == name || strings.HasPrefix(path, name+".")
}
