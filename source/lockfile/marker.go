package lockfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Environment is what a Python package's conditions are about:
// https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers.
type Environment struct {
	Python  string // "3.12"
	Machine string // "x86_64", "aarch64", or "arm64" on macOS
	System  string // "Linux", "Darwin", "Windows"; "" = Linux
}

// Lambda is the environment of a runtime's functions.
func Lambda(python, arch string) Environment {
	if arch == "arm64" {
		arch = "aarch64"
	}
	return Environment{Python: python, Machine: arch, System: "Linux"}
}

func (e Environment) value(name, extra string) (string, bool) {
	system := e.System
	if system == "" {
		system = "Linux"
	}
	switch name {
	case "python_version":
		return e.Python, true
	case "python_full_version", "implementation_version":
		return e.Python + ".0", true
	case "os_name", "os.name":
		if system == "Windows" {
			return "nt", true
		}
		return "posix", true
	case "sys_platform", "sys.platform":
		return map[string]string{"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}[system], true
	case "platform_system":
		return system, true
	case "platform_machine", "platform.machine":
		return e.Machine, true
	case "platform_python_implementation", "python_implementation":
		return "CPython", true
	case "implementation_name":
		return "cpython", true
	case "extra":
		return extra, true
	case "platform_release", "platform_version":
		return "", true
	}
	return "", false
}

// Holds evaluates a marker: python_version >= "3.8" and sys_platform != "win32".
// An empty one holds.
func (e Environment) Holds(marker string) (bool, error) { return e.holds(marker, "") }

func (e Environment) holds(marker, extra string) (bool, error) {
	if strings.TrimSpace(marker) == "" {
		return true, nil
	}
	m := &markerReader{env: e, extra: extra, words: markerWord().FindAllString(marker, -1)}
	if got := strings.Join(m.words, ""); strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(marker), "") {
		return false, fmt.Errorf("the condition %s cannot be read", marker)
	}
	holds := m.or()
	if m.err == nil && m.at < len(m.words) {
		m.fail()
	}
	if m.err != nil {
		return false, fmt.Errorf("the condition %s cannot be read", marker)
	}
	return holds, nil
}

var markerWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"[^"]*"|'[^']*'|[A-Za-z_.]+|===|[<>=!~]=|[<>()]`) })

type markerReader struct {
	env   Environment
	extra string
	words []string
	at    int
	err   error
}

func (m *markerReader) fail() { m.err = fmt.Errorf("word %d", m.at) }

func (m *markerReader) peek() string {
	if m.at < len(m.words) {
		return m.words[m.at]
	}
	return ""
}

func (m *markerReader) next() string {
	w := m.peek()
	m.at++
	return w
}

func (m *markerReader) or() bool {
	holds := m.and()
	for m.err == nil && m.peek() == "or" {
		m.at++
		more := m.and()
		holds = holds || more
	}
	return holds
}

func (m *markerReader) and() bool {
	holds := m.one()
	for m.err == nil && m.peek() == "and" {
		m.at++
		more := m.one()
		holds = holds && more
	}
	return holds
}

func (m *markerReader) one() bool {
	if m.peek() == "(" {
		m.at++
		holds := m.or()
		if m.next() != ")" {
			m.fail()
		}
		return holds
	}
	left, version := m.value()
	op := m.next()
	if op == "not" {
		op += " " + m.next()
	}
	right, alike := m.value()
	if m.err != nil {
		return false
	}
	switch op {
	case "in":
		return strings.Contains(right, left)
	case "not in":
		return !strings.Contains(right, left)
	}
	if version || alike {
		return compareVersion(left, op, right)
	}
	switch op {
	case "==", "===":
		return left == right
	case "!=":
		return left != right
	case "<":
		return left < right
	case "<=":
		return left <= right
	case ">":
		return left > right
	case ">=":
		return left >= right
	}
	m.fail()
	return false
}

// value reads a variable or a string, and tells whether it is a version.
func (m *markerReader) value() (value string, version bool) {
	w := m.next()
	if len(w) >= 2 && (w[0] == '"' || w[0] == '\'') {
		return w[1 : len(w)-1], false
	}
	value, ok := m.env.value(w, m.extra)
	if !ok {
		m.fail()
	}
	return value, strings.HasSuffix(w, "version") && w != "platform_version"
}

// compareVersion compares release numbers, which is all that conditions on
// Python's version have.
func compareVersion(a, op, b string) bool {
	if prefix, any := strings.CutSuffix(b, ".*"); any {
		same := a == prefix || strings.HasPrefix(a, prefix+".")
		return same == (op == "==")
	}
	x, y := release(a), release(b)
	for len(x) < len(y) {
		x = append(x, 0)
	}
	short := len(y)
	for len(y) < len(x) {
		y = append(y, 0)
	}
	c := slices.Compare(x, y)
	switch op {
	case "==", "===":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "~=":
		return c >= 0 && short > 1 && slices.Equal(x[:short-1], y[:short-1])
	}
	return false
}

func release(v string) []int {
	var list []int
	for part := range strings.SplitSeq(v, ".") {
		digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
		n, _ := strconv.Atoi(digits)
		list = append(list, n)
	}
	return list
}
