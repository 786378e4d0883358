package manifest

import (
	"cmp"
	"slices"
)

// checkFolders warns when two functions get one folder without anybody having
// asked for it: get /a.b and get /a_b both live in src/http/get-a_b.
func (l *loader) checkFolders() {
	fns := l.app.Functions()
	slices.SortStableFunc(fns, func(a, b *Function) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	first := make(map[string]*Function, len(fns))
	for _, fn := range fns {
		if fn.Asset || l.written[fn].src {
			continue
		}
		other := first[fn.Dir]
		if other == nil {
			first[fn.Dir] = fn
			continue
		}
		l.warnf(l.written[fn].mark, "shared-folder", "give one of them a folder of its own with src",
			"%s and %s at %s share the folder %s", fn.Name, other.Name, other.Pos, fn.Dir)
	}
}
