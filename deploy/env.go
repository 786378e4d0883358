package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/deploy/ssm"
)

// Variable is an environment variable that the user keeps for a stage.
type Variable struct {
	Value   string // a secret
	Version string // changes whenever the value is set, and tells nothing of it
}

// Scope says whose environment variables are meant: those of a stage, or those
// that one of its further stacks has on top of them.
type Scope struct {
	App, Stage string
	Stack      string // --name or --preview; "" = the stage's own
}

// Folder is where the variables of the scope alone are in SSM.
func (s Scope) Folder() string {
	if s.Stack == "" {
		return EnvFolder(s.App, s.Stage)
	}
	return EnvFolder(s.App, s.Stage) + "/" + s.Stack
}

// folders are those of which a stack gets variables; the last one has the last word.
func (s Scope) folders() []string {
	if s.Stack == "" {
		return []string{s.Folder()}
	}
	return []string{EnvFolder(s.App, s.Stage), s.Folder()}
}

// Env reads the environment variables that the user keeps for a stage, in SSM
// as /<app>/<stage>/<NAME>, by name, and those of a further stack over them, as
// /<app>/<stage>/<stack>/<NAME>. They are secrets: they go into NoEcho
// parameters and nowhere else.
func (c Clients) Env(ctx context.Context, scope Scope) (map[string]Variable, error) {
	return c.envOf(ctx, scope, scope.folders())
}

// EnvOf is Env without what a further stack has of its stage.
func (c Clients) EnvOf(ctx context.Context, scope Scope) (map[string]Variable, error) {
	return c.envOf(ctx, scope, []string{scope.Folder()})
}

func (c Clients) envOf(ctx context.Context, scope Scope, folders []string) (map[string]Variable, error) {
	env := map[string]Variable{}
	for _, folder := range folders {
		in := &ssm.GetParametersByPathInput{Path: folder, WithDecryption: true}
		for {
			page, err := c.Parameters.GetParametersByPath(ctx, in)
			if err != nil {
				return nil, fmt.Errorf("read the environment variables in SSM under %s: %w", folder, err)
			}
			for _, p := range page.Parameters {
				env[strings.TrimPrefix(p.Name, folder+"/")] = Variable{p.Value, scope.version(folder, p.Version, p.LastModifiedDate)}
			}
			if page.NextToken == "" {
				break
			}
			in.NextToken = page.NextToken
		}
	}
	return env, nil
}

// Versions reads names and versions of the same variables, and no values: who
// only compares needs no right to read secrets. With the account's own key,
// whoever may get a parameter may decrypt it.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func (c Clients) Versions(ctx context.Context, scope Scope) (map[string]string, error) {
	versions := map[string]string{}
	for _, folder := range scope.folders() {
		found, err := c.describeParameters(ctx, "Path", "OneLevel", folder)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			versions[strings.TrimPrefix(p.Name, folder+"/")] = scope.version(folder, p.Version, p.LastModifiedDate)
		}
	}
	return versions, nil
}

// version tells two settings of a parameter apart, also when it was deleted and
// made again in between: then it counts from 1 again. A stack's own is another
// one than its stage's.
func (s Scope) version(folder string, number int64, modified ssm.Time) string {
	own := ""
	if folder != EnvFolder(s.App, s.Stage) {
		own = "@" + s.Stack
	}
	return fmt.Sprintf("%d@%d%s", number, modified.Unix(), own)
}

// Setting is an environment variable as it is kept, without its value.
type Setting struct {
	Scope
	Name    string
	Version int64
	Set     time.Time
	Clear   bool // kept without encryption
}

