package lockfile

import (
	"regexp"
	"strings"
	"sync"
)

// requirement is a line that pins: requests[security]==2.31.0 ; python_version > "3".
var requirement = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;#\\,*]+)\s*(?:[;#\\].*|--.*)?$`)
})

// sameName are the characters that a Python name may be spelled with alike.
// https://packaging.python.org/en/latest/specifications/name-normalization/
var sameName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[-_.]+`) })

// PythonName is the one spelling of a Python package's name.
func PythonName(name string) string {
	return strings.ToLower(sameName().ReplaceAllString(name, "-"))
}

// readRequirements reads the lines that pin one version. What a line leaves
// open, or another file says, is not known.
func readRequirements(data []byte, found pins) {
	for line := range lines(data) {
		if m := requirement().FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			found.add(PythonName(m[1]), m[2])
		}
	}
}

// readGemfile reads the gems below "specs:", which are indented by four; what
// they need is indented by six.
func readGemfile(data []byte, found pins) {
	specs := false
	for line := range lines(data) {
		gem, isGem := strings.CutPrefix(line, "    ")
		switch {
		case line == "  specs:":
			specs = true
		case line == "" || line[0] != ' ':
			specs = false
		case specs && isGem && !strings.HasPrefix(gem, " "):
			if name, version, ok := strings.Cut(gem, " ("); ok {
				found.add(name, strings.TrimSuffix(version, ")"))
			}
		}
	}
}
