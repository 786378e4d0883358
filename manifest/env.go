package manifest

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"arc/manifest/syntax"
)

// MaxEnvBytes is Lambda's limit for the names and values of all environment
// variables of one function.
const MaxEnvBytes = 4096

// arcEnv are the variables that arc sets for every function; the user's would
// lose.
var arcEnv = []string{"ARC_APP_NAME", "ARC_DISABLE_ENV_VARS", "ARC_ENV", "ARC_ROLE", "ARC_SANDBOX", "ARC_STACK_NAME",
	"ARC_STATIC_BUCKET", "ARC_STATIC_PREFIX", "ARC_STATIC_SPA", "ARC_WSS_URL"}

// lambdaEnv are the variables that Lambda keeps for itself (Lambda developer
// guide, "Defined runtime environment variables"): it refuses a function that
// sets one.
var lambdaEnv = []string{"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT"}

// EnvNameReserved says whether arc or Lambda sets the variable itself, so that
// a value of the user's has no effect, here or there.
func EnvNameReserved(name string) bool {
	return slices.Contains(arcEnv, name) || slices.Contains(lambdaEnv, name)
}

// EnvNameProblem says why name cannot be an environment variable of a deployed
// function; "" when it can.
func EnvNameProblem(name string) string {
	switch {
	case name == "" || !onlyWordsAnd(name, "_"):
		return "a name holds letters, digits and _"
	case slices.Contains(arcEnv, name):
		return "arc sets it itself"
	case slices.Contains(lambdaEnv, name):
		return "Lambda keeps it for itself"
	case name[0] == '_' || '0' <= name[0] && name[0] <= '9' || len(name) < 2:
		return "Lambda wants a letter first, and two characters at least"
	}
	return ""
}

// checkEnvName reports a variable that cannot be set; one that only the
// sandbox can set is a warning.
func (l *loader) checkEnvName(name string, where span) bool {
	problem := EnvNameProblem(name)
	switch {
	case problem == "":
		return true
	case name == "" || !onlyWordsAnd(name, "_"):
		l.errorf(where, "env-name", "use letters, digits and _", "%s cannot be the name of an environment variable", name)
		return false
	}
	l.warnf(where, "env-reserved", "choose another name", "the variable %s cannot be deployed: %s", name, problem)
	return true
}

// checkEnvSize warns before Lambda refuses.
func (l *loader) checkEnvSize(stage string, vars []EnvVar) {
	size := 0
	for _, v := range vars {
		before := size
		size += len(v.Name) + len(v.Value)
		if before <= MaxEnvBytes && size > MaxEnvBytes {
			l.warnf(atName(v.Pos, v.Name), "env-size", "keep large values in a file or in SSM, and read them from there",
				"the variables of %s pass 4 KB with %s, and Lambda takes no more", stage, v.Name)
		}
	}
}

