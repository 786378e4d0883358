package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// environment is all that the process of a worker sees: what Lambda sets, what
// the local cloud sets for every function, and the function's own variables.
// Of the developer's environment only PATH goes along.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (w *worker) environment(scratch string) map[string]string {
	fn := w.fn
	env := map[string]string{
		"HOME":                           filepath.Join(scratch, "home"), // not the developer's, with its profiles and keys
		"LANG":                           "en_US.UTF-8",
		"TZ":                             ":UTC",
		"AWS_EXECUTION_ENV":              "AWS_Lambda_" + fn.Runtime,
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":      fn.Logs(),
		"AWS_LAMBDA_LOG_STREAM_NAME":     w.logStream,
	}
	if region := regionOf(fn.ARN); region != "" { // that of its stack, which may be another than the cloud's
		env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = region, region
	}
	maps.Copy(env, w.service.options.Env(fn))
	for pair := range strings.SplitSeq(fn.LocalEnv, "\x00") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	maps.Copy(env, fn.Env)
	// Nobody may change these: the worker could not run, or would be another.
	maps.Copy(env, map[string]string{
		"PATH":                            w.service.options.Path,
		"AWS_LAMBDA_RUNTIME_API":          w.address,
		"AWS_LAMBDA_FUNCTION_NAME":        fn.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     fn.version(),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(fn.MemoryMB),
		"LAMBDA_TASK_ROOT":                fn.Dir,
		"LAMBDA_RUNTIME_DIR":              filepath.Join(scratch, "bootstrap"),
		"_HANDLER":                        fn.Handler,
	})
	return env
}

// pairs lists variables as a process takes them, sorted.
func pairs(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// logStream names the log stream of a worker that starts now.
func logStream(now time.Time) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return now.UTC().Format("2006/01/02") + "/[$LATEST]" + hex.EncodeToString(b[:])
}

func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}
