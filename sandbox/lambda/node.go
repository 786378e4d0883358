package lambda

import (
	"fmt"
	"slices"
	"strings"
)

// turnedOff are the flags by which Lambda's runtimes turn off what Node does by itself,
// unless NODE_OPTIONS turns it on again: ES modules by require, and .js files taken for
// ES modules by what is written in them. A Node that does not know a flag does not
// have what it turns off.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
// https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/138
func turnedOff(runtime, version, options string) (flags []string) {
	var major, minor int
	fmt.Sscanf(version, "%d.%d", &major, &minor)
	for _, f := range []struct {
		name     string
		runtimes []string
		known    bool
	}{
		{"experimental-require-module", []string{"nodejs20.x", "nodejs22.x"}, major >= 22 || major == 20 && minor >= 17},
		{"experimental-detect-module", []string{"nodejs22.x"}, major >= 22 || major == 21 && minor >= 1 || major == 20 && minor >= 10},
	} {
		if f.known && slices.Contains(f.runtimes, runtime) && !slices.Contains(strings.Fields(options), "--"+f.name) {
			flags = append(flags, "--no-"+f.name)
		}
	}
	return flags
}
