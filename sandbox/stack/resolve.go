package stack

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// dynamicReference is {{resolve:ssm:name}} or {{resolve:ssm-secure:name:3}}.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
var dynamicReference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{resolve:([a-z-]+):([^}]*)\}\}`) })

// resolve replaces the dynamic references in evaluated properties. It is not
// done for what is shown, so that no secret gets into an event.
func (e *Engine) resolve(ctx context.Context, properties map[string]any) (map[string]any, error) {
	v, err := e.resolveValue(ctx, properties)
	if err != nil {
		return nil, err
	}
	return v.(map[string]any), nil
}

func (e *Engine) resolveValue(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case string:
		return e.resolveText(ctx, v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, el := range v {
			x, err := e.resolveValue(ctx, el)
			if err != nil {
				return nil, err
			}
			out[key] = x
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, el := range v {
			x, err := e.resolveValue(ctx, el)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	}
	return v, nil
}

func (e *Engine) resolveText(ctx context.Context, s string) (any, error) {
	if !strings.Contains(s, "{{resolve:") {
		return s, nil
	}
	var failed error
	out := dynamicReference().ReplaceAllStringFunc(s, func(match string) string {
		parts := dynamicReference().FindStringSubmatch(match)
		if parts[1] == "secretsmanager" && e.options.Secret != nil {
			value, err := e.secret(parts[2])
			if err != nil {
				failed = fmt.Errorf("dynamic reference %s: %w", match, err)
			}
			return value
		}
		if parts[1] != "ssm" && parts[1] != "ssm-secure" || e.options.Parameter == nil {
			failed = fmt.Errorf("dynamic reference %s: the local cloud resolves ssm, ssm-secure and secretsmanager only", match)
			return match
		}
		name, _, _ := strings.Cut(parts[2], ":") // the latest version stands for any
		value, err := e.options.Parameter(ctx, name)
		if err != nil {
			failed = fmt.Errorf("dynamic reference %s: %w", match, err)
		}
		return value
	})
	return out, failed
}

// secret reads SECRET:SecretString:KEY:STAGE:VERSION, of which all but the first
// may be left out. SECRET may be an ARN.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
func (e *Engine) secret(text string) (string, error) {
	called, rest, _ := strings.Cut(text, ":SecretString")
	parts := append(strings.Split(strings.TrimPrefix(rest, ":"), ":"), "", "", "")
	return e.options.Secret(called, parts[0], parts[1], parts[2])
}
