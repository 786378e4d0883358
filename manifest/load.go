package manifest

import (
	"io/fs"

	"arc/manifest/syntax"
)

// Options are the outside facts that reading a project depends on.
type Options struct {
	Region string // AWS_REGION or the like; used when @aws region is not set
	Home   fs.FS  // the user's home folder, for global preferences; may be nil
}

// Result is what reading a project gives. App is nil when Diagnostics has
// errors that leave no meaning; Sources has the text of every file read, for
// rendering diagnostics.
type Result struct {
	App         *App
	Diagnostics syntax.Diagnostics // sorted, in file order
	Sources     map[string][]byte
}

// Load finds and reads the project's manifest in files (the project root) with
// everything beside it. It reads nothing outside files and opts.Home, so a
// folder, a zip and a git tree serve alike.
func Load(files fs.FS, opts Options) Result {
	return Result{} // filled in by the room's owner
}
