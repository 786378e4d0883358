package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"golang.org/x/sync/errgroup"

	"arc/cfn"
	"arc/cfn/registry"
)

// A function that is changed past CloudFormation runs what no template says, and
// CloudFormation does not notice: a template that is unchanged changes nothing,
// and one that goes back to what it was last deployed with is unchanged. So the
// function itself is marked, in its description, which Lambda's list of functions
// tells: a review says so, and every deploy, when it looks at what the functions
// run, puts those that bear a mark back to what was packaged.

// directMark begins the description of a function that was changed directly.
const directMark = "changed by arc deploy --direct at "

// ChangedDirectly tells, by its description, a function that was changed past
// CloudFormation, or was about to be published again.
func ChangedDirectly(description string) bool {
	return strings.HasPrefix(description, directMark) || strings.HasPrefix(description, againMark)
}

// MaxDirect is how large a zip Lambda takes in a call.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxDirect = 50 << 20

// Direct brings named functions of d to what was packaged, code and
// configuration, past CloudFormation, and marks them. Nothing else is changed. It
// fails, and changes nothing, when more of one was changed than that.
func (dp *Deployer) Direct(ctx context.Context, d Deployment, logicalIDs []string) (Outcome, error) {
	r, err := dp.newRun(d)
	if err != nil {
		return Outcome{StackName: d.StackName}, err
	}
	stack, err := r.describeStack(ctx, d.StackName)
	switch {
	case err != nil:
		return r.outcome, err
	case stack.Absent():
		return r.outcome, fmt.Errorf("stack %s is not there yet; deploy it once", d.StackName)
	case stack.inProgress():
		return r.outcome, fmt.Errorf("stack %s is in %s; wait until that is over", d.StackName, stack.Status)
	}
	r.outcome.StackID, r.outcome.Outputs = stack.ID, stack.Outputs
	found, err := r.findDirect(ctx, stack, logicalIDs)
	if err != nil {
		return r.outcome, err
	}
	mark := directMark + time.Now().UTC().Format(time.RFC3339) + "; the next arc deploy puts it back"
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, f := range found {
		group.Go(func() error {
			if err := r.bringFunction(ctx, f, mark, ""); err != nil {
				return fmt.Errorf("%s: %w", f.logicalID, err)
			}
			return nil
		})
	}
	return r.outcome, group.Wait()
}

// directFunction is a function that is brought to what was packaged.
type directFunction struct {
	logicalID string
	name      string // physical
	want      map[string]any
	was       map[string]any // as the stack has it
	// parameters are those that its template takes, given what the stack around
	// it passes them: as wanted, and as the stack has it.
	parameters map[string]cfn.ParameterDef
	given      [2]map[string]any
	alias      string // "" = it is invoked as it is
	version    string // that the stack has the alias point to
}

