package manifest

import (
	"strings"

	"arc/manifest/syntax"
)

// Action is one WebSocket route: connect, default, disconnect, or a name that
// messages select with their "action" key.
type Action struct {
	Name     string // without $: "connect", "default", "disconnect", "publish"
	Function *Function
	Pos      syntax.Pos
}

// lifecycle are the actions that every WebSocket API has.
var lifecycle = []string{"connect", "default", "disconnect"}

// readWS reads @ws. The three lifecycle actions come first, and are there
// whether listed or not.
func (l *loader) readWS() {
	p := l.pragma("ws")
	if p == nil {
		return
	}
	listed := map[string]Action{}
	var others []Action
	for _, n := range l.namedItems(p, nameRule{min: 1, max: 255, normal: bareLifecycle}) {
		a := Action{Name: n.name, Function: n.function, Pos: n.pos}
		if isLifecycle(a.Name) {
			listed[a.Name] = a
		} else {
			others = append(others, a)
		}
	}
	for _, name := range lifecycle {
		a, ok := listed[name]
		if !ok {
			fn := &Function{Pragma: "ws", Name: name, Dir: "src/ws/" + name, Pos: p.Pos}
			a = Action{Name: name, Function: fn, Pos: p.Pos}
		}
		l.app.WS = append(l.app.WS, a)
	}
	l.app.WS = append(l.app.WS, others...)
}

// bareLifecycle turns $connect, as API Gateway spells it, into connect.
func bareLifecycle(name string) string {
	if bare := strings.TrimPrefix(name, "$"); isLifecycle(bare) {
		return bare
	}
	return name
}

func isLifecycle(name string) bool {
	return name == "connect" || name == "default" || name == "disconnect"
}
