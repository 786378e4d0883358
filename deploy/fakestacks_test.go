package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"arc/cfn"
)

// fakeStack is a stack of the fake CloudFormation, which keeps time as AWS
// does (a second a resource) and says what AWS says. It runs in a synctest
// bubble, so the time costs nothing.
type fakeStack struct {
	name, id, status string
	updated          *time.Time
	changeSetID      string
	template         string
	parameters       map[string]string
	tags             map[string]string
	resources        map[string]*fakeResource
	events           []types.StackEvent // oldest first
	sets             map[string]*fakeChangeSet
	protected        bool
}

type fakeResource struct {
	kind, physicalID, status, reason string
	code                             string // of a function: the hash of its zip
	properties                       map[string]any
}

type fakeChangeSet struct {
	id, name   string
	ready      time.Time // until then it is being made
	template   string
	doc        *cfn.Document
	parameters map[string]string
	tags       map[string]string
	changes    []types.Change
	failed     string
	execution  types.ExecutionStatus
}

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

func (c *fakeCloud) find(nameOrID string) (*fakeStack, error) {
	for _, s := range slices.Backward(c.stacks) {
		if s.id == nameOrID || s.name == nameOrID && s.status != "DELETE_COMPLETE" {
			return s, nil
		}
	}
	return nil, validation("Stack with id %s does not exist", nameOrID)
}

func (s *fakeStack) busy() bool {
	return strings.HasSuffix(s.status, "_IN_PROGRESS") && s.status != "REVIEW_IN_PROGRESS"
}

func (c *fakeCloud) createChangeSet(in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
	body := aws.ToString(in.TemplateBody)
	if in.TemplateURL != nil {
		_, rest, _ := strings.Cut(*in.TemplateURL, "https://")
		host, key, _ := strings.Cut(rest, "/")
		bucket, _, _ := strings.Cut(host, ".s3.")
		body = string(c.buckets[bucket].objects[key].body)
	} else if len(body) > 51200 {
		return nil, validation("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200")
	}
	doc, err := cfn.Parse([]byte(body))
	if err != nil {
		return nil, validation("Template format error: %v", err)
	}
	name := aws.ToString(in.StackName)
	stack, err := c.find(name)
	switch {
	case in.ChangeSetType == types.ChangeSetTypeCreate && err != nil:
		stack = &fakeStack{name: name, id: c.newID("arn:aws:cloudformation:us-west-2:111122223333:stack/" + name + "/"), resources: map[string]*fakeResource{}, sets: map[string]*fakeChangeSet{}}
		c.stacks = append(c.stacks, stack)
		c.event(stack, "", "REVIEW_IN_PROGRESS", "")
	case in.ChangeSetType == types.ChangeSetTypeCreate && stack.status != "REVIEW_IN_PROGRESS":
		return nil, validation("Stack [%s] already exists and cannot be created again with the changeSet [%s].", name, *in.ChangeSetName)
	case err != nil:
		return nil, validation("Stack [%s] does not exist", name)
	case stack.busy() || stack.status == "ROLLBACK_COMPLETE":
		return nil, validation("Stack:%s is in %s state and can not be updated.", stack.id, stack.status)
	}
	if stack.sets[*in.ChangeSetName] != nil {
		return nil, &types.AlreadyExistsException{Message: aws.String("ChangeSet " + *in.ChangeSetName + " already exists")}
	}
	set := &fakeChangeSet{
		id: c.newID("arn:aws:cloudformation:us-west-2:111122223333:changeSet/" + *in.ChangeSetName + "/"), name: *in.ChangeSetName,
		ready: time.Now().Add(c.changeSetTime), template: body, doc: doc, parameters: map[string]string{}, tags: map[string]string{},
	}
	for name, def := range doc.Parameters {
		if def.Default != nil {
			set.parameters[name] = fmt.Sprint(def.Default)
		}
	}
	for _, p := range in.Parameters {
		set.parameters[*p.ParameterKey] = *p.ParameterValue
	}
	for _, t := range in.Tags {
		set.tags[*t.Key] = *t.Value
	}
	if body == stack.template && maps.Equal(set.parameters, stack.parameters) && maps.Equal(set.tags, stack.tags) {
		set.failed = "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	set.changes = stack.compare(set)
	stack.sets[set.name] = set
	return &cloudformation.CreateChangeSetOutput{Id: aws.String(set.id), StackId: aws.String(stack.id)}, nil
}

// compare works out the changes as DescribeChangeSet tells them.
func (s *fakeStack) compare(set *fakeChangeSet) []types.Change {
	var changes []types.Change
	add := func(rc types.ResourceChange) {
		changes = append(changes, types.Change{Type: types.ChangeTypeResource, ResourceChange: &rc})
	}
	for _, id := range slices.Sorted(maps.Keys(set.doc.Resources)) {
		def, old := set.doc.Resources[id], s.resources[id]
		rc := types.ResourceChange{LogicalResourceId: aws.String(id), ResourceType: aws.String(def.Type), Action: types.ChangeActionAdd}
		if old == nil {
			add(rc)
			continue
		}
		now := resolve(def.Properties, set.parameters).(map[string]any)
		if reflect.DeepEqual(old.properties, now) {
			continue
		}
		rc.Action, rc.PhysicalResourceId, rc.Replacement = types.ChangeActionModify, aws.String(old.physicalID), types.ReplacementFalse
		for name := range now {
			if reflect.DeepEqual(old.properties[name], now[name]) {
				continue
			}
			rc.Details = append(rc.Details, types.ResourceChangeDetail{Target: &types.ResourceTargetDefinition{Name: aws.String(name), RequiresRecreation: types.RequiresRecreationNever}})
		}
		add(rc)
	}
	for _, id := range slices.Sorted(maps.Keys(s.resources)) {
		if _, ok := set.doc.Resources[id]; !ok {
			add(types.ResourceChange{LogicalResourceId: aws.String(id), ResourceType: aws.String(s.resources[id].kind), Action: types.ChangeActionRemove, PhysicalResourceId: aws.String(s.resources[id].physicalID)})
		}
	}
	return changes
}

// resolve replaces references to parameters by their values.
func resolve(v any, parameters map[string]string) any {
	switch v := v.(type) {
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			if value, ok := parameters[name]; ok {
				return value
			}
		}
		out := map[string]any{}
		for k, e := range v {
			out[k] = resolve(e, parameters)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = resolve(e, parameters)
		}
		return out
	}
	return v
}