// findDirect finds functions in the stack, and refuses those of which more was
// changed than can be changed in them.
func (r *run) findDirect(ctx context.Context, stack Stack, logicalIDs []string) ([]directFunction, error) {
	var (
		resources []types.StackResourceSummary
		deployed  *cfn.Document
	)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return r.mayChange(inner, stack) })
	group.Go(func() error {
		body, err := r.readTemplate(inner, stack.ID)
		if err == nil {
			deployed, err = cfn.Parse(body)
		}
		return err
	})
	group.Go(func() (err error) { resources, err = r.resources(inner, stack); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	parts, err := r.parts()
	if err != nil {
		return nil, err
	}
	var found []directFunction
	var errs []error
	for _, id := range logicalIDs {
		f, err := r.oneDirect(ctx, id, deployed, resources, parts)
		if err == nil {
			err = f.onlyDirect()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		}
		found = append(found, f)
	}
	return found, errors.Join(errs...)
}

// oneDirect finds a function in the stack, or in one that is nested in it.
func (r *run) oneDirect(ctx context.Context, id string, deployed *cfn.Document, resources []types.StackResourceSummary, parts map[string]part) (directFunction, error) {
	if _, ok := r.template.Resources[id]; ok {
		return directIn(id, r.template, deployed, resources)
	}
	for name, part := range parts {
		if _, ok := part.doc.Resources[id]; !ok {
			continue
		}
		nested := physicalID(resources, name)
		if nested == "" {
			break
		}
		body, err := r.readTemplate(ctx, nested)
		if err != nil {
			return directFunction{}, err
		}
		doc, err := cfn.Parse(body)
		if err != nil {
			return directFunction{}, err
		}
		inner, err := r.listResources(ctx, nested)
		if err != nil {
			return directFunction{}, err
		}
		f, err := directIn(id, part.doc, doc, inner)
		for i, around := range []*cfn.Document{r.template, deployed} {
			f.given[i], _ = around.Resources[name].Properties["Parameters"].(map[string]any)
		}
		return f, err
	}
	return directFunction{}, errors.New("the stack does not have it yet: deploy in full")
}

func directIn(id string, wanted, deployed *cfn.Document, resources []types.StackResourceSummary) (directFunction, error) {
	f := directFunction{logicalID: id, name: physicalID(resources, id), want: wanted.Resources[id].Properties, was: deployed.Resources[id].Properties}
	f.parameters = wanted.Parameters
	if f.name == "" || f.was == nil {
		return f, errors.New("the stack does not have it yet: deploy in full")
	}
	for _, aliasID := range slices.Sorted(maps.Keys(deployed.Resources)) {
		res := deployed.Resources[aliasID]
		if res.Type != registry.LambdaAlias || !refersTo(res.Properties["FunctionName"], id) {
			continue
		}
		f.alias, _ = res.Properties["Name"].(string)
		if version, ok := res.Properties["FunctionVersion"].(map[string]any); ok {
			if of, ok := version["Fn::GetAtt"].([]any); ok && len(of) == 2 {
				arn := physicalID(resources, fmt.Sprint(of[0]))
				f.version = arn[strings.LastIndex(arn, ":")+1:]
			}
		}
	}
	return f, nil
}

func physicalID(resources []types.StackResourceSummary, logicalID string) string {
	for _, res := range resources {
		if aws.ToString(res.LogicalResourceId) == logicalID {
			return aws.ToString(res.PhysicalResourceId)
		}
	}
	return ""
}

func refersTo(value any, id string) bool {
	ref, ok := value.(map[string]any)
	return ok && ref["Ref"] == id
}

// directProperties are those that Lambda's own calls set.
func directProperties() []string {
	return []string{"Code", "Description", "Environment", "EphemeralStorage", "Handler", "Layers", "MemorySize", "ReservedConcurrentExecutions", "Runtime", "Timeout", "Architectures"}
}

// onlyDirect refuses what takes a change of the stack.
func (f directFunction) onlyDirect() error {
	for _, name := range slices.Sorted(maps.Keys(f.want)) {
		if !slices.Contains(directProperties(), name) && !reflect.DeepEqual(f.want[name], f.was[name]) {
			return fmt.Errorf("its %s changed too, which takes a change of the stack: deploy in full", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variablesOf(f.want))) {
		value := variablesOf(f.want)[name]
		if _, text := value.(string); text {
			continue
		}
		parameter, given := f.parameterOf(value)
		if given && !reflect.DeepEqual(f.given[0][parameter], f.given[1][parameter]) || !given && !reflect.DeepEqual(value, variablesOf(f.was)[name]) {
			return fmt.Errorf("its variable %s comes of another resource now, which takes a change of the stack: deploy in full", name)
		}
	}
	return nil
}

func variablesOf(properties map[string]any) map[string]any {
	environment, _ := properties["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	return variables
}

// parameterOf is the parameter that a value is: one of the template as wanted.
func (f directFunction) parameterOf(value any) (string, bool) {
	ref, _ := value.(map[string]any)
	name, _ := ref["Ref"].(string)
	_, ok := f.parameters[name]
	return name, ok
}

// outerParameterOf is the parameter of the whole stack that a value is: what a nested
// stack takes may have another name there.
func (f directFunction) outerParameterOf(value any) (string, bool) {
	name, ok := f.parameterOf(value)
	if ref, nested := f.given[0][name].(map[string]any); nested {
		name, _ = ref["Ref"].(string)
	}
	return name, ok
}

// putBack brings functions that were changed directly to what was packaged.
func (r *run) putBack(ctx context.Context, stack Stack, marked []string) error {
	if len(marked) == 0 {
		return nil
	}
	for i, id := range marked { // "Part/ID" in a nested stack
		marked[i] = id[strings.LastIndex(id, "/")+1:]
	}
	found, err := r.findDirect(ctx, stack, marked)
	if err != nil {
		return fmt.Errorf("put back what was changed directly: %w", err)
	}
	for _, f := range found {
		if err := r.bringFunction(ctx, f, "", stack.Parameters[cfn.ArtifactBucketParameter]); err != nil {
			return fmt.Errorf("put back %s, which was changed directly: %w", f.logicalID, err)
		}
		r.note("%s was changed by arc deploy --direct; it is as it was packaged again", f.logicalID)
	}
	r.outcome.Unchanged = false
	return nil
}

// unmark takes the mark off functions of which CloudFormation is about to publish
// a version: Lambda has no second version to give of the same code and
// configuration, and one of those was published already.
// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
func (r *run) unmark(ctx context.Context, stack Stack, set *changeSet) error {
	if !stack.Exists {
		return nil
	}
	for _, c := range set.changes {
		id := r.publishes(c.ResourceChange)
		if id == "" {
			continue
		}
		resources, err := r.resources(ctx, stack)
		if err != nil {
			return err
		}
		name := physicalID(resources, id)
		if name == "" {
			continue
		}
		now, err := r.settled(ctx, name, functionState{})
		if err != nil || !ChangedDirectly(now.Description) {
			continue // CloudFormation says what is wrong with it
		}
		description, _ := r.template.Resources[id].Properties["Description"].(string)
		if err := r.describe(ctx, name, description); err != nil {
			return fmt.Errorf("take the mark of arc deploy --direct off %s: %w", id, err)
		}
	}
	return nil
}

// Direct lists the functions of a stack that were changed directly, by their
// logical IDs.
func (c Clients) Direct(ctx context.Context, stack Stack) ([]string, error) {
	byName, err := c.functionNames(ctx, stack.ID)
	if err != nil {
		return nil, err
	}
	var marked []string
	for marker := ""; len(byName) > 0; {
		page, next, err := c.Functions.ListFunctions(ctx, marker)
		if err != nil {
			return nil, err
		}
		for _, f := range page {
			if id, ours := byName[f.Name]; ours && ChangedDirectly(f.Description) {
				marked = append(marked, id)
			}
		}
		if marker = next; marker == "" {
			break
		}
	}
	slices.Sort(marked)
	return marked, nil
}

// functionNames gives the path and logical ID of a stack's functions by their
// names.
func (c Clients) functionNames(ctx context.Context, stackID string) (map[string]string, error) {
	byName := map[string]string{}
	err := c.eachStack(ctx, stackID, "", func(_, within string, resources []types.StackResourceSummary) error {
		for _, r := range resources {
			if aws.ToString(r.ResourceType) == registry.LambdaFunction {
				byName[aws.ToString(r.PhysicalResourceId)] = within + aws.ToString(r.LogicalResourceId)
			}
		}
		return nil
	})
	return byName, err
}

// Send makes a call about one function.
func (l *lambdaFunctions) Send(ctx context.Context, method, operation, name, path string, in, out any) error {
	version := "2015-03-31"
	if path == "concurrency" {
		version = "2017-10-31"
	}
	return l.client.Send(ctx, method, operation, "/"+version+"/functions/"+url.PathEscape(name)+"/"+path, in, out)
}
