package manifest

import (
	"strconv"
	"strings"

	"arc/manifest/syntax"
)

// named is one thing that a pragma lists by name: an action, event, queue,
// schedule, table or stream.
type named struct {
	name     string
	value    syntax.Value // the name as written
	pos      syntax.Pos
	function *Function
	rest     []syntax.Value // further words of the line, where the rule allows them
	keys     []line         // the map's lines, without src
	bare     bool           // stood on one line
}

// nameRule is what a pragma asks of its names.
type nameRule struct {
	min, max int                 // characters
	dots     bool                // events and queues: rules about periods and AWS's own words
	words    bool                // further words may follow the name
	normal   func(string) string // other spellings of a name
	repeats  bool                // a name may come twice
	noSource bool                // has no function: @tables
}

// namedItems reads the items of a pragma that lists things by name, and gives
// each a Function in src/<pragma>/<name>.
func (l *loader) namedItems(p *syntax.Pragma, rule nameRule) []named {
	var found []named
	first := map[string]syntax.Pos{}
	for _, it := range p.Items {
		n, ok := l.namedItem(p, it, rule)
		if !ok {
			continue
		}
		if other, again := first[n.name]; again && !rule.repeats {
			l.errorf(at(n.value), "duplicate-name", "remove one of the two", "@%s %s is at %s already", p.Name, n.name, other)
			continue
		}
		first[n.name] = n.pos
		found = append(found, n)
	}
	return found
}

func (l *loader) namedItem(p *syntax.Pragma, it *syntax.Item, rule nameRule) (named, bool) {
	v := it.Name()
	n := named{name: v.Text, value: v, pos: it.Pos, bare: it.Kind == syntax.Scalar || it.Kind == syntax.Tuple}
	if rule.normal != nil {
		n.name = rule.normal(n.name)
	}
	switch {
	case it.Kind == syntax.Vector:
		hint := "write a key and a value, such as src src/" + p.Name + "/" + n.name
		if rule.noSource {
			hint = tableUsage
		}
		l.errorf(at(it.List[0]), "item-form", hint, "the lines below %s must each be a key and a value", v.Text)
		return n, false
	case it.Kind == syntax.Tuple && !rule.words:
		l.errorf(atAll(it.Values[1:]), "item-form", "write one name a line",
			"@%s takes one name a line, but here are %d words", p.Name, len(it.Values))
		return n, false
	}
	if !l.checkName(p.Name, n.name, v, rule) {
		return n, false
	}
	n.rest = it.Values[1:]
	spec := findPragma(pragmas, p.Name)
	var src syntax.Value
	seen := map[string]syntax.Value{}
	for _, ln := range entryLines(it.Entries) {
		s := l.settingOf(spec, ln)
		if s != nil {
			l.repeats(seen, s.name, ln)
			if s.name == "src" {
				src, _ = l.single(s, ln)
				continue
			}
		}
		if s != nil || spec.open {
			n.keys = append(n.keys, ln)
		}
	}
	if rule.noSource {
		return n, true
	}
	dir, ok := l.sourceDir(src, "src/"+p.Name+"/"+n.name)
	n.function = &Function{Pragma: p.Name, Name: n.name, Dir: dir, Pos: it.Pos}
	l.written[n.function] = written{at(v), src.Text != ""}
	return n, ok
}

// nameCharacters are allowed in names beside letters and digits.
const nameCharacters = "/-._"

// checkName applies a pragma's rule to one name.
func (l *loader) checkName(pragma, name string, v syntax.Value, rule nameRule) bool {
	before := len(l.ds)
	if bad := strangers(name, nameCharacters); bad != "" {
		l.errorf(at(v), "name-characters", "use letters, digits, and / - . _", "the name %s of @%s cannot hold %s", name, pragma, bad)
	}
	if len(name) < rule.min {
		l.errorf(at(v), "name-length", "make it longer", "the name %q of @%s is shorter than %d characters", name, pragma, rule.min)
	}
	if len(name) > rule.max {
		l.errorf(at(v), "name-length", "shorten it by "+strconv.Itoa(len(name)-rule.max),
			"the name of this item of @%s has %d characters, but %d are the limit", pragma, len(name), rule.max)
	}
	if rule.dots {
		l.checkDots(pragma, name, v)
	}
	return len(l.ds) == before
}

func (l *loader) checkDots(pragma, name string, v syntax.Value) {
	lower := strings.ToLower(name)
	switch {
	case strings.HasPrefix(name, "."):
		l.errorf(at(v), "name-period", "write "+strings.TrimLeft(name, "."), "the name %s of @%s starts with a period", name, pragma)
	case strings.HasSuffix(name, "."):
		l.errorf(at(v), "name-period", "write "+strings.TrimRight(name, "."), "the name %s of @%s ends with a period", name, pragma)
	case strings.Contains(name, ".."):
		l.errorf(at(v), "name-period", "leave one period", "the name %s of @%s has two periods in a row", name, pragma)
	}
	if strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "amazon") {
		l.errorf(at(v), "name-reserved", "choose another first word", "the name %s of @%s starts with a word that AWS keeps for itself", name, pragma)
	}
}

// sourceDir is a function's folder: the one that src names, else usual.
func (l *loader) sourceDir(src syntax.Value, usual string) (string, bool) {
	if src.Text == "" {
		return usual, true
	}
	dir, ok := projectPath(src.Text)
	if !ok {
		l.errorf(at(src), "path-outside", "write a folder of the project, relative to the manifest",
			"%s is outside the project", src.Text)
		return usual, false
	}
	if !isASCII(dir) {
		l.errorf(at(src), "path-ascii", "rename the folder: zips and AWS disagree about such names",
			"the folder %s has letters other than ASCII", dir)
		return usual, false
	}
	return dir, true
}
