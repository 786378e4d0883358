package source

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxEntries bounds how many files a zip may make; Lambda's own limit on size
// does not stop a million empty ones.
const maxEntries = 200_000

// Unzip unpacks a zip of size bytes below root, as Lambda would: files become
// 0644, or 0755 when executable. Refused are paths that lead out of root, paths
// that occur twice, anything but files and folders (so symbolic links too), and
// more than MaxUnpacked bytes, whatever the zip claims its size to be. After an
// error some files may have been written.
func Unzip(r io.ReaderAt, size int64, root *os.Root) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("zip cannot be read: %w", err)
	}
	if len(z.File) > maxEntries {
		return fmt.Errorf("zip holds %d files, more than %d: leave out what the function does not need", len(z.File), maxEntries)
	}
	u := unzip{root: root, left: MaxUnpacked, made: map[string]bool{".": true}}
	for _, f := range z.File {
		if err := u.entry(f); err != nil {
			return err
		}
	}
	return nil
}

type unzip struct {
	root *os.Root
	left int64           // bytes that may still be written
	made map[string]bool // folders that exist
}

func (u *unzip) entry(f *zip.File) error {
	name := strings.TrimSuffix(f.Name, "/")
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return fmt.Errorf("zip entry %q: not a path inside the function's folder", f.Name)
	}
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") {
		return u.folder(name)
	}
	if !mode.IsRegular() {
		return fmt.Errorf("zip entry %s: is a %s, and only files and folders are taken: zip the file that it stands for", name, mode.Type())
	}
	if err := u.folder(path.Dir(name)); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if mode&0o100 != 0 {
		perm = 0o755
	}
	out, err := u.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("zip entry %s: occurs twice, or was there before", name)
	}
	if err != nil {
		return fmt.Errorf("zip entry %s: cannot be written: %w", name, err)
	}
	err = u.copy(out, f)
	if closing := out.Close(); err == nil && closing != nil {
		err = fmt.Errorf("zip entry %s: cannot be written: %w", name, closing)
	}
	return err
}

func (u *unzip) folder(name string) error {
	if u.made[name] {
		return nil
	}
	if err := u.root.MkdirAll(filepath.FromSlash(name), 0o755); err != nil {
		return fmt.Errorf("zip entry %s: folder cannot be made: %w", name, err)
	}
	u.made[name] = true
	return nil
}

func (u *unzip) copy(out io.Writer, f *zip.File) error {
	tooLarge := fmt.Errorf("zip unpacks to more than the %d MB that Lambda takes", MaxUnpacked>>20)
	if f.UncompressedSize64 > uint64(u.left) {
		return tooLarge
	}
	in, err := f.Open()
	if err != nil {
		return fmt.Errorf("zip entry %s: cannot be read: %w", f.Name, err)
	}
	defer in.Close()
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	// One byte past the limit tells a zip that lies about its sizes.
	n, err := io.CopyBuffer(struct{ io.Writer }{out}, io.LimitReader(in, u.left+1), h.buf[:])
	if err != nil {
		return fmt.Errorf("zip entry %s: cannot be unpacked: %w", f.Name, err)
	}
	if u.left -= n; u.left < 0 {
		return tooLarge
	}
	return nil
}
