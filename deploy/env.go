package deploy

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Env reads the environment variables that the user keeps for a stage, in SSM
// as /<app>/<stage>/<NAME>. They are secrets: they go into NoEcho parameters
// and nowhere else.
func (c Clients) Env(ctx context.Context, app, stage string) (map[string]string, error) {
	folder := "/" + app + "/" + stage
	in := &ssm.GetParametersByPathInput{Path: aws.String(folder), WithDecryption: aws.Bool(true)}
	env := map[string]string{}
	for {
		page, err := c.Parameters.GetParametersByPath(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read the environment variables in SSM under %s: %w", folder, err)
		}
		for _, p := range page.Parameters {
			env[strings.TrimPrefix(aws.ToString(p.Name), folder+"/")] = aws.ToString(p.Value)
		}
		if aws.ToString(page.NextToken) == "" {
			return env, nil
		}
		in.NextToken = page.NextToken
	}
}
