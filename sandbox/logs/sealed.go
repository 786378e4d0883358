package logs

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"iter"
	"time"
)

// A group's last lines are open; those before them are sealed, a few hundred at
// a time: what functions and their runtime print packs to a tenth, so that what a
// group keeps costs little memory, and a cloud that runs for days takes no more
// than one that has just begun.

// sealBytes is what a group's open lines take until they are sealed.
const sealBytes = 64 << 10

// blockBytes is what a block takes beside its data.
const blockBytes = 256

// block is lines that are sealed.
type block struct {
	data  []byte
	last  int            // number of its last line
	lines int            // how many there are
	owned map[string]int // lines by stream
}

func (b *block) bytes() int { return len(b.data) + blockBytes }

// sealer packs lines; its writer is kept, for it is large.
type sealer struct {
	writer *flate.Writer
	plain  []byte
}

// seal packs lines, which there is one of at least.
func (s *sealer) seal(lines []line) block {
	b := block{last: lines[len(lines)-1].number, lines: len(lines), owned: map[string]int{}}
	plain := s.plain[:0]
	number, at := 0, int64(0)
	for _, l := range lines {
		b.owned[l.stream]++
		now := l.at.UnixMilli()
		plain = binary.AppendUvarint(plain, uint64(l.number-number)) // those of a deleted stream are missing
		plain = binary.AppendVarint(plain, now-at)
		plain = binary.AppendUvarint(plain, uint64(len(l.stream)))
		plain = append(plain, l.stream...)
		plain = binary.AppendUvarint(plain, uint64(len(l.message)))
		plain = append(plain, l.message...)
		number, at = l.number, now
	}
	var packed bytes.Buffer
	if s.writer == nil {
		s.writer, _ = flate.NewWriter(&packed, flate.BestSpeed) // fails for unknown levels alone
	} else {
		s.writer.Reset(&packed)
	}
	s.writer.Write(plain) // into memory, which does not fail
	s.writer.Close()
	b.data = bytes.Clone(packed.Bytes())
	if s.plain = plain; cap(plain) > 4*sealBytes { // one long line is no reason to keep as much
		s.plain = nil
	}
	return b
}

// open gives a block's lines back.
func (b *block) open() []line {
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(b.data)))
	if err != nil {
		return nil // what seal made can be read
	}
	take := func(n int) (text string) {
		text, plain = string(plain[:n]), plain[n:]
		return text
	}
	count := func() int {
		v, n := binary.Uvarint(plain)
		plain = plain[n:]
		return int(v)
	}
	lines := make([]line, 0, b.lines)
	number, at := 0, int64(0)
	for range b.lines {
		number += count()
		later, n := binary.Varint(plain)
		plain = plain[n:]
		at += later
		stream := take(count())
		lines = append(lines, line{number, stream, time.UnixMilli(at).UTC(), take(count())})
	}
	return lines
}

// all are the group's lines, oldest first. The caller holds the lock.
func (g *group) all() iter.Seq[line] { return g.from(0) }

// from are the lines of a number and of later ones.
func (g *group) from(number int) iter.Seq[line] {
	return func(yield func(line) bool) {
		for i := range g.sealed {
			if b := &g.sealed[i]; b.last >= number {
				for _, l := range b.open() {
					if l.number >= number && !yield(l) {
						return
					}
				}
			}
		}
		for _, l := range g.lines {
			if l.number >= number && !yield(l) {
				return
			}
		}
	}
}

// size is how many lines the group keeps.
func (g *group) size() int {
	n := len(g.lines)
	for _, b := range g.sealed {
		n += b.lines
	}
	return n
}
