package rights

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/cfn/iam"
	"arc/cfn/registry"
	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

const (
	account = "111111111111"
	role    = "arn:aws:iam::111111111111:role/app"
	session = "arn:aws:sts::111111111111:assumed-role/app/fn"
)

// guard is one whose role app may do what the statements say.
func guard(tell activity.Tell, statements ...string) *Guard {
	may := Role{ID: "AROAAPP", Identity: []iam.Policy{iam.Read(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)}}
	trust := iam.Read(`{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	may.Trust = &trust
	return New(Options{
		Account: account, Region: "eu-central-1", Partition: "aws", Tell: tell,
		Role: func(arn string) (Role, bool) { return may, arn == role },
		Find: func(service, name string) string {
			return map[string]string{"app": "role/path/app", "shop/key": "secret:shop/key-AbCdEf"}[name]
		},
		PartitionKey: func(table string) string {
			if strings.HasSuffix(table, "Notes") {
				return "id"
			}
			return ""
		},
		Resource: func(service, arn string) []string {
			if strings.HasSuffix(arn, ":open") {
				return []string{`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}}`}
			}
			return nil
		},
		Remedy: func(function, action, resource string) string {
			return "in config.arc, below @uses: tables notes write"
		},
	})
}

// requestOf makes the request that a line of testdata/questions.txt describes.
func requestOf(t testing.TB, service, text string) *http.Request {
	t.Helper()
	first, rest, _ := strings.Cut(text, " ")
	switch {
	case strings.HasPrefix(first, "Action="):
		r := httptest.NewRequest("POST", "http://localhost:2222/", strings.NewReader(first))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	case strings.HasPrefix(rest, "/"):
		path, rest, _ := strings.Cut(rest, " ")
		var body io.Reader
		if strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "<") {
			body = strings.NewReader(rest)
		}
		r := httptest.NewRequest(first, "http://localhost:2222"+path, body)
		if name, value, ok := strings.Cut(rest, "="); ok && body == nil {
			r.Header.Set(name, value)
		}
		return r
	}
	r := httptest.NewRequest("POST", "http://localhost:2222/", strings.NewReader(rest))
	r.Header.Set("X-Amz-Target", "Any_20120810."+first)
	return r
}

// written is a question as testdata/questions.txt has it.
func (g *Guard) written(q question) string {
	context := map[string]string{}
	for _, key := range q.keys {
		if values, known := g.value(q, key[0]); known {
			context[key[0]] = strings.Join(values, ",")
		}
	}
	text := q.action + " " + q.resource
	for _, key := range slices.Sorted(maps.Keys(context)) {
		text += " " + key + "=" + context[key]
	}
	return text
}

// TestQuestions asks nothing that AWS does not ask, of every service's requests.
func TestQuestions(t *testing.T) {
	data, err := os.ReadFile("testdata/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	g := guard(nil)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" || strings.HasPrefix(lines[i], "#") {
			continue
		}
		request := lines[i]
		var want []string
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t") {
			i++
			want = append(want, strings.TrimPrefix(lines[i], "\t"))
		}
		service, text, _ := strings.Cut(request, " ")
		r := requestOf(t, service, text)
		whole, _ := io.ReadAll(requestOf(t, service, text).Body)
		name, of := operationOf(service, r)
		questions, known := g.questions(g.options.Region, service, name, of)
		if !known {
			t.Errorf("%s: the table has no %s", request, name)
		}
		var got []string
		for _, q := range questions {
			got = append(got, g.written(q))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got  %s\n want %s", request, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
		}
		if !strings.HasPrefix(text, "Action=") {
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != string(whole) {
				t.Errorf("%s: the service would read %q, %v", request, body, err)
			}
		}
	}
}

// call sends a request with a key through a guarded service that answers "done".
func call(t testing.TB, g *Guard, key, service, text string) (status int, header http.Header, body string) {
	t.Helper()
	done := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := Of(r.Context())
		fmt.Fprint(w, "done ", c.ARN)
	})
	r := requestOf(t, service, text)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/eu-central-1/"+service+"/aws4_request, SignedHeaders=host, Signature=00")
	w := httptest.NewRecorder()
	g.Wrap(wire.Endpoint{Service: service, Handler: done}).Handler.ServeHTTP(w, r)
	return w.Code, w.Header(), w.Body.String()
}

// A refusal has the form in which the service tells of errors, and AWS's words.
func TestRefusals(t *testing.T) {
	g := guard(nil)
	key := g.Keys.For(Caller{ARN: session, Role: role}).AccessKeyID
	for _, c := range []struct {
		service, request string
		status           int
		header, body     string
	}{
		{"dynamodb", `PutItem {"TableName":"Notes"}`, 400, "com.amazon.coral.service#AccessDeniedException",
			`{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User: ` + session + ` is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-central-1:111111111111:table/Notes because no identity-based policy allows the dynamodb:PutItem action"}`},
		{"sqs", `SendMessage {"QueueUrl":"http://localhost/1/jobs"}`, 403, "com.amazon.coral.service#AccessDeniedException", "sqs:SendMessage on resource: arn:aws:sqs:eu-central-1:111111111111:jobs"},
		{"sqs", "Action=SendMessage&QueueUrl=http://localhost/1/jobs", 403, "", "<Code>AccessDenied</Code>"},
		{"sns", "Action=Publish&TopicArn=arn:aws:sns:eu-central-1:111111111111:news", 403, "", "<Code>AuthorizationError</Code><Message>User: " + session + " is not authorized to perform: sns:Publish"},
		{"s3", "GET /shop/a", 403, "", "<Code>AccessDenied</Code><Message>User: " + session + " is not authorized to perform: s3:GetObject"},
		{"s3", "HEAD /shop/a", 403, "", ""},
		{"lambda", "POST /2015-03-31/functions/f/invocations", 403, "AccessDeniedException", "lambda:InvokeFunction on resource"},
		{"ssm", `GetParameter {"Name":"/a"}`, 400, "AccessDeniedException", "ssm:GetParameter on resource"},
		{"sts", "Action=AssumeRole&RoleArn=" + role + "&RoleSessionName=x", 403, "", "<Code>AccessDenied</Code>"},
	} {
		status, header, body := call(t, g, key, c.service, c.request)
		if status != c.status || header.Get("x-amzn-ErrorType") != c.header || !strings.Contains(body, c.body) || c.body == "" && body != "" {
			t.Errorf("%s %s: %d %q %s", c.service, c.request, status, header.Get("x-amzn-ErrorType"), body)
		}
	}
}

