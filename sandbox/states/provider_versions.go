package states

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"arc/sandbox/stack"
)

// createVersion publishes a version for a stack.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachineversion.html
func (s *Service) createVersion(_ context.Context, req stack.Request) (stack.Resource, error) {
	var p struct {
		StateMachineArn                     string `cfn:"required"`
		StateMachineRevisionId, Description string
	}
	if err := stack.Read(req.Properties, &p); err != nil {
		return stack.Resource{}, err
	}
	made := func(arn string) (stack.Resource, error) {
		return stack.Resource{PhysicalID: arn, Attributes: map[string]any{"Arn": arn}}, nil
	}
	s.mu.Lock()
	kept := req.Restored && s.versions[req.PhysicalID] != nil
	s.mu.Unlock()
	if kept {
		return made(req.PhysicalID)
	}
	v, err := s.publish(p.StateMachineArn, p.StateMachineRevisionId, p.Description)
	if err != nil {
		return stack.Resource{}, err
	}
	return made(v.ARN)
}

func (s *Service) deleteVersion(_ context.Context, req stack.Request) error {
	return s.unpublish(req.PhysicalID)
}

// aliasProperties are those of AWS::StepFunctions::StateMachineAlias.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachinealias.html
type aliasProperties struct {
	Name, Description    string
	RoutingConfiguration []struct {
		StateMachineVersionArn string `cfn:"required"`
		Weight                 int    `cfn:"required"`
	}
	DeploymentPreference *struct {
		StateMachineVersionArn string `cfn:"required"`
		Type                   string `cfn:"required"`
		Percentage, Interval   int
		Alarms                 []string
	}
}

// routes are where the properties lead, and what is to be said of that.
func (p aliasProperties) routes() (list []route, note string, err error) {
	if (p.RoutingConfiguration == nil) == (p.DeploymentPreference == nil) {
		return nil, "", errors.New("property RoutingConfiguration: exactly one of RoutingConfiguration and DeploymentPreference must be given")
	}
	for _, r := range p.RoutingConfiguration {
		list = append(list, route{r.StateMachineVersionArn, r.Weight})
	}
	if d := p.DeploymentPreference; d != nil {
		switch d.Type {
		case "ALL_AT_ONCE":
		case "LINEAR", "CANARY":
			note = "it leads to the new version at once: the local cloud does not shift executions gradually"
		default:
			return nil, "", fmt.Errorf("property DeploymentPreference.Type: %q: must be ALL_AT_ONCE, LINEAR or CANARY", d.Type)
		}
		list = []route{{d.StateMachineVersionArn, 100}}
	}
	return list, note, nil
}

func readAlias(req stack.Request) (p aliasProperties, routes []route, note string, err error) {
	if err = stack.Read(req.Properties, &p); err != nil {
		return p, nil, "", err
	}
	routes, note, err = p.routes()
	return p, routes, note, err
}

func (s *Service) createAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, routes, note, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	if p.Name == "" {
		p.Name = req.Name(80)
	}
	if req.Restored {
		if err := s.dropAlias(req.PhysicalID); err != nil {
			return stack.Resource{}, err
		}
	}
	a, err := s.putAlias(p.Name, p.Description, routes)
	if err != nil {
		return stack.Resource{}, err
	}
	return stack.Resource{PhysicalID: a.ARN, Attributes: map[string]any{"Arn": a.ARN}, Note: note}, nil
}

func (s *Service) updateAlias(_ context.Context, req stack.Request) (stack.Resource, error) {
	p, routes, note, err := readAlias(req)
	if err != nil {
		return stack.Resource{}, err
	}
	if _, err := s.changeAlias(req.PhysicalID, &p.Description, routes); err != nil {
		return stack.Resource{}, err
	}
	return stack.Resource{PhysicalID: req.PhysicalID, Attributes: map[string]any{"Arn": req.PhysicalID}, Note: note}, nil
}

func (s *Service) deleteAlias(_ context.Context, req stack.Request) error {
	return s.dropAlias(req.PhysicalID)
}

// restoreVersion takes a version of an earlier run.
func (s *Service) restoreVersion(v *version) error {
	parsed, err := s.parse(v.Machine.Definition, v.Machine.Express)
	if err != nil {
		return err
	}
	v.Machine.parsed = parsed
	s.versions[v.ARN] = v
	of := unqualified(v.ARN)
	n, err := strconv.Atoi(strings.TrimPrefix(v.ARN, of+":"))
	s.numbers[of] = max(s.numbers[of], n)
	return err
}
