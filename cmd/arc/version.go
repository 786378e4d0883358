package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = ""

func (s *session) versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version",
		Description: "Usage: arc version\n\nPrints the version of arc, the commit and the Go release that it was built\nfrom, and the platform. Reads nothing else, so it works in a broken project too.",
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			return s.printVersion()
		},
	}
}

// printVersion prints one line: what a report of a fault needs.
func (s *session) printVersion() error {
	_, err := fmt.Fprintf(s.stdout, "arc %s (%s, %s, %s/%s)\n", versionText(), commitText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// commitText is the commit that the Go tool recorded, if it found one.
func commitText() string {
	commit, changed := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, set := range info.Settings {
			switch {
			case set.Key == "vcs.revision":
				commit = set.Value
			case set.Key == "vcs.modified" && set.Value == "true":
				changed = " and changes"
			}
		}
	}
	if commit == "" {
		return "no commit recorded"
	}
	return "commit " + commit[:min(12, len(commit))] + changed
}

// versionText is the release, else what the Go tool recorded, else "dev".
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
