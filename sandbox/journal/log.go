// Package journal keeps what the services of the local cloud hold from one run to
// the next: a log a service, to which every change is appended before it is
// acknowledged, so that the end of the process at any moment loses none.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// Log keeps a service's records, a JSON value by key. Its methods may be called
// from several goroutines. A nil Log keeps nothing: that is how a service runs
// whose data ends with the process.
type Log struct {
	mu      sync.Mutex
	name    string
	file    *os.File
	size    int64 // of the file
	live    int64 // of its lines that still count
	records map[string]json.RawMessage
	broken  error // after a write that failed half-way
}

// rewriteAbove is how long a log may be, in bytes, before what does not count
// any more is taken out of it.
const rewriteAbove = 1 << 20

// Open reads a log, or begins one. A last line that was being written when the
// process ended was not acknowledged, and is dropped. Any other line that
// cannot be read is an error: the disk has changed it.
func Open(name string) (*Log, error) {
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data of the local cloud: %w", err)
	}
	l := &Log{name: name, records: map[string]json.RawMessage{}}
	good := 0
	for good < len(data) {
		end := bytes.IndexByte(data[good:], '\n')
		if end < 0 {
			break // torn
		}
		key, value, err := parse(data[good : good+end])
		if err != nil {
			if good+end+1 == len(data) {
				break // torn, over what had been there before
			}
			return nil, fmt.Errorf("data of the local cloud: %s: byte %d: %w; arc sandbox --fresh starts without it", name, good, err)
		}
		l.count(key, value)
		good += end + 1
	}
	l.size = int64(good)
	return l, nil
}

// open opens the file, which is made with the first record. The caller holds
// the lock.
func (l *Log) open() error {
	if l.file != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(l.name), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(l.name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = file.Truncate(l.size); err == nil {
		_, err = file.Seek(l.size, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return err
	}
	l.file = file
	return nil
}

// line spells a record: its checksum, its key and, unless it is deleted, its
// value.
func line(key string, value json.RawMessage) ([]byte, error) {
	name, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	body := name
	if value != nil {
		body = append(append(body, ' '), value...)
	}
	return append(append(fmt.Appendf(nil, "%08x ", crc32.ChecksumIEEE(body)), body...), '\n'), nil
}

func parse(text []byte) (key string, value json.RawMessage, err error) {
	sum, body, ok := bytes.Cut(text, []byte(" "))
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if !ok || err != nil || uint32(want) != crc32.ChecksumIEEE(body) {
		return "", nil, errors.New("the record is damaged")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&key); err != nil {
		return "", nil, fmt.Errorf("the record has no key: %w", err)
	}
	if rest := bytes.TrimPrefix(body[d.InputOffset():], []byte(" ")); len(rest) > 0 {
		value = json.RawMessage(bytes.Clone(rest))
	}
	return key, value, nil
}

// count takes a record into what counts. nil deletes.
func (l *Log) count(key string, value json.RawMessage) {
	if old, there := l.records[key]; there {
		l.live -= weight(key, old)
	}
	if value == nil {
		delete(l.records, key)
		return
	}
	l.records[key] = value
	l.live += weight(key, value)
}

// weight is about how long a record's line is.
func weight(key string, value json.RawMessage) int64 { return int64(len(key)+len(value)) + 13 }

// All gives the records, sorted by key.
func (l *Log) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		if l == nil {
			return
		}
		l.mu.Lock()
		records := maps.Clone(l.records)
		l.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(records)) {
			if !yield(key, records[key]) {
				return
			}
		}
	}
}

// Put keeps a value under a key. When it returns without an error, the value
// outlives the process.
func (l *Log) Put(key string, value any) error {
	if l == nil {
		return nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("data of the local cloud: %s: %w", key, err)
	}
	return l.append(key, data)
}

// Delete forgets a key.
func (l *Log) Delete(key string) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	_, there := l.records[key]
	l.mu.Unlock()
	if !there {
		return nil
	}
	return l.append(key, nil)
}

func (l *Log) append(key string, value json.RawMessage) error {
	text, err := line(key, value)
	if err != nil {
		return fmt.Errorf("data of the local cloud: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	if old, there := l.records[key]; there && value != nil && bytes.Equal(old, value) {
		return nil
	}
	if err := l.open(); err != nil {
		return fmt.Errorf("data of the local cloud is not kept: %w", err)
	}
	if n, err := l.file.Write(text); err != nil {
		err = fmt.Errorf("data of the local cloud is not kept: %w", err)
		// Half a line must not stand in front of the next one.
		if n > 0 {
			if back := l.file.Truncate(l.size); back != nil {
				l.broken = err
			} else if _, back := l.file.Seek(l.size, io.SeekStart); back != nil {
				l.broken = err
			}
		}
		return err
	}
	l.size += int64(len(text))
	l.count(key, value)
	if l.size > rewriteAbove && l.size > 4*l.live {
		return l.rewrite()
	}
	return nil
}

// rewrite writes what counts to a new file, which takes the log's place in one
// step. The caller holds the lock.
func (l *Log) rewrite() error {
	next, err := os.CreateTemp(filepath.Dir(l.name), filepath.Base(l.name)+".new-")
	if err != nil {
		return nil // the old one is good still; the next change tries again
	}
	var out bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(l.records)) {
		text, err := line(key, l.records[key])
		if err != nil {
			next.Close()
			os.Remove(next.Name())
			return nil
		}
		out.Write(text)
	}
	_, err = next.Write(out.Bytes())
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(next.Name(), l.name)
	}
	if err != nil {
		next.Close()
		os.Remove(next.Name())
		return nil
	}
	l.file.Close()
	l.file, l.size = next, int64(out.Len())
	return nil
}

// Close writes everything to the disk itself and ends the log.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.file != nil {
		err = l.file.Sync()
		if closed := l.file.Close(); err == nil {
			err = closed
		}
	}
	if l.broken == nil {
		l.broken = errors.New("data of the local cloud is not kept: it is closed")
	}
	return err
}