// Settings lists the environment variables of all stages of an app, by stage,
// stack and name. It reads no value.
func (c Clients) Settings(ctx context.Context, app string, stages []string) ([]Setting, error) {
	found, err := c.describeParameters(ctx, "Path", "Recursive", "/"+app)
	if err != nil {
		return nil, err
	}
	var all []Setting
	for _, p := range found {
		parts := strings.Split(strings.TrimPrefix(p.Name, "/"+app+"/"), "/")
		if !slices.Contains(stages, parts[0]) || len(parts) < 2 || len(parts) > 3 {
			continue // arc's own, and what other programs keep there
		}
		one := Setting{Scope: Scope{App: app, Stage: parts[0]}, Name: parts[len(parts)-1], Version: p.Version, Set: p.LastModifiedDate.Time, Clear: p.Type != ssm.SecureString}
		if len(parts) == 3 {
			one.Stack = parts[1]
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Setting) int {
		return cmp.Or(cmp.Compare(slices.Index(stages, a.Stage), slices.Index(stages, b.Stage)), strings.Compare(a.Stack, b.Stack), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// SetOutcome is what came of setting a variable.
type SetOutcome struct {
	// Changed is false where it had the value: to set that again would have the
	// next deploy update every function that reads it.
	Changed bool
	Version int64 // of the parameter, which has the value now
	// Lost are versions that others set after the value was read that this one
	// takes the place of, with another value: nobody who set one was told.
	Lost []int64
	// Removed tells that it was removed meanwhile.
	Removed bool
}

// SetEnv keeps a variable, encrypted with the account's own key. SSM cannot be
// told to set a value only over the one that was read, but numbers the versions,
// so that who comes last knows of the others.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
func (c Clients) SetEnv(ctx context.Context, scope Scope, name, value string) (SetOutcome, error) {
	path := scope.Folder() + "/" + name
	var before int64
	got, err := c.Parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{path}, WithDecryption: true})
	unread := isCode(err, "AccessDeniedException") // who may write and not read sets it again
	switch {
	case err != nil && !unread:
		return SetOutcome{}, fmt.Errorf("read %s in SSM: %w", path, err)
	case err == nil && len(got.Parameters) == 1:
		there := got.Parameters[0]
		if there.Type == ssm.SecureString && there.Value == value {
			return SetOutcome{Version: there.Version}, nil
		}
		before = there.Version
	}
	put, err := c.Parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: path, Value: value, Type: ssm.SecureString, Overwrite: true})
	if err != nil {
		return SetOutcome{}, fmt.Errorf("set %s in SSM: %w", path, err)
	}
	out := SetOutcome{Changed: true, Version: put.Version, Removed: !unread && put.Version <= before}
	if !unread {
		out.Lost = c.othersValues(ctx, path, value, before+1, put.Version)
	}
	return out, nil
}

// othersValues are the versions of a parameter from one to before another whose
// value is not this one: a call whose answer was lost is made twice. One that
// cannot be read counts as another value.
func (c Clients) othersValues(ctx context.Context, path, value string, from, before int64) (others []int64) {
	const most = 10 // GetParameters takes no more; older ones were lost to the others among these
	from = max(from, before-most)
	var names []string
	for v := from; v < before; v++ {
		names = append(names, fmt.Sprintf("%s:%d", path, v))
		others = append(others, v)
	}
	if len(names) == 0 {
		return nil
	}
	got, err := c.Parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: true})
	if err != nil {
		return others
	}
	return slices.DeleteFunc(others, func(v int64) bool {
		return slices.ContainsFunc(got.Parameters, func(p ssm.Parameter) bool { return p.Version == v && p.Value == value })
	})
}

// RemoveEnv removes a variable; was tells whether there was one.
func (c Clients) RemoveEnv(ctx context.Context, scope Scope, name string) (was bool, err error) {
	path := scope.Folder() + "/" + name
	out, err := c.Parameters.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{path}})
	if err != nil {
		return false, fmt.Errorf("remove %s from SSM: %w", path, err)
	}
	return len(out.DeletedParameters) > 0, nil
}

// describeParameters lists parameters without their values.
func (c Clients) describeParameters(ctx context.Context, key, option, value string) ([]ssm.Metadata, error) {
	in := &ssm.DescribeParametersInput{ParameterFilters: []ssm.Filter{{Key: key, Option: option, Values: []string{value}}}}
	var all []ssm.Metadata
	for {
		page, err := c.Parameters.DescribeParameters(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the parameters in SSM at %s: %w", value, err)
		}
		all = append(all, page.Parameters...)
		if page.NextToken == "" {
			return all, nil
		}
		in.NextToken = page.NextToken
	}
}

// EnvFolder is where the user's variables of a stage are in SSM.
func EnvFolder(app, stage string) string { return "/" + app + "/" + stage }
