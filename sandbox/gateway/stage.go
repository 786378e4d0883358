package gateway

import (
	"context"
	"fmt"
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
	}
	p := read(req.Properties, &in, "AccessLogSettings", "DefaultRouteSettings", "Description", "RouteSettings", "Tags")
	a := g.owner(p, in.ApiId)
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
	return stack.Resource{PhysicalID: s.name, Attributes: map[string]any{"Id": s.name}, Note: "answers at " + a.stageURL(s.name)}, nil
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