// TestExpired names ended keys as each protocol does.
func TestExpired(t *testing.T) {
	g := guard(nil)
	ended := g.Keys.New(Caller{ARN: session, Role: role, Until: time.Now().Add(-time.Second)}).AccessKeyID
	for _, c := range []struct {
		service, request string
		status           int
		body             string
	}{
		{"s3", "GET /shop/a", 400, "<Code>ExpiredToken</Code>"},
		{"sns", "Action=Publish&TopicArn=arn:aws:sns:eu-central-1:111111111111:news", 403, "<Code>ExpiredToken</Code>"},
		{"dynamodb", `GetItem {"TableName":"Notes"}`, 400, "com.amazon.coral.service#ExpiredTokenException"},
		{"lambda", "POST /2015-03-31/functions/f/invocations", 403, "security token included in the request is expired"},
	} {
		if status, _, body := call(t, g, ended, c.service, c.request); status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %s, want %d %s", c.service, status, body, c.status, c.body)
		}
	}
}

// Who may do what: roles by their policies, the administrator everything.
func TestGuard(t *testing.T) {
	var told []activity.Event
	g := guard(func(e activity.Event) { told = append(told, e) },
		`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","sts:AssumeRole"],"Resource":"*"}`,
		`{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"dynamodb:LeadingKeys":"red"}}}`,
		`{"Effect":"Allow","Action":"logs:CreateLogGroup","Resource":"arn:aws:logs:*:*:log-group:mine:*"}`,
		`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpc":"vpc-1"}}}`,
		`{"Effect":"Allow","Action":"sqs:PurgeQueue","Resource":"*","Condition":{"Null":{"aws:Referer":"true","aws:MultiFactorAuthAge":"true","aws:UserId":"true"},"StringEquals":{"aws:PrincipalType":"AssumedRole","aws:ResourceAccount":"111111111111","aws:RequestedRegion":"eu-central-1"}}}`)
	fn := g.Keys.For(Caller{ARN: session, Role: role, Function: "arn:aws:lambda:eu-central-1:111111111111:function:fn", Name: "@http get /"}).AccessKeyID
	stranger := g.Keys.For(Caller{ARN: "arn:aws:sts::111111111111:assumed-role/gone/fn", Role: role + "gone"}).AccessKeyID
	bound := g.Keys.New(Caller{ARN: session, Role: role, Session: []string{`{"Statement":{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}}`}}).AccessKeyID
	ended := g.Keys.New(Caller{ARN: session, Role: role, Until: time.Now().Add(-time.Second)}).AccessKeyID
	tried := "AKIDTRIED"
	g.Keys.Know(tried, Caller{ARN: "arn:aws:iam::111111111111:user/tried", Policies: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/*"}}`}})
	for _, c := range []struct {
		name, key, service, request string
		status                      int
		says                        string // what the developer is told; "" = nothing new
	}{
		{"the administrator", "AKIDANY", "dynamodb", `DeleteTable {"TableName":"Notes"}`, 200, ""},
		{"allowed", fn, "dynamodb", `GetItem {"TableName":"Notes","Key":{"id":{"S":"x"}}}`, 200, ""},
		{"not allowed", fn, "dynamodb", `DeleteTable {"TableName":"Notes"}`, 400, "below @uses: tables notes write"},
		{"not allowed again", fn, "dynamodb", `DeleteTable {"TableName":"Notes"}`, 400, ""},
		{"the key that is meant", fn, "dynamodb", `PutItem {"TableName":"Notes","Item":{"id":{"S":"red"}}}`, 200, ""},
		{"another key", fn, "dynamodb", `PutItem {"TableName":"Notes","Item":{"id":{"S":"blue"}}}`, 400, "with an explicit deny in an identity-based policy"},
		{"a key nobody knows", fn, "dynamodb", `PutItem {"TableName":"Other","Item":{"id":{"S":"blue"}}}`, 200, "the condition key dynamodb:leadingkeys is not known here: let through"},
		{"a group by its streams", fn, "logs", `CreateLogGroup {"logGroupName":"mine"}`, 200, ""},
		{"a network that is not here", fn, "s3", "GET /shop/a", 200, "the condition key aws:sourcevpc is not known here: let through"},
		{"a queue that lets everybody in", fn, "sqs", `SendMessage {"QueueUrl":"http://localhost/1/open"}`, 200, ""},
		{"what nobody referred to", fn, "sqs", `PurgeQueue {"QueueUrl":"http://localhost/1/shut"}`, 200, ""},
		{"a queue that does not", fn, "sqs", `SendMessage {"QueueUrl":"http://localhost/1/shut"}`, 403, "sqs:SendMessage"},
		{"an operation nobody knows", fn, "dynamodb", "Frobnicate {}", 200, "what POST Frobnicate of dynamodb takes is not known here: let through"},
		{"who one is", fn, "sts", "Action=GetCallerIdentity", 200, ""},
		{"a role that trusts Lambda alone", fn, "sts", "Action=AssumeRole&RoleArn=" + role + "&RoleSessionName=x", 403, "no resource-based policy allows the sts:AssumeRole action"},
		{"a role of elsewhere", stranger, "dynamodb", `GetItem {"TableName":"Notes"}`, 200, "is not one of this cloud: everything is let through"},
		{"a session that may less", bound, "dynamodb", `GetItem {"TableName":"Notes"}`, 400, "no session policy allows"},
		{"a session that has ended", ended, "dynamodb", `GetItem {"TableName":"Notes"}`, 400, ""},
		{"a caller made up", tried, "s3", "GET /tried/b", 200, ""},
		{"what is another's", tried, "s3", "GET /shop/b", 403, "its policy needs"},
		{"what it may not", tried, "dynamodb", `GetItem {"TableName":"Notes"}`, 400, "its policy needs"},
	} {
		told = nil
		status, _, body := call(t, g, c.key, c.service, c.request)
		if status != c.status {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		var said []string
		for _, e := range told {
			said = append(said, e.Text)
		}
		if text := strings.Join(said, "\n"); (c.says == "") != (text == "") || !strings.Contains(text, c.says) {
			t.Errorf("%s: says %q, want %q", c.name, text, c.says)
		}
	}
	g.options.Off = true
	if status, _, body := call(t, g, fn, "dynamodb", `DeleteTable {"TableName":"Notes"}`); status != 200 || body != "done "+session {
		t.Errorf("with rights off: %d %s", status, body)
	}
}

// The statement that the developer is told allows what was asked.
func TestStatementHelps(t *testing.T) {
	q := question{action: "dynamodb:PutItem", resource: "arn:aws:dynamodb:eu-central-1:111111111111:table/Notes"}
	var any any
	if err := json.Unmarshal([]byte(statementFor(q)), &any); err != nil {
		t.Fatal(err)
	}
	g := guard(nil, statementFor(q))
	key := g.Keys.For(Caller{ARN: session, Role: role}).AccessKeyID
	if status, _, body := call(t, g, key, "dynamodb", `PutItem {"TableName":"Notes"}`); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// BenchmarkGuard is what the guard adds to a call of a function whose role is
// like that of an app with ten tables.
func BenchmarkGuard(b *testing.B) {
	var statements []string
	for i := range 10 {
		statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query","dynamodb:Scan"],"Resource":["arn:aws:dynamodb:eu-central-1:111111111111:table/Notes%d","arn:aws:dynamodb:eu-central-1:111111111111:table/Notes%d/index/*"]}`, i, i))
	}
	item := `PutItem {"TableName":"Notes9","Item":{"id":{"S":"red"},"text":{"S":"` + strings.Repeat("x", 1000) + `"}}}`
	g := guard(nil, statements...)
	for name, key := range map[string]string{"asked": g.Keys.For(Caller{ARN: session, Role: role}).AccessKeyID, "administrator": "AKIDANY"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if status, _, body := call(b, g, key, "dynamodb", item); status != 200 {
					b.Fatal(body)
				}
			}
		})
	}
}

// TestHandlers asks what stack operations ask, of the caller or the stack's role.
func TestHandlers(t *testing.T) {
	var told []string
	g := guard(func(e activity.Event) { told = append(told, e.Text) },
		`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:Shop-*"}`, `{"Effect":"Allow","Action":["lambda:*","dynamodb:DescribeTable","s3:CreateBucket","events:*","scheduler:*"],"Resource":"*"}`,
		`{"Effect":"Allow","Action":["iam:CreateRole","iam:UpdateAssumeRolePolicy"],"Resource":"arn:aws:iam::*:role/shop/*"}`,
		`{"Effect":"Allow","Action":"apigateway:POST","Resource":["arn:aws:apigateway:*::/apis","arn:aws:apigateway:*::/restapis/*"]}`,
		`{"Effect":"Allow","Action":"apigateway:PUT","Resource":"arn:aws:apigateway:*::/restapis/*/resources/*"}`,
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":["lambda.amazonaws.com","scheduler.amazonaws.com"]}}}`,
		`{"Effect":"Allow","Action":["ssm:PutParameter","logs:CreateLogGroup"],"Resource":["arn:aws:ssm:*:*:parameter/shop/*","arn:aws:logs:*:*:log-group:/arc/*"]}`)
	caller := With(t.Context(), Caller{ARN: session, Role: role})
	type p = map[string]any
	const other = "arn:aws:iam::111111111111:role/other"
	for _, c := range []struct {
		name, kind, step, physical string
		old, properties            p
		want                       string // "" = it may
		says                       string // of what it may not, if that is asked
	}{
		{"a queue that CloudFormation names", "AWS::SQS::Queue", "Create", "", nil, nil, "", ""},
		{"a queue by a name of its own", "AWS::SQS::Queue", "Create", "", nil, p{"QueueName": "jobs"}, "sqs:CreateQueue on resource: arn:aws:sqs:eu-central-1:111111111111:jobs because", ""},
		{"one that is there", "AWS::SQS::Queue", "Delete", "http://localhost:2222/111111111111/other", nil, nil, "sqs:DeleteQueue on resource: arn:aws:sqs:eu-central-1:111111111111:other because", ""},
		{"a table", "AWS::DynamoDB::Table", "Update", "Shop-Notes", p{"BillingMode": "x"}, p{"BillingMode": "y"}, "dynamodb:UpdateTable on resource: arn:aws:dynamodb:eu-central-1:111111111111:table/Shop-Notes because", ""},
		{"a table's time to live", "AWS::DynamoDB::Table", "Update", "Shop-Notes", nil, p{"TimeToLiveSpecification": p{"Enabled": true}}, "dynamodb:UpdateTimeToLive on", ""},
		{"a table with more, of which the table comes first", "AWS::DynamoDB::Table", "Create", "", nil, p{"TimeToLiveSpecification": p{"Enabled": true}, "Tags": []any{p{}}}, "dynamodb:CreateTable on", ""},
		{"a table of which only the tags change", "AWS::DynamoDB::Table", "Update", "Shop-Notes", nil, p{"Tags": []any{}}, "dynamodb:TagResource on", ""},
		{"a table of which nothing changes", "AWS::DynamoDB::Table", "Update", "Shop-Notes", p{"BillingMode": "x"}, p{"BillingMode": "x"}, "", "to update an AWS::DynamoDB::Table CloudFormation may also ask for\n  dynamodb:DescribeContinuousBackups,"},
		{"what names no resource", "AWS::Lambda::EventSourceMapping", "Create", "", nil, nil, "", ""},
		{"a role in its folder", "AWS::IAM::Role", "Create", "", nil, p{"Path": "/shop/"}, "", "iam:GetRole,\n  iam:GetRolePolicy,"},
		{"a role beside it", "AWS::IAM::Role", "Create", "", nil, nil, "iam:CreateRole on resource: arn:aws:iam::111111111111:role/Shop-It-ABC because", ""},
		{"a role with policies", "AWS::IAM::Role", "Create", "", nil, p{"Path": "/shop/", "Policies": []any{p{}}}, "iam:PutRolePolicy on resource: arn:aws:iam::111111111111:role/shop/Shop-It-ABC because", ""},
		{"a role whose trust changes", "AWS::IAM::Role", "Update", "Shop-It-ABC", p{"Path": "/shop/"}, p{"Path": "/shop/", "AssumeRolePolicyDocument": p{}}, "", ""},
		{"a role that loses its boundary", "AWS::IAM::Role", "Update", "Shop-It-ABC", p{"PermissionsBoundary": other}, p{}, "iam:DeleteRolePermissionsBoundary on", ""},
		{"a function with a role", "AWS::Lambda::Function", "Create", "", nil, p{"Role": other}, "", ""},
		{"a function from a bucket", "AWS::Lambda::Function", "Create", "", nil, p{"Role": other, "Code": p{"S3Bucket": "code", "S3Key": "a.zip"}}, "s3:GetObject on resource: arn:aws:s3:::code/a.zip because", ""},
		{"a schedule with a role", "AWS::Scheduler::Schedule", "Create", "", nil, p{"Target": p{"RoleArn": other}}, "", ""},
		{"a rule with a role", "AWS::Events::Rule", "Create", "", nil, p{"Targets": []any{p{"Id": "a"}, p{"RoleArn": other}}}, "iam:PassRole on resource: " + other + " because no", ""},
		{"a rule without one", "AWS::Events::Rule", "Create", "", nil, p{"Targets": []any{p{"Id": "a"}}}, "", "-"},
		{"an API", "AWS::ApiGatewayV2::Api", "Create", "", nil, nil, "", ""},
		{"its route", "AWS::ApiGatewayV2::Route", "Create", "", nil, p{"ApiId": "a1"}, "apigateway:POST on resource: arn:aws:apigateway:eu-central-1::/apis/a1/routes because", ""},
		{"its deletion", "AWS::ApiGatewayV2::Api", "Delete", "a1", nil, nil, "apigateway:DELETE on resource: arn:aws:apigateway:eu-central-1::/apis/a1 because", ""},
		{"a method that calls in the name of a role", "AWS::ApiGateway::Method", "Create", "", nil, p{"RestApiId": "a1", "ResourceId": "r1", "HttpMethod": "GET", "Integration": p{"Credentials": other}}, "iam:PassRole on resource: " + other + " because no", ""},
		{"one that calls a function as itself", "AWS::ApiGateway::Method", "Create", "", nil, p{"RestApiId": "a1", "ResourceId": "r1", "HttpMethod": "GET", "Integration": p{"Type": "AWS_PROXY"}}, "", ""},
		{"a stage", "AWS::ApiGateway::Stage", "Create", "", nil, p{"RestApiId": "a1", "StageName": "dev"}, "", ""},
		// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html
		{"a stage with what CreateStage does not take", "AWS::ApiGateway::Stage", "Create", "", nil, p{"RestApiId": "a1", "StageName": "dev", "MethodSettings": []any{p{}}}, "apigateway:PATCH on resource: arn:aws:apigateway:eu-central-1::/restapis/a1/stages/dev because", ""},
		{"a deployment that brings a stage", "AWS::ApiGateway::Deployment", "Create", "", nil, p{"RestApiId": "a1", "StageName": "dev", "StageDescription": p{"Variables": p{}}}, "", "to create an AWS::ApiGateway::Deployment CloudFormation may also ask for\n  apigateway:GET,\n  apigateway:PATCH,"},
		{"what API Gateway writes logs by, which is left", "AWS::ApiGateway::Account", "Delete", "x", nil, nil, "", "apigateway:PATCH"},
		{"a parameter in a folder", "AWS::SSM::Parameter", "Create", "", nil, p{"Name": "/shop/key"}, "", ""},
		{"that is there", "AWS::SSM::Parameter", "Update", "/shop/key", nil, p{"Name": "/shop/key", "Value": "x"}, "", ""},
		{"a log group in a folder", "AWS::Logs::LogGroup", "Create", "", nil, p{"LogGroupName": "/arc/it"}, "", ""},
		{"one that keeps lines for a while", "AWS::Logs::LogGroup", "Create", "", nil, p{"LogGroupName": "/arc/it", "RetentionInDays": 1}, "logs:PutRetentionPolicy on", ""},
		{"a distribution", "AWS::CloudFront::Distribution", "Delete", "E1", nil, nil, "cloudfront:DeleteDistribution on resource: arn:aws:cloudfront::111111111111:distribution/E1 because", ""},
		{"a policy of a topic", "AWS::SNS::TopicPolicy", "Create", "", nil, p{"Topics": []any{"arn:aws:sns:eu-central-1:111111111111:news"}}, "sns:SetTopicAttributes on resource: arn:aws:sns:eu-central-1:111111111111:news because", ""},
		{"a topic", "AWS::SNS::Topic", "Delete", "arn:aws:sns:eu-central-1:111111111111:news", nil, nil, "sns:DeleteTopic on resource: arn:aws:sns:eu-central-1:111111111111:news because", ""},
		{"a step that calls nothing", "AWS::S3::Bucket", "Update", "other", nil, nil, "", ""},
		{"a bucket that is encrypted", "AWS::S3::Bucket", "Create", "", nil, p{"BucketEncryption": p{}}, "s3:PutEncryptionConfiguration on resource: arn:aws:s3:::Shop-It-ABC because", ""},
		{"what nobody knows", "AWS::Nobody::Knows", "Create", "", nil, nil, "", ""},
	} {
		g.Forget()
		told = nil
		req := stack.Request{Stack: stack.Ref{Name: "Shop"}, LogicalID: "It", Token: "ABC", Type: c.kind, PhysicalID: c.physical, Old: c.old, Properties: c.properties}
		why := g.MayHandle(caller, c.step, req, "")
		if got := fmt.Sprint(why); (why == nil) != (c.want == "") || why != nil && !strings.Contains(why.Error(), c.want) {
			t.Errorf("%s: %s, want %q", c.name, got, c.want)
		}
		if said := strings.Join(told, "\n"); c.says == "-" && said != "" || c.says != "-" && !strings.Contains(said, c.says) {
			t.Errorf("%s: says %q, want %q", c.name, told, c.says)
		}
		if why := g.MayHandle(t.Context(), c.step, req, ""); why != nil {
			t.Errorf("%s: the administrator: %v", c.name, why)
		}
		// A role that the stack was given stands in for whoever calls.
		if why := g.MayHandle(t.Context(), c.step, req, role); (why == nil) != (c.want == "") || why != nil && !strings.Contains(why.Error(), "assumed-role/app/AWSCloudFormation") {
			t.Errorf("%s: with a role: %v", c.name, why)
		}
	}
}

// Every line of handlers.txt is about an action that AWS's schemas name: those that
// cfn/registry/schemas/handlers.txt was made of, CloudformationSchema.zip, which for
// API Gateway is the copy of 3 August 2026 in https://github.com/pulumi/pulumi-aws-native
// (aws-cloudformation-schema/aws-apigateway-*.json).
func TestHandlersAreAWSs(t *testing.T) {
	for kind, own := range handlers() {
		of, known := registry.HandlerOf(kind)
		if !known && kind != "*" {
			t.Errorf("%s: no handler is known", kind)
		}
		for _, c := range own.calls {
			actions := map[string][]string{"create": of.Create, "update": of.Update, "delete": of.Delete, "any": of.All()}[c.step]
			if actions == nil && kind != "*" {
				t.Errorf("%s: no step %s", kind, c.step)
			}
			used := slices.ContainsFunc(actions, func(action string) bool {
				ok, _ := path.Match(c.action, action)
				return ok
			})
			if !used && kind != "*" {
				t.Errorf("%s %s: AWS's handlers do no %s", kind, c.step, c.action)
			}
		}
	}
}

// TestErrand asks a role whether it trusts the service that goes by it, and whether
// it may what is done in its name.
func TestErrand(t *testing.T) {
	trusting := func(condition string, service ...string) iam.Policy {
		return iam.Read(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":["` + strings.Join(service, `","`) + `"]},"Action":"sts:AssumeRole"` + condition + `}}`)
	}
	const schedule = "arn:aws:scheduler:eu-central-1:111111111111:schedule/night/daily"
	for _, c := range []struct {
		name, partition string
		trust           iam.Policy
		service, of     string
		action          string
		want, says      string // "" = it may
	}{
		{"a service that may", "aws", trusting("", "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "", ""},
		{"what the role lacks", "aws", trusting("", "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:DeleteMessage", "User: arn:aws:sts::111111111111:assumed-role/app/daily is not authorized to perform: sqs:DeleteMessage", `needs {"Effect":"Allow","Action":"sqs:DeleteMessage"`},
		{"a service by its regional name", "aws", trusting("", "scheduler.eu-central-1.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "", ""},
		{"a service by the name of another region", "aws", trusting("", "scheduler.eu-west-1.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "sts:AssumeRole", ""},
		{"another service", "aws", trusting("", "lambda.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "sts:AssumeRole", `"Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}`},
		{"for a group", "aws", trusting(`,"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:scheduler:eu-central-1:111111111111:schedule-group/night"}}`, "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "", ""},
		{"for another group", "aws", trusting(`,"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:scheduler:eu-central-1:111111111111:schedule-group/day"}}`, "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "sts:AssumeRole", ""},
		{"for an account", "aws", trusting(`,"Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"}}`, "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "", ""},
		{"for another account", "aws", trusting(`,"Condition":{"StringEquals":{"aws:SourceAccount":"222222222222"}}`, "scheduler.amazonaws.com"), "scheduler.amazonaws.com", schedule, "sqs:SendMessage", "sts:AssumeRole", ""},
		{"for a function that is not known", "aws", trusting(`,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:*:function:x"}}`, "lambda.amazonaws.com"), "lambda.amazonaws.com", "arn:aws:lambda:eu-central-1:111111111111:function:fn", "sqs:SendMessage", "", "the condition key aws:sourcearn is not known here: let through"},
		{"in China", "aws-cn", trusting("", "lambda.amazonaws.com.cn"), "lambda.amazonaws.com", "arn:aws-cn:lambda:cn-north-1:111111111111:function:fn", "", "", ""},
		{"China's name elsewhere", "aws", trusting("", "lambda.amazonaws.com.cn"), "lambda.amazonaws.com", "arn:aws:lambda:eu-central-1:111111111111:function:fn", "", "sts:AssumeRole", ""},
	} {
		var told []string
		g := guard(func(e activity.Event) { told = append(told, e.Text) }, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`)
		was := g.options.Role
		g.options.Role = func(arn string) (Role, bool) {
			r, ok := was(arn)
			r.Trust = &c.trust
			return r, ok
		}
		g.options.Partition = c.partition
		e := invoke.Errand{Service: c.service, Role: role, Session: "daily", For: c.of, Called: "it", Action: c.action, Resource: "arn:aws:sqs:eu-central-1:111111111111:jobs"}
		why := g.Errand(t.Context(), e)
		if (why == nil) != (c.want == "") || why != nil && (!strings.Contains(why.Error(), c.want) || why.Untrusted != (c.want == "sts:AssumeRole")) {
			t.Errorf("%s: %v, want %q", c.name, why, c.want)
		}
		if said := strings.Join(told, "\n"); !strings.Contains(said, c.says) || c.want == "" && c.says == "" && said != "" {
			t.Errorf("%s: says %q, want %q", c.name, said, c.says)
		}
		before := len(told)
		if lets := g.Lets(e); lets != (c.action != "sqs:DeleteMessage" && c.action != "") || len(told) != before {
			t.Errorf("%s: lets %t, and says %q", c.name, lets, told[before:])
		}
		e.Role = role + "gone"
		if why := g.Errand(t.Context(), e); why != nil || !g.Lets(e) {
			t.Errorf("%s: a role that is not here: %v", c.name, why)
		}
		g.options.Off, e.Role = true, role
		if why := g.Errand(t.Context(), e); why != nil || !g.Lets(e) {
			t.Errorf("%s: with rights off: %v", c.name, why)
		}
	}
}

// TestAssume asks the trust of a role whether somebody may take it, and nothing else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func TestAssume(t *testing.T) {
	const mine = `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`
	for trust, may := range map[string]bool{
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sts:AssumeRole"}`:       true,
		`{"Effect":"Allow","Principal":{"AWS":"` + role + `"},"Action":"sts:AssumeRole"}`:                         true,
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/other"},"Action":"sts:AssumeRole"}`: false,
		`{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`:             false,
	} {
		g := guard(nil, mine)
		policy := iam.Read(`{"Version":"2012-10-17","Statement":` + trust + `}`)
		was := g.options.Role
		g.options.Role = func(arn string) (Role, bool) {
			r, ok := was(arn)
			r.Trust = &policy
			return r, ok
		}
		r := httptest.NewRequest("POST", "http://localhost:2222/", nil)
		if why := g.ask(Caller{ARN: session, Role: role}, question{action: "sts:AssumeRole", resource: role}, r); (why == nil) != may {
			t.Errorf("%s: %v", trust, why)
		}
	}
}

// TestQueryError has SQS's JSON protocol tell the code of its older protocol as well,
// and no other service.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
func TestQueryError(t *testing.T) {
	for target, want := range map[string]string{"sqs AmazonSQS.SendMessage": "AccessDenied;Sender", "sqs ": "", "dynamodb DynamoDB_20120810.GetItem": ""} {
		service, name, _ := strings.Cut(target, " ")
		r := httptest.NewRequest("POST", "http://localhost:2222/", nil)
		r.Header.Set("X-Amz-Target", name)
		w := httptest.NewRecorder()
		if refuse(w, r, service, &Denial{Message: "no rights"}); w.Header().Get("X-Amzn-Query-Error") != want {
			t.Errorf("%s: %v", target, w.Header())
		}
	}
}
