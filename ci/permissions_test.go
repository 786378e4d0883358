package ci

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"arc/cfn/registry"
	"arc/deploy"

	"github.com/rogpeppe/go-internal/txtar"
)

// revision is a commit of arc.
const revision = "0123456789abcdef0123456789abcdef01234567"

// shop is the app whose files the tests look at.
func shop() Setup {
	return Setup{
		App: "shopper", Region: "eu-central-1", Repository: Repository{Owner: "acme", OwnerID: "12", Name: "shop", ID: "34"}, Branch: "main",
		Account: "111111111111", Production: "222222222222", Role: "shopper-github",
		Source: "https://example.com/arc", Revision: revision, StagingFiles: "acme-files", Boundary: "shopper-github",
	}
}

func roleNamed(t *testing.T, s Setup, name string) role {
	t.Helper()
	for _, r := range s.roles() {
		if r.name == name {
			return r
		}
	}
	t.Fatalf("no role %s", name)
	return role{}
}

// made is a resource as it is known in AWS: by service, since making one may
// need rights over others.
func made(stack, account string) map[string]map[string]string {
	cut := stack[:min(len(stack), keptOfStack)]
	at := func(service, rest string) string {
		return "arn:aws:" + service + ":eu-central-1:" + account + ":" + rest
	}
	function := at("lambda", "function:"+cut+"-GetIndexHTTPLambda-AbCdEf123456")
	role := "arn:aws:iam::" + account + ":role/arc/" + stack + "/" + cut + "-Role-AbCdEf123456"
	bucket := "arn:aws:s3:::" + strings.ToLower(cut) + "-staticbucket-abcdef123456"
	api := "arn:aws:apigateway:eu-central-1::/apis/a1b2c3"
	front := "arn:aws:cloudfront::" + account + ":"
	return map[string]map[string]string{
		"AWS::ApiGatewayV2::Api":               {"apigateway": api},
		"AWS::ApiGatewayV2::Deployment":        {"apigateway": api + "/deployments/d4e5"},
		"AWS::ApiGatewayV2::Integration":       {"apigateway": api + "/integrations/d4e5"},
		"AWS::ApiGatewayV2::Route":             {"apigateway": api + "/routes/d4e5"},
		"AWS::ApiGatewayV2::Stage":             {"apigateway": api + "/stages/staging"},
		"AWS::CloudFormation::Stack":           {"cloudformation": at("cloudformation", "stack/"+stack+"-TriggersPart-1ABC/0123")},
		"AWS::CloudFront::CachePolicy":         {"cloudfront": front + "cache-policy/E1"},
		"AWS::CloudFront::Distribution":        {"cloudfront": front + "distribution/E1"},
		"AWS::CloudFront::Function":            {"cloudfront": front + "function/" + stack + "-eu-central-1-static"},
		"AWS::CloudFront::OriginAccessControl": {"cloudfront": front + "origin-access-control/E1"},
		"AWS::DynamoDB::Table":                 {"dynamodb": at("dynamodb", "table/"+stack+"-AccountsTable-1ABC")},
		"AWS::IAM::ManagedPolicy":              {"iam": "arn:aws:iam::" + account + ":policy/arc/" + stack + "/" + cut + "-RolePolicy-1ABC", "iam-role": role},
		"AWS::IAM::Role":                       {"iam": role},
		"AWS::Lambda::Alias":                   {"lambda": function},
		"AWS::Lambda::EventSourceMapping":      {"lambda": at("lambda", "event-source-mapping:0123-4567")},
		"AWS::Lambda::Function":                {"lambda": function, "iam": role, "s3": "arn:aws:s3:::shopper-cfn-deployments-a1b2c/0123.zip"},
		"AWS::Lambda::Permission":              {"lambda": function},
		"AWS::Lambda::Version":                 {"lambda": function},
		"AWS::Logs::LogGroup":                  {"logs": at("logs", "log-group:/arc/"+stack+"/GetIndexHTTPLambda")},
		"AWS::S3::Bucket":                      {"s3": bucket},
		"AWS::S3::BucketPolicy":                {"s3": bucket},
		"AWS::SNS::Subscription":               {"sns": at("sns", stack+"-HitEventTopic-1ABC")},
		"AWS::SNS::Topic":                      {"sns": at("sns", stack+"-HitEventTopic-1ABC")},
		"AWS::SQS::Queue":                      {"sqs": at("sqs", cut+"-JobsQueue-1ABC")},
		"AWS::SQS::QueuePolicy":                {"sqs": at("sqs", cut+"-JobsQueue-1ABC")},
		"AWS::SSM::Parameter":                  {"ssm": at("ssm", "parameter/"+stack+"/tables/accounts")},
		"AWS::Scheduler::Schedule":             {"scheduler": at("scheduler", "schedule/default/"+cut+"-DailySchedule-1ABC"), "iam": role},
	}
}

