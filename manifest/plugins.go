package manifest

import "arc/manifest/syntax"

// PluginRef is a plugin or macro that the manifest names.
type PluginRef struct {
	Pragma string // "plugins" or "macros"
	Name   string
	Path   string // file found, slash path relative to the project root; "" when not found
	Pos    syntax.Pos
}