func (c *fakeCloud) findSet(stackID, name string) (*fakeStack, *fakeChangeSet, error) {
	stack, err := c.find(stackID)
	if err != nil {
		return nil, nil, err
	}
	set := stack.sets[name]
	if set == nil {
		return nil, nil, &types.ChangeSetNotFoundException{Message: aws.String("ChangeSet [" + name + "] does not exist")}
	}
	return stack, set, nil
}

func (c *fakeCloud) describeChangeSet(in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
	stack, set, err := c.findSet(*in.StackName, *in.ChangeSetName)
	if err != nil {
		return nil, err
	}
	out := &cloudformation.DescribeChangeSetOutput{StackId: aws.String(stack.id), ChangeSetId: aws.String(set.id), ExecutionStatus: set.execution}
	switch {
	case time.Now().Before(set.ready):
		out.Status = types.ChangeSetStatusCreateInProgress
	case set.failed != "":
		out.Status, out.StatusReason = types.ChangeSetStatusFailed, aws.String(set.failed)
	default:
		out.Status = types.ChangeSetStatusCreateComplete
		out.Changes, out.NextToken = page(set.changes, in.NextToken, 2)
	}
	return out, nil
}

// page cuts a list into pages, whose token is the index of the next item.
func page[T any](all []T, token *string, size int) ([]T, *string) {
	from := 0
	fmt.Sscan(aws.ToString(token), &from)
	if to := from + size; to < len(all) {
		return all[from:to], aws.String(fmt.Sprint(to))
	}
	return all[from:], nil
}

func (c *fakeCloud) executeChangeSet(in *cloudformation.ExecuteChangeSetInput) error {
	stack, set, err := c.findSet(*in.StackName, *in.ChangeSetName)
	if err != nil {
		return err
	}
	if set.execution != "" || set.failed != "" || time.Now().Before(set.ready) || stack.busy() {
		return &types.InvalidChangeSetStatusException{Message: aws.String("ChangeSet [" + set.id + "] cannot be executed in its current status")}
	}
	set.execution = types.ExecutionStatusExecuteInProgress
	stack.sets = map[string]*fakeChangeSet{set.name: set} // the others go
	stack.changeSetID = set.id
	kind := "UPDATE"
	if stack.status == "REVIEW_IN_PROGRESS" {
		kind = "CREATE"
		stack.template = set.template
	} else {
		stack.updated = aws.Time(time.Now())
	}
	c.event(stack, "", kind+"_IN_PROGRESS", "User Initiated")
	go c.operate(stack, set, kind)
	return nil
}