// nameless are actions that IAM asks about without naming a resource.
var nameless = []string{
	"lambda:CreateEventSourceMapping", "logs:DescribeLogGroups", "logs:DescribeIndexPolicies", "logs:DescribeResourcePolicies",
	"cloudfront:CreateDistribution", "cloudfront:CreateDistributionWithTags", "cloudfront:CreateCachePolicy", "cloudfront:CreateOriginAccessControl", "cloudfront:CreateFunction",
}

// handling is what CloudFormation does for the types of arc's templates, less
// testdata/unneeded.txt.
func handling(t *testing.T) map[string][]string {
	t.Helper()
	var unneeded [][3]string
	for _, line := range linesOf(t, "testdata/unneeded.txt") {
		typ, rest, _ := strings.Cut(line, " ")
		action, why, _ := strings.Cut(rest, " ")
		if why == "" {
			t.Fatalf("unneeded.txt: %q says not why", line)
		}
		unneeded = append(unneeded, [3]string{typ, action})
	}
	needed := map[string][]string{}
	used := map[[3]string]bool{}
	for _, typ := range templateTypes(t) {
		handler, ok := registry.HandlerOf(typ)
		if !ok {
			t.Errorf("cfn/registry/schemas/handlers.txt says nothing of %s", typ)
		}
		actions := handler.All()
		slices.Sort(actions)
		for _, action := range slices.Compact(actions) {
			skip := false
			for _, u := range unneeded {
				if glob(u[0], typ) && glob(u[1], action) {
					skip, used[u] = true, true
				}
			}
			if !skip {
				needed[typ] = append(needed[typ], action)
			}
		}
	}
	for _, u := range unneeded {
		if !used[u] {
			t.Errorf("unneeded.txt: nothing is %s %s", u[0], u[1])
		}
	}
	return needed
}

func linesOf(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(data)), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
}

func TestRolesMayDoWhatCloudFormationDoes(t *testing.T) {
	needed := handling(t)
	long := shop()
	long.App = "the-corner-shop-of-acme" // as long as can be told apart
	for _, c := range []struct {
		setup       Setup
		role, stack string
	}{
		{shop(), "preview", "Preview-Shopper-7"},
		{shop(), "staging", "ShopperStaging"},
		{shop(), "production", "ShopperProduction"},
		{long, "staging", "TheCornerShopOfAcmeStaging"},
		{long, "production", "TheCornerShopOfAcmeProduction"},
	} {
		r := roleNamed(t, c.setup, c.role)
		policy := c.setup.permissions(r)
		resources := made(c.stack, c.setup.account(r))
		for typ, actions := range needed {
			if resources[typ] == nil {
				t.Errorf("the test knows no %s", typ)
			}
			for _, action := range actions {
				q := request{action: action, resource: resourceOf(resources, typ, action, c.setup.App), context: circumstances(resources, typ, c.setup.boundary(r))}
				if !policy.allows(q) {
					t.Errorf("%s: %s: %s on %s is denied", c.role, typ, action, q.resource)
				}
			}
		}
	}
}

func resourceOf(resources map[string]map[string]string, typ, action, app string) string {
	service, name, _ := strings.Cut(action, ":")
	switch {
	case slices.Contains(nameless, action):
		return "*"
	case typ == "AWS::IAM::ManagedPolicy" && strings.HasSuffix(name, "RolePolicy"):
		return resources[typ]["iam-role"]
	case typ == "AWS::Lambda::Function" && name == "GetLayerVersion":
		return "arn:aws:lambda:eu-central-1:333333333333:layer:tools:1"
	case typ == "AWS::Lambda::Function" && service == "s3":
		return strings.Replace(resources[typ]["s3"], "shopper-", strings.TrimSuffix(deploy.BucketPrefix(app), "cfn-deployments-"), 1)
	case typ == "AWS::ApiGatewayV2::Api" && name == "POST":
		return "arn:aws:apigateway:eu-central-1::/apis"
	case strings.HasSuffix(name, "agResource") && service == "apigateway":
		return "arn:aws:apigateway:eu-central-1::/tags/arn%3Aaws%3Aapigateway"
	}
	return resources[typ][service]
}

func circumstances(resources map[string]map[string]string, typ, boundary string) map[string]string {
	service := "lambda.amazonaws.com"
	if typ == "AWS::Scheduler::Schedule" {
		service = "scheduler.amazonaws.com"
	}
	return map[string]string{"iam:PassedToService": service, "lambda:FunctionArn": resources["AWS::Lambda::Function"]["lambda"], "iam:PermissionsBoundary": boundary}
}