// dotenvName is what may stand before = in .env.
var dotenvName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)\s*`) })

// readDotenv reads .env: where it exists, its variables are those of testing,
// and there are no others (manifest reference, 9.2).
func (l *loader) readDotenv() {
	const name = ".env"
	if !l.folders.hasFile(name) {
		return
	}
	src, err := fs.ReadFile(l.files, name) // a pipe, too: password managers write into one
	if err != nil {
		l.unreadable(name, err)
		return
	}
	l.dotenv = true
	// The text is kept out of Sources: a quoted line would print a secret.
	vars := l.parseDotenv(name, string(src))
	l.app.Env = map[string][]EnvVar{"testing": vars}
}

// parseDotenv reads KEY=value lines; a value in quotes may span lines.
func (l *loader) parseDotenv(name, src string) []EnvVar {
	var vars []EnvVar
	index := map[string]int{}
	for _, ln := range scanDotenv(plainLines(src)) {
		pos := syntax.Pos{File: name, Line: ln.line, Col: ln.col}
		if ln.name == "" {
			l.warnf(span{from: pos}, "env-line", "write NAME=value", "this line sets no variable")
			continue
		}
		v := EnvVar{Name: ln.name, Value: ln.value, Pos: pos}
		if ln.open {
			l.warnf(span{from: syntax.Pos{File: name, Line: ln.line, Col: ln.valueCol}}, "env-quote", "close the quote, or write the value without one",
				"the quote of %s is never closed, so it is part of the value, which ends with the line", v.Name)
		}
		l.checkDotenvName(v.Name, atName(v.Pos, v.Name))
		if i, again := index[v.Name]; again {
			vars[i] = v
		} else {
			index[v.Name] = len(vars)
			vars = append(vars, v)
		}
	}
	return vars
}

// plainLines is a text without a mark in front, and with \n at the end of lines.
func plainLines(src string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(src, "\ufeff"))
}

// dotenvLine is what sets a variable in .env, or is meant to.
type dotenvLine struct {
	name, value         string // name "": it sets none
	open                bool   // its quote is never closed
	line, col, valueCol int
	from, to            int // where it is in the text, with the end of its last line
	valueFrom, valueTo  int // where its value is, in its quotes
}

// scanDotenv finds the lines of .env that are neither empty nor comments.
func scanDotenv(src string) []dotenvLine {
	var lines []dotenvLine
	for n, at := 1, 0; at < len(src); {
		rest := src[at:]
		text, _, _ := strings.Cut(rest, "\n")
		used := len(text)
		if trimmed := strings.TrimSpace(text); trimmed != "" && !strings.HasPrefix(trimmed, "#") {
			ln := dotenvLine{line: n, col: 1 + len(text) - len(strings.TrimLeft(text, " \t")), from: at}
			if m := dotenvName().FindStringSubmatchIndex(text); m != nil {
				ln.name, ln.col, ln.valueCol = text[m[2]:m[3]], m[2]+1, m[1]+1
				var length int
				ln.value, length, ln.open = dotenvValue(rest[m[1]:])
				used = max(used, m[1]+length)
				ln.valueFrom, ln.valueTo = at+m[1], at+m[1]+length
			}
			end := at + used
			if i := strings.IndexByte(src[end:], '\n'); i >= 0 {
				end += i + 1
			} else {
				end = len(src)
			}
			ln.to = end
			lines = append(lines, ln)
			n += strings.Count(src[at:end], "\n")
			at = end
			continue
		}
		n++
		at += used + 1
	}
	return lines
}

// checkDotenvName is checkEnvName for .env, which is for this machine alone:
// nothing of it is deployed, so whatever a process takes as a name is set.
func (l *loader) checkDotenvName(name string, where span) {
	problem := EnvNameProblem(name)
	switch {
	case problem == "":
	case EnvNameReserved(name):
		l.warnf(where, "env-reserved", "choose another name", "the variable %s has no effect: %s", name, problem)
	default:
		l.warnf(where, "env-reserved", "choose another name before you need it in a deploy",
			"the variable %s is there on this machine only and cannot be deployed: %s", name, problem)
	}
}

// dotenvValue reads the value at the start of text, and tells how much of text
// it takes, and whether it begins with a quote that is never closed.
func dotenvValue(text string) (value string, length int, open bool) {
	if text != "" && strings.ContainsRune("\"'`", rune(text[0])) {
		quote := text[0]
		for i := 1; i < len(text); i++ {
			if text[i] == '\\' && i+1 < len(text) && text[i+1] == quote {
				i++
				continue
			}
			if text[i] == quote {
				value = text[1:i]
				if quote == '"' {
					value = strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(value)
				}
				return value, i + 1, false
			}
		}
	}
	open = text != "" && strings.ContainsRune("\"'`", rune(text[0]))
	value, _, _ = strings.Cut(text, "\n")
	length = len(value)
	value, _, _ = strings.Cut(value, "#")
	return strings.TrimSpace(value), length, open
}
