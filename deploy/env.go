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

// SetEnv keeps a variable, encrypted with the account's own key. It tells whether
// that changed anything: to set the same value again would have the next deploy
// update every function that reads it.
func (c Clients) SetEnv(ctx context.Context, scope Scope, name, value string) (changed bool, err error) {
	path := scope.Folder() + "/" + name
	// Who may write and not read sets it again.
	got, err := c.Parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{path}, WithDecryption: true})
	if err == nil && len(got.Parameters) == 1 && got.Parameters[0].Type == ssm.SecureString && got.Parameters[0].Value == value {
		return false, nil
	}
	if err != nil && !isCode(err, "AccessDeniedException") {
		return false, fmt.Errorf("read %s in SSM: %w", path, err)
	}
	if err := c.Parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: path, Value: value, Type: ssm.SecureString, Overwrite: true}); err != nil {
		return false, fmt.Errorf("set %s in SSM: %w", path, err)
	}
	return true, nil
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
