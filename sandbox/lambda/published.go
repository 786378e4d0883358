package lambda

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// publishedVersion begins the keys, in the log, of versions that clients published:
// the stack and logical ID of the function, a space, and the number.
const publishedVersion = "published "

// keptVersion is a version that a client published, from one run to the next. Stacks
// bring back those that they made, of what their templates name; of these nobody has
// the code and the settings any more, so that both are kept.
type keptVersion struct {
	Function    Function // with folders of that run
	Folder      string   // below Options.Published: code and opt
	Description string   // of the version alone
	Number      int      // so that a later one has another, also when this one is gone
}

// keepPublished keeps a version that a client publishes. The caller holds the lock.
func (s *Service) keepPublished(fn Function, number, description string) error {
	of := s.resources.origins[fn.Name]
	if s.positions == nil || s.options.Published == "" || of == "" {
		return nil
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	k := keptVersion{Function: fn, Folder: rand.Text(), Description: description, Number: n}
	for name, from := range map[string]string{"code": fn.Dir, "opt": fn.Opt} {
		if from == "" {
			continue
		}
		to := filepath.Join(s.options.Published, k.Folder, name)
		if err := os.MkdirAll(to, 0o700); err != nil {
			return fmt.Errorf("keep version %s of %s: %w", number, fn.Name, err)
		}
		if err := copyFolder(to, from); err != nil {
			return fmt.Errorf("keep version %s of %s: %w", number, fn.Name, err)
		}
	}
	return s.positions.Put(publishedVersion+of+" "+number, k)
}

// copyFolder copies what a folder holds, links as they are.
func copyFolder(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, path)
		at := filepath.Join(to, name)
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			return os.MkdirAll(at, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, at)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(at, data, info.Mode().Perm()|0o600)
	})
}

// bringPublished gives a function that is back the versions that clients published of
// it in earlier runs; one that is made anew has none, and what was kept is deleted.
func (s *Service) bringPublished(name string, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[name]
	if f == nil || s.positions == nil {
		return
	}
	prefix := publishedVersion + s.resources.origins[name] + " "
	for key, raw := range s.positions.All() {
		number, ok := strings.CutPrefix(key, prefix)
		if !ok || strings.Contains(number, " ") {
			continue
		}
		var k keptVersion
		err := json.Unmarshal(raw, &k)
		if err == nil && whole {
			err = s.bring(f, number, k)
			if err == nil {
				continue
			}
		}
		if err != nil {
			s.options.Tell.Or().Notice("version %s of %s, which a client published, is not brought back: %v", number, name, err)
		}
		s.dropPublished(key, k.Folder)
	}
}

// bring makes a version that was kept. The caller holds the lock.
func (s *Service) bring(f *function, number string, k keptVersion) error {
	fn := k.Function
	fn.Name, fn.ARN, fn.Role, fn.Label, fn.LogicalID = f.Name, f.ARN, f.Role, f.Label, f.LogicalID
	folder := filepath.Join(s.options.Published, k.Folder)
	if _, err := os.Stat(filepath.Join(folder, "code")); err != nil {
		return err
	}
	of := fn
	fn.Dir = filepath.Join(folder, "code")
	if fn.Opt != "" {
		fn.Opt = filepath.Join(folder, "opt")
	}
	s.qualify(f.Name, number)
	s.resources.numbers[f.ARN] = max(s.resources.numbers[f.ARN], k.Number)
	s.freeze(fn, number, k.Description)
	// Folders are named by what they hold: the function is still what was published
	// where it has the same.
	if filepath.Base(of.Dir) == filepath.Base(f.Dir) && filepath.Base(of.Opt) == filepath.Base(f.Opt) {
		of.Dir, of.Opt = f.Dir, f.Opt
	}
	s.functions[f.Name+":"+number].of = of
	return nil
}

// forgetPublished deletes what is kept of a function that goes. The caller holds the
// lock.
func (s *Service) forgetPublished(name string) {
	of := s.resources.origins[name]
	if s.positions == nil || of == "" {
		return
	}
	for key, raw := range s.positions.All() {
		var k keptVersion
		if strings.HasPrefix(key, publishedVersion+of+" ") && json.Unmarshal(raw, &k) == nil {
			s.dropPublished(key, k.Folder)
		}
	}
}

func (s *Service) dropPublished(key, folder string) {
	err := s.positions.Delete(key)
	if folder != "" && !strings.ContainsAny(folder, `/\.`) {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.options.Published, folder)))
	}
	if err != nil {
		s.options.Tell.Or().Notice("what was kept of a published version is there still: %v", err)
	}
}
