package lambda

import (
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sync"
)

// responders are modules by which functions answer the requests of custom resources.
//
//go:embed responder
var responders embed.FS

// responder is a module that CloudFormation adds to code of a template.
type responder struct {
	asked *regexp.Regexp // how code asks for it: in no other way
	file  string         // of ours
	place string         // beside the code
}

// responderOf gives the module of a language, by the prefix of its runtimes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
var responderOf = sync.OnceValue(func() map[string]responder {
	return map[string]responder{
		"nodejs": {regexp.MustCompile(`require\(\s*['"]cfn-response['"]\s*\)`), "cfn-response.js", "node_modules/cfn-response/index.js"},
		"python": {regexp.MustCompile(`(?m)^\s*import cfnresponse\s*(#.*)?$`), "cfnresponse.py", "cfnresponse.py"},
	}
})

// addResponder puts the module beside code of a template that asks for it.
func addResponder(dir, language, code string) error {
	r := responderOf()[language]
	if r.asked == nil || !r.asked.MatchString(code) {
		return nil
	}
	text, err := responders.ReadFile(path.Join("responder", r.file))
	if err != nil {
		return err
	}
	to := filepath.Join(dir, filepath.FromSlash(r.place))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("code of the template: %w", err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		return fmt.Errorf("code of the template: %w", err)
	}
	return nil
}