// What one role makes, the others must not touch, as far as AWS names it.
func TestRolesKeepApart(t *testing.T) {
	needed := handling(t)
	s := shop()
	s.Production = "" // the hard case: one account
	stacks := map[string][]string{"preview": {"Preview-Shopper-7"}, "staging": {"ShopperStaging"}, "production": {"ShopperProduction"}, "plan": {}}
	ids := []string{"apigateway:", "cloudfront:Get", "cloudfront:List", "lambda:GetEventSourceMapping", "lambda:GetLayerVersion", "lambda:TagResource", "lambda:UntagResource", "lambda:ListTags"}
	for name := range stacks {
		r := roleNamed(t, s, name)
		policy := s.permissions(r)
		for other, theirs := range stacks {
			if other == name {
				continue
			}
			for _, stack := range append(theirs, "ShopperStagingPr7", "ShoppingStaging", "Preview-Shopping-7") {
				resources := made(stack, s.account(r))
				for typ, actions := range needed {
					for _, action := range actions {
						q := request{action: action, resource: resourceOf(resources, typ, action, "shopper"), context: circumstances(resources, typ, s.boundary(r))}
						byID := slices.Contains(nameless, action) && action != "lambda:CreateEventSourceMapping" || slices.ContainsFunc(ids, func(p string) bool { return strings.HasPrefix(action, p) }) ||
							strings.HasPrefix(typ, "AWS::CloudFront::") && typ != "AWS::CloudFront::Function"
						zip := typ == "AWS::Lambda::Function" && strings.HasPrefix(action, "s3:")
						seen := typ == "AWS::CloudFormation::Stack" && name == "plan" && stack == "ShopperProduction"
						if !byID && !zip && !seen && policy.allows(q) {
							t.Errorf("%s may %s on %s", name, action, q.resource)
						}
					}
				}
			}
		}
		// What they deploy lies in one bucket, and who may write there writes code.
		for _, key := range []string{"preview/a.zip", "staging/a.zip", "production/a.zip", "a.zip", "stagingx/a.zip"} {
			q := request{action: "s3:PutObject", resource: "arn:aws:s3:::shopper-cfn-deployments-abc12/" + key}
			if mine := !r.reads && strings.HasPrefix(key, r.stage+"/"); policy.allows(q) != mine {
				t.Errorf("%s writes %s: %v", name, key, !mine)
			}
		}
		for _, stack := range []string{"ShopperStaging", "ShopperProduction", "ShopperStagingX", "Other"} {
			q := request{action: "s3:PutObject", resource: "arn:aws:s3:::shopper-cfn-deployments-abc12/" + deploy.RecordKey(stack)}
			if mine := !r.reads && stack == "Shopper"+strings.ToUpper(r.stage[:1])+r.stage[1:]; policy.allows(q) != mine {
				t.Errorf("%s records %s: %v", name, stack, !mine)
			}
		}
		for other, stage := range map[string]string{"preview": "preview", "staging": "staging", "plan": "production", "production": "production"} {
			q := request{action: "ssm:GetParametersByPath", resource: "arn:aws:ssm:eu-central-1:111111111111:parameter/shopper/" + stage}
			if policy.allows(q) != (r.stage == stage && !r.reads) {
				t.Errorf("%s and the variables of %s: %v", name, other, policy.allows(q))
			}
		}
	}
}

// calls are the rights that arc's own calls ask for, where they are not called
// as the call is: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var calls = map[string][]string{
	"HeadBucket": {"s3:ListBucket"}, "HeadObject": {"s3:GetObject"}, "HeadObjectChecksum": {"s3:GetObject"}, "ListObjectsV2": {"s3:ListBucket"}, "ListObjectVersions": {"s3:ListBucketVersions"},
	"DeleteObjects": {"s3:DeleteObject", "s3:DeleteObjectVersion"}, "CreateBucket": {"s3:CreateBucket", "s3:PutBucketOwnershipControls"},
	"PutPublicAccessBlock": {"s3:PutBucketPublicAccessBlock"}, "PutBucketEncryption": {"s3:PutEncryptionConfiguration"},
	// What it changes of a function that was deployed past CloudFormation.
	"Send": {"lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency",
		"lambda:PublishVersion", "lambda:UpdateAlias"},
	"GetCallerIdentity": nil, // nobody needs a right for it
	"ListBuckets":       nil, // arc data's, which is a person's
	// arc status --drift's, likewise.
	"DetectStackDrift": nil, "DescribeStackDriftDetectionStatus": nil, "DescribeStackResourceDrifts": nil,
}

