package manifest

import (
	"cmp"
	"slices"
	"strings"
)

// checkFolders warns when two functions get one folder without anybody having
// asked for it: get /a.b and get /a_b both live in src/http/get-a_b.
func (l *loader) checkFolders() {
	fns := l.app.Functions()
	slices.SortStableFunc(fns, func(a, b *Function) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	first := make(map[string]*Function, len(fns))
	inCase := make(map[string]*Function, len(fns)) // by the folder in lower case
	for _, fn := range fns {
		if fn.Asset || l.written[fn].src {
			continue
		}
		other := first[fn.Dir]
		if other == nil {
			first[fn.Dir] = fn
			l.checkFolderCase(fn, inCase)
			continue
		}
		l.warnf(l.written[fn].mark, "shared-folder", "give one of them a folder of its own with src",
			"%s and %s at %s share the folder %s", fn.Name, other.Name, other.Pos, fn.Dir)
	}
}

// checkFolderCase warns when two functions' folders differ in case alone, as
// those of get /Foo and get /foo do: AWS tells the routes apart, but macOS and
// Windows take the folders for one.
func (l *loader) checkFolderCase(fn *Function, inCase map[string]*Function) {
	lower := strings.ToLower(fn.Dir)
	if other := inCase[lower]; other != nil {
		l.warnf(l.written[fn].mark, "folder-case", "give one of them a folder of its own with src",
			"the folders of %s and %s at %s differ in case alone: they are one folder on macOS and Windows", fn.Name, other.Name, other.Pos)
		return
	}
	inCase[lower] = fn
}
