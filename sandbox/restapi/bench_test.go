package restapi_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"arc/sandbox/invoke"
)

// BenchmarkREST is a request through a real socket to a function that returns at once,
// as BenchmarkHTTP of the gateway has it.
func BenchmarkREST(b *testing.B) {
	c := newCloud(b, functions{"F": func(context.Context, []byte) (invoke.Result, error) {
		return invoke.Result{Payload: []byte(`{"statusCode":200,"body":"hello"}`)}, nil
	}})
	c.apply(base + indented(`M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Res, HttpMethod: ANY, AuthorizationType: NONE, Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, Uri: !Sub 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations'}}}
D: {Type: AWS::ApiGateway::Deployment, DependsOn: M, Properties: {RestApiId: !Ref Api, StageName: dev}}`))
	url := c.url("", "dev/res")
	took := make([]time.Duration, 0, 1<<16)
	for b.Loop() {
		began := time.Now()
		resp, err := http.Get(url)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	if !strings.Contains(c.log(), "200") {
		b.Error(c.log())
	}
}