func TestRolesMayDoWhatArcCalls(t *testing.T) {
	s := shop()
	clients := reflect.TypeFor[deploy.Clients]()
	services := map[string]string{"Stacks": "cloudformation", "Objects": "s3", "Uploads": "s3", "Parameters": "ssm", "Identity": "sts", "Functions": "lambda"}
	for field, service := range services {
		f, ok := clients.FieldByName(field)
		if !ok {
			t.Fatalf("deploy.Clients has no %s", field)
		}
		for m := range f.Type.Methods() {
			actions, special := calls[m.Name]
			if !special {
				actions = []string{service + ":" + m.Name}
			}
			for _, r := range s.roles() {
				policy := s.permissions(r)
				for _, action := range actions {
					granted := policy.grants(action)
					changes := !strings.HasPrefix(m.Name, "Get") && !strings.HasPrefix(m.Name, "List") && !strings.HasPrefix(m.Name, "Describe") && !strings.HasPrefix(m.Name, "Head")
					planned := r.reads && (changes || m.Name == "ListObjectVersions" || m.Name == "DescribeChangeSet" || strings.HasPrefix(m.Name, "GetParameter")) ||
						!r.production && m.Name == "DescribeParameters"
					if granted == planned {
						t.Errorf("%s: %s: %v", r.name, action, granted)
					}
				}
			}
		}
	}
	// arc invoke is a person's: no job runs a function, and none may.
	for _, r := range s.roles() {
		if policy := s.permissions(r); policy.grants("lambda:InvokeFunction") {
			t.Errorf("%s may run functions", r.name)
		}
	}
	for i := range clients.NumField() {
		if f := clients.Field(i); f.Type.Kind() == reflect.Interface && services[f.Name] == "" && f.Name != "Invoker" {
			t.Errorf("the test knows nothing of deploy.Clients.%s", f.Name)
		}
	}
}

// grants reports whether the action is allowed on anything.
func (d document) grants(action string) bool {
	return slices.ContainsFunc(d.Statement, func(st statement) bool {
		return st.Effect == "Allow" && slices.ContainsFunc(st.Action, func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(action)) })
	})
}

func TestKeys(t *testing.T) {
	s := shop()
	s.Keys = []string{"arn:aws:kms:eu-central-1:111111111111:key/1234"}
	q := request{action: "kms:CreateGrant", resource: s.Keys[0], context: map[string]string{"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}}
	if !s.permissions(roleNamed(t, s, "staging")).allows(q) {
		t.Error("staging cannot use its tables' key")
	}
	delete(q.context, "kms:ViaService")
	if s.permissions(roleNamed(t, s, "staging")).allows(q) {
		t.Error("staging may use the key for anything")
	}
}

// unlisted are actions that AWS's list of actions lacks, and AWS asks for:
// https://github.com/aws-amplify/amplify-cli/issues/12316
var unlisted = []string{"apigateway:TagResource", "apigateway:UntagResource", "cloudfront:CreateDistributionWithTags"}

// cfn-lint knows every action of AWS's list, and which of them name resources.
func TestPoliciesAreValid(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("cfn-lint is not installed")
		}
		t.Skip("cfn-lint is not installed")
	}
	s := shop()
	s.Keys = []string{"arn:aws:kms:eu-central-1:111111111111:key/1234"}
	resources := map[string]any{}
	for _, r := range s.roles() {
		permissions := s.permissions(r)
		for i, st := range permissions.Statement {
			permissions.Statement[i].Action = slices.DeleteFunc(slices.Clone(st.Action), func(a string) bool { return slices.Contains(unlisted, a) })
		}
		resources[strings.ToUpper(r.name[:1])+r.name[1:]] = map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{
			"AssumeRolePolicyDocument": s.trust(r),
			"Policies":                 []any{map[string]any{"PolicyName": "arc", "PolicyDocument": permissions}},
		}}
		text, err := json.Marshal(s.permissions(r))
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
		if err != nil || len(text) > 10_240 {
			t.Errorf("%s: %d characters, and a role takes 10,240 (%v)", r.name, len(text), err)
		}
	}
	data, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "roles.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(lint, "--regions", "eu-central-1", "--", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// templateTypes are the types that the goldens of arc's own templates have, sorted.
func templateTypes(t *testing.T) []string {
	t.Helper()
	types := map[string]bool{}
	for _, pattern := range []string{"../cfn/testdata/templates/*.txtar", "../cfn/testdata/apps/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				var doc struct {
					Resources map[string]struct{ Type string }
				}
				if path.Ext(f.Name) == ".json" && json.Unmarshal(f.Data, &doc) == nil {
					for _, r := range doc.Resources {
						types[r.Type] = true
					}
				}
			}
		}
	}
	delete(types, "")
	types[registry.CloudFormationStack] = true // of templates that are too large for one
	if len(types) < 15 {
		t.Fatalf("only %d types found: have the goldens moved?", len(types))
	}
	return slices.Sorted(maps.Keys(types))
}
