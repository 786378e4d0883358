package source

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
)

// maxDirectory is how many bytes of a zip are read to learn what it holds:
// 200,000 files with paths of a hundred characters.
const maxDirectory = 32 << 20

// ReadZip lists the files of a zip of size bytes. It reads the table of
// contents at its end and nothing else; files are read from r when they are
// opened. Sizes and checksums are those that the zip tells. A zip that says it
// unpacks to more than MaxUnpacked bytes, or whose table of contents is
// larger than any function's, is an error.
func ReadZip(r io.ReaderAt, size int64) (*Bundle, error) {
	// Each entry takes memory, and what the zip says of their number need not be true.
	limited := &limitedReaderAt{r: r}
	limited.left.Store(maxDirectory)
	z, err := zip.NewReader(limited, size)
	if err != nil {
		return nil, fmt.Errorf("zip cannot be read: %w", err)
	}
	limited.left.Store(1 << 62)
	b := &Bundle{}
	left := uint64(MaxUnpacked)
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if f.UncompressedSize64 > left {
			return nil, fmt.Errorf("zip unpacks to more than the %d MB that Lambda takes", MaxUnpacked>>20)
		}
		left -= f.UncompressedSize64
		b.Files = append(b.Files, File{
			Path: f.Name, Size: int64(f.UncompressedSize64), Executable: f.Mode()&0o100 != 0, Open: f.Open, crc: &f.CRC32,
		})
	}
	slices.SortStableFunc(b.Files, byPath)
	return b, nil
}

// limitedReaderAt ends in an error after so many bytes.
type limitedReaderAt struct {
	r    io.ReaderAt
	left atomic.Int64
}

var errDirectory = errors.New("its table of contents is larger than that of any function")

func (l *limitedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if l.left.Add(-int64(len(p))) < 0 {
		return 0, errDirectory
	}
	return l.r.ReadAt(p, off)
}
