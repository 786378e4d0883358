package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// farewell bounds how long deleting a stage waits for $disconnect functions.
const farewell = 10 * time.Second

// validStage reports whether a stage may have the name: up to 128 letters,
// digits, - and _, or $default. (Compiled as a regular expression, the check
// made every command start later.)
func validStage(name string) bool {
	for _, r := range name {
		if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return name == "$default"
		}
	}
	return name != "" && len(name) <= 128
}

func (g *Gateway) createStage(_ context.Context, req stack.Request) (stack.Resource, error) {
	return g.putStage(req, true)
}

func (g *Gateway) updateStage(_ context.Context, req stack.Request) (stack.Resource, error) {
	return g.putStage(req, false)
}

func (g *Gateway) putStage(req stack.Request, isNew bool) (stack.Resource, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var in struct {
		ApiId          string `cfn:"required"`
		StageName      string `cfn:"required"`
		DeploymentId   string
		AutoDeploy     bool
		StageVariables map[string]string

		AccessLogSettings    *struct{ DestinationArn, Format string }
		DefaultRouteSettings routeSettings
		RouteSettings        map[string]routeSettings
	}
	p := read(req.Properties, &in, "Description", "Tags")
	a := g.owner(p, in.ApiId)
	checkStageVariables(p, in.StageVariables)
	if in.AccessLogSettings != nil {
		checkAccessLog(p, in.AccessLogSettings.Format)
	}
	if p.err == nil {
		checkRouteSettings(p, a, in.RouteSettings)
	}
	s := &stage{raw: req.Properties, created: time.Now().UTC(), name: in.StageName, variables: in.StageVariables, auto: in.AutoDeploy, deployment: in.DeploymentId}
	if p.err == nil && (!validStage(s.name) || s.name == "$default" && a.protocol != protocolHTTP) {
		p.fail("StageName", "%q must be letters, digits, - and _; $default is for HTTP APIs", s.name)
	}
	if s.auto && s.deployment != "" {
		p.fail("DeploymentId", "deployment ID cannot be set on a stage with AutoDeploy")
	}
	if p.err != nil {
		return stack.Resource{}, p.err
	}
	if isNew && a.stages[s.name] != nil {
		return stack.Resource{}, fmt.Errorf("stage %s already exists", s.name)
	}
	if s.deployment != "" {
		if s.serving = a.deployments[s.deployment]; s.serving == nil {
			return stack.Resource{}, fmt.Errorf("property DeploymentId: invalid deployment identifier specified: %s", s.deployment)
		}
	}
	if old := a.stages[s.name]; old != nil {
		s.created = old.created
	}
	a.stages[s.name] = s
	a.changed()
	if isNew {
		g.announce(req, a, s.name)
	}
	made := stack.Resource{PhysicalID: s.name, Attributes: map[string]any{"Id": s.name}, Note: "answers at " + a.stageURL(s.name)}
	notes := settingsNotes(in.AccessLogSettings != nil, append(slices.Collect(maps.Values(in.RouteSettings)), in.DefaultRouteSettings))
	return g.unlike(req, made, append(notes, beyond(len(a.stages), 10, "stages")...)...), nil
}

// routeSettings are those of a stage or of one of its routes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-stage-routesettings.html
type routeSettings struct {
	DataTraceEnabled, DetailedMetricsEnabled bool
	LoggingLevel                             string
	ThrottlingBurstLimit                     *int
	ThrottlingRateLimit                      *string // a number, perhaps with a fraction
}

// checkRouteSettings refuses settings of routes that there are not.
// https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/apigatewayv2/pf-apigwv2-stage-route-settings-key
// has what AWS said of them on 2026-09-08.
func checkRouteSettings(p *problems, a *api, settings map[string]routeSettings) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if !a.routeTaken(key, "") {
			p.fail("RouteSettings", "unable to find route by key %s; let the stage depend on its routes", key)
		}
	}
}

// checkStageVariables refuses what API Gateway does of names and values.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html
func checkStageVariables(p *problems, variables map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if strings.Trim(name, wordLetters+"_") != "" || name == "" {
			p.fail("StageVariables", "%q: a name has letters, digits and _", name)
		}
		if value := variables[name]; strings.Trim(value, wordLetters+"-._~:/?#&=,") != "" || value == "" {
			p.fail("StageVariables", "%s: a value has letters, digits and -._~:/?#&=,", name)
		}
	}
}

// checkAccessLog refuses a format that API Gateway does.
// https://github.com/badmintoncryer/cdk-preflight/tree/main/rules/apigatewayv2/pf-apigwv2-access-log-format-request-id
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
func checkAccessLog(p *problems, format string) {
	switch {
	case format == "":
	case len(format) > 3<<10:
		p.fail("AccessLogSettings.Format", "has more than 3 KB")
	case !strings.Contains(format, "$context.requestId") && !strings.Contains(format, "$context.extendedRequestId"):
		p.fail("AccessLogSettings.Format", "must have $context.requestId or $context.extendedRequestId")
	}
}

const wordLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// settingsNotes says which settings of a stage do nothing here.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
func settingsNotes(accessLog bool, all []routeSettings) []string {
	var notes []string
	some := func(has func(routeSettings) bool) bool { return slices.ContainsFunc(all, has) }
	if accessLog {
		notes = append(notes, "AccessLogSettings: the local cloud writes no access log; its own says what is answered")
	}
	if some(func(s routeSettings) bool { return s.ThrottlingBurstLimit != nil || s.ThrottlingRateLimit != nil }) {
		notes = append(notes, "throttling limits are not applied by the local cloud: it answers 429 to nobody")
	}
	if some(func(s routeSettings) bool {
		return s.DetailedMetricsEnabled || s.DataTraceEnabled || s.LoggingLevel != "" && s.LoggingLevel != "OFF"
	}) {
		notes = append(notes, "the local cloud has no execution logs and no metrics of an API: LoggingLevel, DataTraceEnabled and DetailedMetricsEnabled change nothing")
	}
	return notes
}

// deleteStage closes the stage's connections first, while the functions that say
// goodbye to them still exist.
func (g *Gateway) deleteStage(ctx context.Context, req stack.Request) error {
	g.mu.Lock()
	a := g.apis[fmt.Sprint(req.Properties["ApiId"])]
	g.mu.Unlock()
	if a == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	ours := func(c *connection) bool { return c.api == a && c.stageName == req.PhysicalID }
	for _, c := range g.sockets.end(ours, (*connection).doom) {
		select {
		case <-c.done:
		case <-ctx.Done():
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(a.stages, req.PhysicalID)
	a.changed()
	g.sockets.end(ours, (*connection).doom) // whoever came meanwhile
	return nil
}
