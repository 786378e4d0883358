package dynamodb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"arc/sandbox/child"
)

// release is a dynoxide that we know: the npm package that holds the program,
// and the program's own SHA-256.
type release struct{ npm, version, sha256 string }

// releases are those that are installed when none is there, by the platform's
// name in npm. A platform is added with the hash of a program that was tried.
var releases = map[string]release{
	"linux-x64": {"@dynoxide/linux-x64", "1.2.1", "be909b7910d3fb552e85db10ef3c8ebae4bd35fee0f26dffdb6dfa5cc656426e"},
}

// platform is this machine's name in npm.
func platform() string {
	system, machine := runtime.GOOS, runtime.GOARCH
	if system == "windows" {
		system = "win32"
	}
	if machine == "amd64" {
		machine = "x64"
	}
	return system + "-" + machine
}

// installLimit is how long npm may take.
const installLimit = time.Minute

// errNoProgram is that there is no dynoxide and none can be had.
var errNoProgram = errors.New("tables need the program dynoxide")

// program finds dynoxide: on the PATH, in the project's node_modules, in the
// user's cache. Where there is none, npm installs the one that we know there.
func (s *Service) program(ctx context.Context) (string, error) {
	name := "dynoxide"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, dir := range filepath.SplitList(s.options.Path) {
		if file := filepath.Join(dir, name); filepath.IsAbs(dir) && runs(file) {
			return file, nil
		}
	}
	if file := filepath.Join(s.options.Project, "node_modules", "@dynoxide", platform(), name); runs(file) {
		return file, nil
	}
	known, ok := releases[platform()]
	if !ok {
		return "", fmt.Errorf("%w, and arc knows none for %s: put it on the PATH, from https://github.com/nubo-db/dynoxide/releases, or name a DynamoDB endpoint with --db URL", errNoProgram, platform())
	}
	if s.options.Cache == "" {
		return "", fmt.Errorf("%w: npm install --save-dev %s@%s puts it into the project", errNoProgram, known.npm, known.version)
	}
	file := filepath.Join(s.options.Cache, "dynoxide-"+known.version+"-"+known.sha256[:12], name)
	if runs(file) {
		return file, nil
	}
	if err := s.install(ctx, known, name, file); err != nil {
		return "", fmt.Errorf("%w: it could not be installed with npm (%w); npm install --save-dev %s@%s puts it into the project, --db URL names another DynamoDB endpoint", errNoProgram, err, known.npm, known.version)
	}
	return file, nil
}

func runs(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// install has npm fetch the package, looks at the program's hash, and puts it
// in its place in one step: two that install at once do each other no harm.
func (s *Service) install(ctx context.Context, known release, name, file string) error {
	npm, err := lookIn(s.options.Path, "npm")
	if err != nil {
		return err
	}
	s.options.Tell.Notice("installing %s %s, which keeps tables, once for this user", known.npm, known.version)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), "npm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	cmd := exec.Command(npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--fetch-retries=0", "--prefer-offline", "--prefix", dir, known.npm+"@"+known.version)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := child.Run(ctx, cmd); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return fmt.Errorf("%w: %s", err, first)
	}
	got := filepath.Join(dir, "node_modules", filepath.FromSlash(known.npm), name)
	program, err := os.ReadFile(got)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(program); hex.EncodeToString(sum[:]) != known.sha256 {
		return fmt.Errorf("the program of %s@%s is not the one that arc knows: its SHA-256 is %x", known.npm, known.version, sum)
	}
	if err := os.Chmod(got, 0o700); err != nil {
		return err
	}
	if err := os.Rename(got, file); err != nil && !runs(file) {
		return err
	}
	return nil
}

// lookIn finds a program in the folders of a PATH.
func lookIn(path, name string) (string, error) {
	names := []string{name}
	if runtime.GOOS == "windows" {
		names = []string{name + ".cmd", name + ".exe"}
	}
	for _, dir := range filepath.SplitList(path) {
		for _, name := range names {
			if file := filepath.Join(dir, name); filepath.IsAbs(dir) && runs(file) {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not on the PATH: %w", name, fs.ErrNotExist)
}