// operate carries out a change set, or rolls it back.
func (c *fakeCloud) operate(stack *fakeStack, set *fakeChangeSet, kind string) {
	done := map[string]*fakeResource{}
	maps.Copy(done, stack.resources)
	for _, change := range set.changes {
		rc := change.ResourceChange
		id := *rc.LogicalResourceId
		if rc.Action == types.ChangeActionRemove {
			continue
		}
		verb := map[types.ChangeAction]string{types.ChangeActionAdd: "CREATE", types.ChangeActionModify: "UPDATE"}[rc.Action]
		c.locked(func() { c.event(stack, id, verb+"_IN_PROGRESS", "") })
		time.Sleep(c.resourceTime)
		if reason := c.failing[id]; reason != "" {
			c.locked(func() { c.event(stack, id, verb+"_FAILED", reason) })
			c.rollBack(stack, set, kind, id, done)
			return
		}
		def := set.doc.Resources[id]
		made := &fakeResource{kind: def.Type, status: verb + "_COMPLETE", properties: resolve(def.Properties, set.parameters).(map[string]any)}
		c.locked(func() {
			if code, ok := made.properties["Code"].(map[string]any); ok {
				// Lambda reads the zip when the function is made or changed.
				if b := c.buckets[fmt.Sprint(code["S3Bucket"])]; b != nil {
					made.code = sha256Text(b.objects[fmt.Sprint(code["S3Key"])].body)
				}
			}
			made.physicalID = c.newID(id + "-")
			if old := stack.resources[id]; old != nil {
				made.physicalID = old.physicalID
			} else if def.Type == "AWS::S3::Bucket" {
				made.physicalID = strings.ToLower(made.physicalID)
				c.buckets[made.physicalID] = &fakeBucket{objects: map[string]fakeObject{}}
			}
			done[id] = made
			c.event(stack, id, verb+"_COMPLETE", "")
		})
	}
	c.locked(func() {
		if kind == "UPDATE" {
			c.event(stack, "", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
		}
		for _, change := range set.changes {
			if change.ResourceChange.Action == types.ChangeActionRemove {
				c.event(stack, *change.ResourceChange.LogicalResourceId, "DELETE_COMPLETE", "")
				delete(done, *change.ResourceChange.LogicalResourceId)
			}
		}
		stack.resources, stack.template, stack.parameters, stack.tags = done, set.template, set.parameters, set.tags
		set.execution = types.ExecutionStatusExecuteComplete
		c.event(stack, "", kind+"_COMPLETE", "")
	})
}

func (c *fakeCloud) rollBack(stack *fakeStack, set *fakeChangeSet, kind, failed string, done map[string]*fakeResource) {
	c.locked(func() {
		c.event(stack, "Bystander", kind+"_FAILED", "Resource creation cancelled")
		status := map[string]string{"CREATE": "ROLLBACK_IN_PROGRESS", "UPDATE": "UPDATE_ROLLBACK_IN_PROGRESS"}[kind]
		c.event(stack, "", status, "The following resource(s) failed: ["+failed+"].")
	})
	time.Sleep(c.resourceTime)
	c.locked(func() {
		set.execution = types.ExecutionStatusExecuteFailed
		if kind == "UPDATE" {
			c.event(stack, "", "UPDATE_ROLLBACK_COMPLETE", "")
			return
		}
		for _, r := range done {
			r.status = "DELETE_COMPLETE"
		}
		stack.resources, stack.template = done, set.template
		c.event(stack, "", "ROLLBACK_COMPLETE", "")
	})
}

// event appends an event; logicalID "" is the stack itself.
func (c *fakeCloud) event(stack *fakeStack, logicalID, status, reason string) {
	e := types.StackEvent{
		EventId: aws.String(c.newID("event-")), StackId: aws.String(stack.id), StackName: aws.String(stack.name), Timestamp: aws.Time(time.Now()),
		LogicalResourceId: aws.String(logicalID), ResourceStatus: types.ResourceStatus(status), ResourceStatusReason: aws.String(reason), ResourceType: aws.String("AWS::Fake::Thing"),
	}
	for _, set := range stack.sets {
		if kind := set.doc.Resources[logicalID].Type; kind != "" {
			e.ResourceType = aws.String(kind)
		}
	}
	if logicalID == "" {
		stack.status = status
		e.LogicalResourceId, e.PhysicalResourceId, e.ResourceType = aws.String(stack.name), aws.String(stack.id), aws.String(nestedStack)
	}
	stack.events = append(stack.events, e)
}

func (s *fakeStack) describe() types.Stack {
	out := types.Stack{StackName: aws.String(s.name), StackId: aws.String(s.id), StackStatus: types.StackStatus(s.status), LastUpdatedTime: s.updated, EnableTerminationProtection: aws.Bool(s.protected)}
	if s.changeSetID != "" {
		out.ChangeSetId = aws.String(s.changeSetID)
	}
	doc, _ := cfn.Parse([]byte(s.template))
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		value := s.parameters[name]
		if doc.Parameters[name].NoEcho {
			value = "****"
		}
		out.Parameters = append(out.Parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	for _, key := range slices.Sorted(maps.Keys(s.tags)) {
		out.Tags = append(out.Tags, types.Tag{Key: aws.String(key), Value: aws.String(s.tags[key])})
	}
	if doc != nil && s.status != "ROLLBACK_COMPLETE" {
		for _, name := range slices.Sorted(maps.Keys(doc.Outputs)) {
			value, _ := json.Marshal(doc.Outputs[name].Value)
			out.Outputs = append(out.Outputs, types.Output{OutputKey: aws.String(name), OutputValue: aws.String(string(value))})
		}
	}
	return out
}
