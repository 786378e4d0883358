package deploy

import (
	"context"
	"fmt"
	"strings"

	"arc/deploy/ssm"
)

// Variable is an environment variable that the user keeps for a stage.
type Variable struct {
	Value   string // a secret
	Version string // changes whenever the value is set, and tells nothing of it
}

// Env reads the environment variables that the user keeps for a stage, in SSM
// as /<app>/<stage>/<NAME>, by name. They are secrets: they go into NoEcho
// parameters and nowhere else.
func (c Clients) Env(ctx context.Context, app, stage string) (map[string]Variable, error) {
	folder := EnvFolder(app, stage)
	in := &ssm.GetParametersByPathInput{Path: folder, WithDecryption: true}
	env := map[string]Variable{}
	for {
		page, err := c.Parameters.GetParametersByPath(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read the environment variables in SSM under %s: %w", folder, err)
		}
		for _, p := range page.Parameters {
			env[strings.TrimPrefix(p.Name, folder+"/")] = Variable{p.Value, version(p.Version, p.LastModifiedDate)}
		}
		if page.NextToken == "" {
			return env, nil
		}
		in.NextToken = page.NextToken
	}
}

// Versions reads names and versions of the same variables, and no values: who
// only compares needs no right to read secrets. With the account's own key,
// whoever may get a parameter may decrypt it.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func (c Clients) Versions(ctx context.Context, app, stage string) (map[string]string, error) {
	folder := EnvFolder(app, stage)
	found, err := c.describeParameters(ctx, "Path", "OneLevel", folder)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, p := range found {
		versions[strings.TrimPrefix(p.Name, folder+"/")] = version(p.Version, p.LastModifiedDate)
	}
	return versions, nil
}

// version tells two settings of a parameter apart, also when it was deleted and
// made again in between: then it counts from 1 again.
func version(number int64, modified ssm.Time) string {
	return fmt.Sprintf("%d@%d", number, modified.Unix())
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
