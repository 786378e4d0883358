package states

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
	"arc/sandbox/wire"
)

// handler answers in the version of the protocol that Step Functions has.
type handler struct{ s *Service }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	wire.JSON("states", h.s).ServeHTTP(w, r)
}

// input is what operations are asked with. Which fields one has is its own.
type input struct {
	Name, StateMachineArn, ExecutionArn, ResourceArn string
	Definition, RoleArn, Type                        string
	LoggingConfiguration, TracingConfiguration       any
	Tags                                             []any
	Input, Output, Error, Cause, TaskToken           string
	StatusFilter, NextToken                          string
	MaxResults                                       int
	ReverseOrder                                     bool
	IncludeExecutionData                             *bool
	Publish                                          bool
	VersionDescription, RevisionID                   string
	Description                                      *string
	StateMachineVersionArn, StateMachineAliasArn     string
	RoutingConfiguration                             []route
	ActivityArn, WorkerName                          string
	MapRunArn, ClientToken                           string
	StateName, Variables, Context, InspectionLevel   string
	RevealSecrets                                    bool
	Mock                                             *mock
	StateConfiguration                               map[string]any
}

// Handle answers Step Functions' operations.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
func (s *Service) Handle(ctx context.Context, operation string, body []byte) (any, error) {
	var in input
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &stack.Error{Code: "SerializationException", Message: err.Error()}
	}
	switch operation {
	case "StartExecution", "StartSyncExecution", "StopExecution", "RedriveExecution", "DescribeExecution", "ListExecutions", "GetExecutionHistory", "DescribeStateMachineForExecution":
		return s.ofExecutions(ctx, operation, in)
	case "SendTaskSuccess":
		return struct{}{}, s.answer(ctx, in.TaskToken, answer{Output: in.Output})
	case "SendTaskFailure":
		return struct{}{}, s.answer(ctx, in.TaskToken, answer{Failure: &asl.Failure{Name: in.Error, Cause: in.Cause}})
	case "SendTaskHeartbeat":
		return struct{}{}, s.heartbeat(in.TaskToken)
	case "CreateStateMachine":
		return s.createMachine(ctx, in)
	case "UpdateStateMachine":
		return s.updateMachine(ctx, in)
	case "DeleteStateMachine":
		return struct{}{}, s.remove(in.StateMachineArn)
	case "DescribeStateMachine":
		m, err := s.target(in.StateMachineArn)
		if err != nil {
			return nil, err
		}
		out := m.shown()
		out["stateMachineArn"] = in.StateMachineArn
		if m.description != "" {
			out["description"] = m.description
		}
		return out, nil
	case "PublishStateMachineVersion", "ListStateMachineVersions", "DeleteStateMachineVersion",
		"CreateStateMachineAlias", "UpdateStateMachineAlias", "DeleteStateMachineAlias", "DescribeStateMachineAlias", "ListStateMachineAliases":
		return s.ofVersions(operation, in)
	case "TestState":
		return s.testState(ctx, in)
	case "DescribeMapRun", "ListMapRuns":
		return s.ofMapRuns(operation, in)
	case "CreateActivity", "DeleteActivity", "DescribeActivity", "ListActivities", "GetActivityTask":
		return s.ofActivities(ctx, operation, in)
	case "ListStateMachines":
		return s.listMachines(in)
	case "ListTagsForResource":
		if isActivity(in.ResourceArn) {
			q, err := s.activity(in.ResourceArn)
			if err != nil {
				return nil, err
			}
			return map[string]any{"tags": orEmpty(q.Tags)}, nil
		}
		m, err := s.machine(in.ResourceArn)
		if err != nil {
			return nil, err
		}
		return map[string]any{"tags": orEmpty(m.Tags)}, nil
	case "ValidateStateMachineDefinition":
		return s.validate(in), nil
	}
	return nil, &stack.Error{Code: "UnknownOperationException", Message: fmt.Sprintf("the local cloud's Step Functions does not run %q", operation), Status: 501}
}

// orEmpty is a list that is [] in JSON where there is none.
func orEmpty(list []any) []any {
	if list == nil {
		return []any{}
	}
	return list
}

