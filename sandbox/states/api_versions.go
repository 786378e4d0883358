package states

import (
	"maps"
	"slices"
	"strconv"

	"arc/sandbox/stack"
)

// ofVersions answers the operations of versions and aliases.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-cd-aliasing-versioning.html
func (s *Service) ofVersions(operation string, in input) (any, error) {
	switch operation {
	case "PublishStateMachineVersion":
		description := ""
		if in.Description != nil {
			description = *in.Description
		}
		v, err := s.publish(in.StateMachineArn, in.RevisionID, description)
		if err != nil {
			return nil, err
		}
		return map[string]any{"stateMachineVersionArn": v.ARN, "creationDate": seconds(v.Created)}, nil
	case "ListStateMachineVersions":
		if _, err := s.machine(in.StateMachineArn); err != nil {
			return nil, err
		}
		list := []any{}
		s.mu.Lock()
		for _, n := range s.versionsOf(in.StateMachineArn) {
			v := s.versions[in.StateMachineArn+":"+strconv.Itoa(n)]
			list = append(list, map[string]any{"stateMachineVersionArn": v.ARN, "creationDate": seconds(v.Created)})
		}
		s.mu.Unlock()
		return paged("stateMachineVersions", list, in)
	case "DeleteStateMachineVersion":
		return struct{}{}, s.unpublish(in.StateMachineVersionArn)
	case "CreateStateMachineAlias":
		description := ""
		if in.Description != nil {
			description = *in.Description
		}
		a, err := s.putAlias(in.Name, description, in.RoutingConfiguration)
		if err != nil {
			return nil, err
		}
		return map[string]any{"stateMachineAliasArn": a.ARN, "creationDate": seconds(a.Created)}, nil
	case "UpdateStateMachineAlias":
		if in.Description == nil && in.RoutingConfiguration == nil {
			return nil, &stack.Error{Code: "ValidationException", Message: "Either the description or the routingConfiguration must be specified"}
		}
		a, err := s.changeAlias(in.StateMachineAliasArn, in.Description, in.RoutingConfiguration)
		if err != nil {
			return nil, err
		}
		return map[string]any{"updateDate": seconds(a.Updated)}, nil
	case "DeleteStateMachineAlias":
		return struct{}{}, s.dropAlias(in.StateMachineAliasArn)
	case "DescribeStateMachineAlias":
		s.mu.Lock()
		defer s.mu.Unlock()
		a := s.aliases[in.StateMachineAliasArn]
		if a == nil {
			return nil, &stack.Error{Code: "ResourceNotFound", Message: "Request references a resource that does not exist."}
		}
		out := map[string]any{"stateMachineAliasArn": a.ARN, "name": a.Name, "routingConfiguration": a.Routes, "creationDate": seconds(a.Created), "updateDate": seconds(a.Updated)}
		if a.Description != "" {
			out["description"] = a.Description
		}
		return out, nil
	}
	return s.listAliases(in)
}

func (s *Service) listAliases(in input) (any, error) {
	m, err := s.target(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	list := []any{}
	s.mu.Lock()
	for _, arn := range slices.Sorted(maps.Keys(s.aliases)) {
		a := s.aliases[arn]
		leads := m.version == "" || slices.ContainsFunc(a.Routes, func(r route) bool { return r.Version == m.version })
		if unqualified(arn) == m.ARN && leads {
			list = append(list, map[string]any{"stateMachineAliasArn": a.ARN, "creationDate": seconds(a.Created)})
		}
	}
	s.mu.Unlock()
	return paged("stateMachineAliases", list, in)
}

// published publishes a version where that is asked for of what makes or changes a
// machine, and tells of it.
func (s *Service) published(arn string, in input, out map[string]any) (any, error) {
	if !in.Publish {
		return out, nil
	}
	v, err := s.publish(arn, "", in.VersionDescription)
	if err != nil {
		return nil, err
	}
	out["stateMachineVersionArn"] = v.ARN
	return out, nil
}

// described refuses what is described and not published.
func described(in input) error {
	if in.VersionDescription != "" && !in.Publish {
		return &stack.Error{Code: "ValidationException", Message: "Version description can only be set when publish is true"}
	}
	return nil
}

// listed are the ARNs of what an execution was started by, beside its machine.
func (is summary) listed(out map[string]any) map[string]any {
	for name, arn := range map[string]string{"stateMachineVersionArn": is.Version, "stateMachineAliasArn": is.Alias} {
		if arn != "" {
			out[name] = arn
		}
	}
	return out
}
