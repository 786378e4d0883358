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
			// A parameter that is deleted and made again counts from 1 again.
			version := fmt.Sprintf("%d@%d", p.Version, p.LastModifiedDate.Unix())
			env[strings.TrimPrefix(p.Name, folder+"/")] = Variable{p.Value, version}
		}
		if page.NextToken == "" {
			return env, nil
		}
		in.NextToken = page.NextToken
	}
}

// EnvFolder is where the user's variables of a stage are in SSM.
func EnvFolder(app, stage string) string { return "/" + app + "/" + stage }
