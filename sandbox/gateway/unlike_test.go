package gateway_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"arc/sandbox/gateway"
)

// TestUnlike makes resources of which API Gateway makes more than the local cloud: the
// event and the log say so, and nothing of those that ask for nothing more.
func TestUnlike(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	ws := props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
	c.create("Api", "W", ws)
	c.create("Route", "R", props{"ApiId": c.ids["W"], "RouteKey": "r"})
	for n, test := range []struct {
		kind       string
		properties props
		says       string // "" = nothing
	}{
		{"Api", merged(ws, props{"DisableExecuteApiEndpoint": true}), "DisableExecuteApiEndpoint: deployed, the API answers to its domain names alone"},
		{"Api", merged(ws, props{"DisableExecuteApiEndpoint": false}), ""},
		{"Api", props{"Body": props{"info": props{"title": "x"}, "paths": props{}, "x-amazon-apigateway-endpoint-configuration": props{"disableExecuteApiEndpoint": true}}}, "DisableExecuteApiEndpoint: deployed"},
		{"Stage", props{"AccessLogSettings": props{"DestinationArn": "arn:l", "Format": "$context.requestId"}}, "writes no access log"},
		{"Stage", props{"DefaultRouteSettings": props{"ThrottlingBurstLimit": json.Number("5")}}, "throttling limits are not applied"},
		{"Stage", props{"RouteSettings": props{"r": props{"ThrottlingRateLimit": json.Number("0.5")}}}, "throttling limits are not applied"},
		{"Stage", props{"DefaultRouteSettings": props{"LoggingLevel": "INFO"}}, "no execution logs"},
		{"Stage", props{"DefaultRouteSettings": props{"DataTraceEnabled": true}}, "no execution logs"},
		{"Stage", props{"RouteSettings": props{"r": props{"DetailedMetricsEnabled": "true"}}}, "no execution logs"},
		{"Stage", props{"DefaultRouteSettings": props{"LoggingLevel": "OFF", "DataTraceEnabled": false}}, ""},
		{"Stage", props{}, ""},
		{"DomainName", props{"DomainName": "a.example", "MutualTlsAuthentication": props{"TruststoreUri": "s3://a/b"}}, "clients are asked for no certificate"},
		{"DomainName", props{"DomainName": "b.example", "RoutingMode": "ROUTING_RULE_ONLY"}, "RoutingMode ROUTING_RULE_ONLY: the local cloud has no routing rules"},
		{"DomainName", props{"DomainName": "c.example", "RoutingMode": "API_MAPPING_ONLY"}, ""},
	} {
		id := fmt.Sprint("X", n)
		if test.kind == "Stage" {
			test.properties["ApiId"], test.properties["StageName"], test.properties["AutoDeploy"] = c.ids["W"], id, true
		}
		note := c.create(test.kind, id, test.properties).Note
		told := ""
		for line := range strings.SplitSeq(c.log(), "\n") {
			if rest, ok := strings.CutPrefix(line, test.kind+" "+id+": "); ok {
				told = rest
			}
		}
		if !strings.Contains(told, test.says) || (told == "") != (test.says == "") || !strings.Contains(note, told) {
			t.Errorf("%s %v: told %q, the event says %q", test.kind, test.properties, told, note)
		}
	}
}

// TestQuotas makes more of everything than an API has by default.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func TestQuotas(t *testing.T) {
	c := newCloud(t, gateway.Options{})
	c.create("Api", "W", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
	for kind, test := range map[string]struct {
		most int
		name string
		p    props
	}{
		"Stage": {10, "StageName", props{"AutoDeploy": true}}, "Authorizer": {10, "Name", props{"AuthorizerType": "REQUEST", "AuthorizerUri": uri("f")}},
		"Route": {300, "RouteKey", props{}}, "Integration": {300, "Description", props{"IntegrationType": "MOCK"}},
	} {
		for n := 1; n <= test.most+1; n++ {
			id := fmt.Sprint(kind, n)
			said := strings.Contains(c.create(kind, id, merged(test.p, props{"ApiId": c.ids["W"], test.name: fmt.Sprint("x", n)})).Note, "AWS's default quota")
			if said != (n > test.most) {
				t.Errorf("%s: said %v", id, said)
			}
		}
	}
}
