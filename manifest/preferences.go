package manifest

import "arc/manifest/syntax"

// Preferences are the settings of preferences.arc (manifest reference, 9.1).
type Preferences struct {
	File       string // "" when there is none
	Autocreate bool
	SandboxEnv string // forces ARC_ENV locally; "" = testing
	LiveReload *bool
	Ports      Ports
	Startup    []string // shell commands of @sandbox-start
}

// Ports are fixed ports of the sandbox; 0 = not set.
type Ports struct{ HTTP, Events, Tables int }

// EnvVar is one local environment variable. Value is a secret: it is handed to
// processes and to NoEcho parameters, and printed nowhere.
type EnvVar struct {
	Name, Value string
	Pos         syntax.Pos
}
