package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// logKept is how long the log of a cloud that has ended in the background is
// kept, for whoever wonders why it did.
const logKept = 24 * time.Hour

// swept begins the name of what is on its way out.
const swept = "swept-"

// sweep removes what clouds of other projects have left that could not tidy up:
// they were killed, or the machine went down. What cannot be removed stays for
// the next one. It gives what is still to be done without a lock.
func (g Registry) sweep(project string) (rest func()) {
	entries, err := os.ReadDir(g.Dir)
	if err != nil {
		return func() {}
	}
	own := strings.TrimSuffix(filepath.Base(g.file(project, ".lock")), ".lock")
	old := map[string][]string{} // names by project
	var outgoing []string
	for _, entry := range entries {
		name := entry.Name()
		base, ending, _ := strings.Cut(name, ".")
		switch {
		case base == own:
		case strings.HasPrefix(name, swept), strings.HasPrefix(name, registration) && g.age(name) > time.Minute:
			outgoing = append(outgoing, filepath.Join(g.Dir, name))
		case ending == "json", ending == "scratch", ending == "lock", ending == "log" && g.age(name) > logKept, ending == "log.1" && g.age(name) > logKept:
			old[base] = append(old[base], name)
		}
	}
	for base, names := range old {
		release, err := lockFile(filepath.Join(g.Dir, base+".lock"))
		if err != nil {
			continue // it runs
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".scratch") {
				endStrays(filepath.Join(g.Dir, name))
			}
			// Renaming takes no time: another cloud of the project may want the lock.
			if to := filepath.Join(g.Dir, swept+name); !strings.HasSuffix(name, ".lock") && os.Rename(filepath.Join(g.Dir, name), to) == nil {
				outgoing = append(outgoing, to)
			}
		}
		release()
	}
	return func() {
		for _, name := range outgoing {
			os.RemoveAll(name)
		}
	}
}

// age is how long ago the file was written.
func (g Registry) age(name string) time.Duration {
	info, err := os.Stat(filepath.Join(g.Dir, name))
	if err != nil {
		return 0
	}
	return time.Since(info.ModTime())
}
