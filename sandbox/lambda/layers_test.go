//go:build unix

package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/lambda"
)

// TestLayers gives functions layers of their own stack: what these hold is found
// where Lambda looks for it, a later layer's over an earlier one's, and before
// what is not the function's own.
func TestLayers(t *testing.T) {
	for _, tool := range []string{"node", "python3", "ruby"} {
		need(t, tool)
	}
	zips := map[string]string{
		"first": folder(t, `
-- nodejs/node_modules/greet/index.js --
module.exports = 'greet one'
-- nodejs/node_modules/only/index.js --
module.exports = 'only one'
-- python/greet.py --
word = 'python one'
-- ruby/lib/greet.rb --
WORD = 'ruby one'
-- bin/hello --
#!/bin/sh
echo program one
-- extensions/watcher --
#!/bin/sh
-- extensions/lib/part --
`),
		"second": folder(t, `
-- nodejs/node_modules/greet/index.js --
module.exports = 'greet two'
`),
		"node": folder(t, `
-- index.js --
const { execFileSync } = require('child_process')
exports.handler = async () => [require('greet'), require('only'), execFileSync('hello').toString().trim(), process.env.OWN].join()
`),
		"python": folder(t, `
-- index.py --
import greet
def handler(event, context):
    return greet.word
`),
		"ruby": folder(t, `
-- index.rb --
require 'greet'
def handler(event:, context:) = WORD
`),
		"lacks": folder(t, `
-- index.js --
require('nowhere')
`),
		"empty": folder(t, "-- readme --\n"),
	}
	var mu sync.Mutex
	var told []string
	s := newStacks(t, lambda.Options{
		Account: account, Region: "us-west-2",
		Code: func(_ context.Context, _, key string) (lambda.Unpacked, error) {
			if zips[key] == "" {
				return lambda.Unpacked{}, fmt.Errorf("there is no %s", key)
			}
			return lambda.Unpacked{Dir: zips[key]}, nil
		},
		Tell: func(e activity.Event) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, e.Text)
		},
	})
	const foreign = "arn:aws:lambda:us-west-2:123456789012:layer:tools:7"
	code := func(key string) props { return props{"S3Bucket": "b", "S3Key": key} }
	fn := func(runtime, key string, layers ...any) props {
		return resource("Function", props{"Runtime": runtime, "Handler": "index.handler", "Timeout": 20, "MemorySize": 512, "Role": "r", "Code": code(key), "Layers": layers,
			"Environment": props{"Variables": props{"OWN": "own"}}})
	}
	resources := props{
		"First":  resource("LayerVersion", props{"Content": code("first")}),
		"Second": resource("LayerVersion", props{"Content": code("second")}),
		"Node":   fn("nodejs22.x", "node", ref("First"), ref("Second")),
		"Turned": fn("nodejs22.x", "node", ref("Second"), ref("First")),
		"Python": fn("python3.12", "python", ref("First")),
		"Ruby":   fn("ruby3.3", "ruby", ref("First")),
		"Lacks":  fn("nodejs22.x", "lacks", foreign),
		"Again":  fn("nodejs22.x", "lacks", foreign),
		"Rust":   fn("provided.al2023", "empty", foreign),
	}
	outputs := props{}
	for name := range resources {
		outputs[name] = ref(name)
	}
	out := s.must(resources, outputs)
	for name, want := range map[string]string{
		"Node": `"greet two,only one,program one,own"`, "Turned": `"greet one,only one,program one,own"`, "Python": `"python one"`, "Ruby": `"ruby one"`,
	} {
		if got := s.invoke(out[name], "{}"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := s.result(out["Lacks"], "{}"); !strings.Contains(string(got.Payload), "a layer may hold it that is another account's and not here: "+foreign) {
		t.Errorf("a module of a foreign layer: %s", got.Payload)
	}
	if got := s.result(out["Rust"], "{}"); !strings.Contains(string(got.Payload), "which is missing; a layer may hold it that is another account's and not here: "+foreign) {
		t.Errorf("a runtime of a foreign layer: %s", got.Payload)
	}
	mu.Lock()
	all := strings.Join(told, "\n")
	mu.Unlock()
	if strings.Count(all, "the layer "+foreign+" is another account's") != 1 || strings.Count(all, "layers are not mounted at /opt here: this program mounts none; arc does.") != 1 ||
		strings.Count(all, "/opt/extensions/watcher of a layer is not run here") != 1 || strings.Count(all, "/opt/extensions") != 1 {
		t.Errorf("told:\n%s", all)
	}
	for want, wrong := range map[string]props{
		"Layer version arn:aws:lambda:us-west-2:" + account + ":layer:none:1 does not exist": fn("nodejs22.x", "node", "arn:aws:lambda:us-west-2:"+account+":layer:none:1"),
		"property Content: there is no nothing":                                              resource("LayerVersion", props{"Content": code("nothing")}),
		"property Content: is required":                                                      resource("LayerVersion", props{}),
	} {
		if err := other(s, wrong); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// other makes a stack of one resource beside the first.
func other(s *stacks, it props) error {
	body, err := json.Marshal(props{"Resources": props{"It": it}})
	if err != nil {
		return err
	}
	return s.engine.Apply(context.Background(), "Other", body, nil, nil)
}
