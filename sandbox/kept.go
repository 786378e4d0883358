package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"arc/sandbox/journal"
)

// State is the folder in which local clouds keep data from one run to the next:
// a folder a project, readable by this user alone, never in the project.
type State struct{ Dir string }

// kept is what a project's folder says of itself.
type kept struct {
	Project string // absolute folder
}

// Folder is where a project's data is.
func (s State) Folder(project string) string {
	sum := sha256.Sum256([]byte(project))
	return filepath.Join(s.Dir, filepath.Base(project)+"-"+hex.EncodeToString(sum[:6]))
}

// open makes the project's folder. moved names the folder of a project of the
// same name that is not where it was any more; "" = there is none, or this
// project has data of its own.
func (s State) open(project string) (folder, moved string, err error) {
	folder = s.Folder(project)
	file := filepath.Join(folder, "project.json")
	if _, err := os.Stat(file); err == nil {
		return folder, "", nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("data of the local cloud: %w", err)
	}
	moved = s.moved(project)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", "", fmt.Errorf("data of the local cloud: %w", err)
	}
	text, err := json.Marshal(kept{Project: project})
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		os.Remove(file) // half of it, which would pass for the whole
		return "", "", fmt.Errorf("data of the local cloud: %w", err)
	}
	return folder, moved, nil
}

func (s State) moved(project string) string {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return "" // there is nothing yet
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filepath.Base(project)+"-") {
			continue
		}
		folder := filepath.Join(s.Dir, entry.Name())
		text, err := os.ReadFile(filepath.Join(folder, "project.json"))
		var of kept
		if err != nil || json.Unmarshal(text, &of) != nil {
			continue
		}
		if _, err := os.Stat(of.Project); errors.Is(err, fs.ErrNotExist) {
			return folder
		}
	}
	return ""
}

// remember opens the project's data, or makes an end of it with Fresh.
func (c *Cloud) remember() error {
	if c.opts.State.Dir == "" {
		return nil
	}
	if c.opts.Fresh {
		if err := os.RemoveAll(c.opts.State.Folder(c.opts.Project)); err != nil {
			return fmt.Errorf("--fresh: %w", err)
		}
	}
	folder, moved, err := c.opts.State.open(c.opts.Project)
	if err != nil {
		return err
	}
	c.data = filepath.Join(folder, c.opts.Region)
	if !c.opts.Asleep { // who only looks, or makes room, may
		if err := takesData(folder, c.data); err != nil {
			return fmt.Errorf("data of the local cloud cannot be kept: %w", err)
		}
	}
	c.tell.Notice("data is kept in %s; --fresh starts without it", folder)
	if moved != "" {
		c.tell.Notice("data of a project of this name that is not where it was lies in %s; stop the local cloud and move it to %s to go on with it", moved, folder)
	}
	return nil
}

// takesData tries to write where data is kept. Its error names the folder, or the file,
// that takes nothing: the disk is full or read-only, or a run as another user made it.
// Without this the first resource that keeps something would fail, and its stack with it.
func takesData(folder, data string) error {
	if _, err := os.Stat(data); err == nil {
		folder = data
	}
	probe := filepath.Join(folder, "writable")
	err := os.WriteFile(probe, make([]byte, 4096), 0o600) // a page: an empty file takes no room
	os.Remove(probe)
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: folder, Err: failed.Err}
	}
	logs, err := filepath.Glob(filepath.Join(data, "*.log"))
	for _, name := range logs {
		file, failed := os.OpenFile(name, os.O_WRONLY, 0)
		if failed != nil {
			return failed
		}
		file.Close()
	}
	return err
}

// log opens a service's log; nil where nothing is kept.
func (c *Cloud) log(service string) (*journal.Log, error) {
	if c.data == "" || service == "" {
		return nil, nil
	}
	log, err := journal.Open(filepath.Join(c.data, service+".log"))
	if err != nil {
		return nil, err
	}
	c.undo = append(c.undo, func() {
		if err := log.Close(); err != nil {
			c.tell.Notice("%v", err)
		}
	})
	return log, nil
}

// tablesFile is the database of tables.
func (c *Cloud) tablesFile() string {
	if c.data == "" {
		return filepath.Join(c.scratch, "tables", "tables.db")
	}
	return filepath.Join(c.data, "tables.db")
}

// publishedFolder is where the code of versions that clients publish is kept; "" =
// nowhere.
func (c *Cloud) publishedFolder() string {
	if c.data == "" {
		return ""
	}
	return filepath.Join(c.data, "published")
}

// objectsFolder is where the bytes of buckets' objects are kept; "" = nowhere.
func (c *Cloud) objectsFolder() string {
	if c.data == "" {
		return ""
	}
	return filepath.Join(c.data, "objects")
}
