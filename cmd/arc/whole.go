package main

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writeWholeNew writes a file that must not exist, so that it is there whole or not at
// all, also when this process is killed: a handler of which a part was written counts as
// present ever after. On Linux nothing else is left, elsewhere a file named .arc-new-…;
// only a file system that knows neither way has its file written in place. Errors are
// those of os; fs.ErrExist when somebody else was first.
func writeWholeNew(root *os.Root, name string, text []byte) error {
	if done, err := linkWhole(root, name, text, 0); done {
		return err
	}
	temporary := filepath.Join(filepath.Dir(name), ".arc-new-"+rand.Text())
	if err := writeExclusive(root, temporary, text, 0o666); err != nil {
		return err
	}
	err := root.Link(temporary, name)
	if removed := root.Remove(temporary); err == nil || errors.Is(err, fs.ErrExist) {
		return errors.Join(err, removed)
	}
	return writeExclusive(root, name, text, 0o666) // no links on this file system
}

// writeExclusive writes a file that must not exist, and removes what it could not finish.
func writeExclusive(root *os.Root, name string, text []byte, mode fs.FileMode) error {
	w, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

// replaceFile gives a file new text in one step: whoever reads it meanwhile
// sees the old text or the new, and a run that is killed leaves one of the two.
func replaceFile(root *os.Root, f formatted) error {
	name := filepath.FromSlash(f.name)
	temporary := filepath.Join(filepath.Dir(name), ".arc-fmt-"+rand.Text())
	done, err := linkWhole(root, temporary, f.text, f.mode)
	if !done {
		err = replaceWith(root, temporary, f)
	}
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err == nil {
		return nil
	}
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		err = of.Err // nobody knows the other name
	}
	root.Remove(temporary) // if it is there: why it failed is said already
	return err
}

// replaceWith writes the new text of a file under a name of its own.
func replaceWith(root *os.Root, temporary string, f formatted) error {
	w, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = w.Write(f.text)
	return errors.Join(err, w.Chmod(f.mode), w.Sync(), w.Close())
}
