package main

import (
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = ""

func (s *session) versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version",
		Description: "Usage: arc version\n\nPrints the version of arc. Reads nothing else, so it works in a broken project\ntoo.",
		Action: func(ctx *cli.Context) error {
			if err := noWords(ctx); err != nil {
				return err
			}
			_, err := fmt.Fprintln(s.stdout, "arc "+versionText())
			return err
		},
	}
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