func (s *Service) createMachine(ctx context.Context, in input) (any, error) {
	if err := described(in); err != nil {
		return nil, err
	}
	if in.Type != "" && in.Type != "STANDARD" && in.Type != "EXPRESS" {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value '%s' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]", in.Type)}
	}
	m := machine{
		Name: in.Name, ARN: s.arn(stack.RegionIn(ctx, s.options.Region), "stateMachine:"+in.Name), Role: in.RoleArn, Definition: in.Definition,
		Express: in.Type == "EXPRESS", Logging: in.LoggingConfiguration, Tracing: in.TracingConfiguration, Tags: in.Tags,
	}
	s.mu.Lock()
	old := s.machines[m.ARN]
	s.mu.Unlock()
	if old != nil {
		if old.Definition == m.Definition && old.Role == m.Role && old.Express == m.Express {
			return s.published(old.ARN, in, map[string]any{"stateMachineArn": old.ARN, "creationDate": seconds(old.Created)}) // as often as it is asked for
		}
		return nil, &stack.Error{Code: "StateMachineAlreadyExists", Message: fmt.Sprintf("State Machine Already Exists: '%s'", m.ARN)}
	}
	made, err := s.put(ctx, m, true)
	if err != nil {
		return nil, err
	}
	return s.published(made.ARN, in, map[string]any{"stateMachineArn": made.ARN, "creationDate": seconds(made.Created)})
}

func (s *Service) updateMachine(ctx context.Context, in input) (any, error) {
	old, err := s.machine(in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	m := *old
	if err := described(in); err != nil {
		return nil, err
	}
	if in.Definition == "" && in.RoleArn == "" && in.LoggingConfiguration == nil && in.TracingConfiguration == nil && !in.Publish {
		return nil, &stack.Error{Code: "MissingRequiredParameter", Message: "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"}
	}
	if in.Definition != "" {
		m.Definition = in.Definition
	}
	if in.RoleArn != "" {
		m.Role = in.RoleArn
	}
	if in.LoggingConfiguration != nil {
		m.Logging = in.LoggingConfiguration
	}
	if in.TracingConfiguration != nil {
		m.Tracing = in.TracingConfiguration
	}
	made, err := s.put(ctx, m, true)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"updateDate": seconds(s.options.Clock.Now())}
	if made.Revision != old.Revision {
		out["revisionId"] = made.Revision
	}
	return s.published(made.ARN, in, out)
}

// shown is what clients see of a machine.
func (m *machine) shown() map[string]any {
	out := map[string]any{
		"stateMachineArn": m.ARN, "name": m.Name, "status": "ACTIVE", "definition": m.Definition, "roleArn": m.Role, "type": m.kind(),
		"creationDate":         seconds(m.Created),
		"loggingConfiguration": map[string]any{"level": "OFF", "includeExecutionData": false}, "tracingConfiguration": map[string]any{"enabled": false},
		"encryptionConfiguration": map[string]any{"type": "AWS_OWNED_KEY"},
	}
	if m.Updated {
		out["revisionId"] = m.Revision
	}
	for name, given := range map[string]any{"loggingConfiguration": m.Logging, "tracingConfiguration": m.Tracing} {
		if given != nil {
			out[name] = lowered(given)
		}
	}
	return out
}

func (s *Service) listMachines(in input) (any, error) {
	s.mu.Lock()
	list := []any{}
	for _, arn := range slices.Sorted(maps.Keys(s.machines)) {
		m := s.machines[arn]
		list = append(list, map[string]any{"stateMachineArn": m.ARN, "name": m.Name, "type": m.kind(), "creationDate": seconds(m.Created)})
	}
	s.mu.Unlock()
	return paged("stateMachines", list, in)
}

// paged cuts a list into pages; a token is where the next one begins.
func paged(name string, list []any, in input) (any, error) {
	from := 0
	if in.NextToken != "" {
		n, err := strconv.Atoi(in.NextToken)
		if err != nil || n < 0 || n > len(list) {
			return nil, &stack.Error{Code: "InvalidToken", Message: "Invalid Token: 'Invalid token'"}
		}
		from = n
	}
	most := in.MaxResults
	if most < 0 || most > 1000 {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000", most)}
	}
	if most == 0 {
		most = 100
	}
	to := min(from+most, len(list))
	out := map[string]any{name: list[from:to]}
	if to < len(list) {
		out["nextToken"] = strconv.Itoa(to)
	}
	return out, nil
}

// validate tells what CreateStateMachine would refuse.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
func (s *Service) validate(in input) any {
	m, problems := asl.Parse([]byte(in.Definition), in.Type == "EXPRESS")
	if len(problems) == 0 {
		problems = s.lacks(m)
	}
	list := []any{}
	for _, p := range problems {
		one := map[string]any{"severity": "ERROR", "code": p.Code, "message": p.Message}
		if p.Location != "" {
			one["location"] = p.Location
		}
		list = append(list, one)
	}
	result := "OK"
	if len(list) > 0 {
		result = "FAIL"
	}
	return map[string]any{"result": result, "diagnostics": list, "truncated": false}
}
