package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"arc/cfn/diff"

	"github.com/urfave/cli/v2"
)

// acceptedFile says which dangers are known and accepted.
const acceptedFile = "arc-accepted.txt"

// readAccepted reads the acceptances of the revision that is compared with: what
// the change itself adds to the file does not count.
func readAccepted(files fs.FS) ([]diff.Acceptance, error) {
	data, err := fs.ReadFile(files, acceptedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return diff.ParseAccepted(acceptedFile, string(data))
}

// acceptedBy takes the acceptances of the file that the command line names: who
// names it answers for what is in it. Where nothing says which file counts, one
// that lies here does not, and that is said.
func acceptedBy(ctx *cli.Context, before *side) error {
	if !ctx.IsSet("accepted") {
		if _, err := os.Stat(acceptedFile); err == nil && before.accepted == nil {
			before.limits = append(before.limits, acceptedFile+" is not looked at: what it accepts counts when the revision that is compared with has it, or with --accepted "+acceptedFile)
		}
		return nil
	}
	file := ctx.String("accepted")
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--accepted: %w", err)
	}
	before.accepted, err = diff.ParseAccepted(file, string(data))
	return err
}
