package manifest

import "arc/manifest/syntax"

// Action is one WebSocket route: connect, default, disconnect, or a name that
// messages select with their "action" key.
type Action struct {
	Name     string // without $: "connect", "default", "disconnect", "publish"
	Function *Function
	Pos      syntax.Pos
}
