package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"arc/sandbox/gateway"
	"arc/sandbox/invoke"
)

// TestAsynchronous hands a message to a function that nobody waits for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html
func TestAsynchronous(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		sent := make(chan string, 1)
		c := newCloud(t, gateway.Options{
			Send: func(_ context.Context, arn string, m invoke.Message) error {
				sent <- arn + " " + string(m.Body)
				return nil
			},
			Permit: func(function string, sources ...string) error {
				if !allowed {
					return fmt.Errorf("%s lets in nobody", function)
				}
				return nil
			},
		})
		api := c.create("Api", "WS", props{"Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})
		i := c.create("Integration", "I", props{"ApiId": api.PhysicalID, "IntegrationType": "AWS", "IntegrationUri": uri("later"), "RequestParameters": props{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}})
		c.create("IntegrationResponse", "IR", props{"ApiId": api.PhysicalID, "IntegrationId": i.PhysicalID, "IntegrationResponseKey": "/202/", "ResponseTemplates": props{"$default": "later"}})
		c.create("Route", "R", props{"ApiId": api.PhysicalID, "RouteKey": "$default", "Target": "integrations/" + i.PhysicalID, "RouteResponseSelectionExpression": "$default"})
		c.twoWay(api.PhysicalID, "R")
		c.create("Stage", "S", props{"ApiId": api.PhysicalID, "StageName": "staging", "AutoDeploy": true})
		conn := dial(t, api.Attributes["ApiEndpoint"].(string))
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		got := read(t, conn)
		if !allowed {
			if !strings.Contains(got, "Internal server error") || len(sent) > 0 {
				t.Errorf("not allowed: %s", got)
			}
			continue
		}
		if was := <-sent; got != "later" || was != `arn:aws:lambda:us-east-1:123456789012:function:later {"a":1}` {
			t.Errorf("%s, sent %s", got, was)
		}
	}
}
