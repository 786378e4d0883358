package s3

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/journal"
)

// Between runs, the bytes of objects are kept as files of a folder and all else
// in a log. A file is written before the record that names it, and deleted after
// the record is gone, so that the end of the process at any moment leaves at
// worst a file that nobody names; the next start deletes it. Nothing is forced to
// the disk for each write: when the machine itself goes down, what it had not
// written yet may be lost, and the next start tells of which objects.

// The records' keys begin with these words and, but for uploads, a bucket's name.
const (
	bucketRecord  = "bucket "
	settingRecord = "setting "
	objectRecord  = "object "
	uploadRecord  = "upload "
	partRecord    = "part "
)

type keptBucket struct {
	Created    time.Time
	Versioning gofakes3.VersioningStatus `json:",omitempty"`
}

// keptBlob names the files that hold bytes, one after the other.
type keptBlob struct {
	Size  int64
	MD5   []byte
	Files []keptFile `json:",omitempty"`
	Parts bool       `json:",omitempty"` // they were parts of an upload
}

type keptFile struct {
	Name string
	Size int64
	MD5  []byte `json:",omitempty"` // of a part
}

type keptVersion struct {
	Key      string
	ID       gofakes3.VersionID `json:",omitempty"`
	Data     *keptBlob          `json:",omitempty"` // nil for a marker
	Metadata map[string]string  `json:",omitempty"`
	Modified time.Time
}

type keptUpload struct {
	Bucket, Key string
	Metadata    map[string]string `json:",omitempty"`
	Initiated   time.Time
}

type keptPart struct {
	Data     keptBlob
	Modified time.Time
}

// Restore reads the buckets of an earlier run, and keeps what becomes of them.
func (s *Server) Restore(log *journal.Log) error {
	if log == nil || s.options.Kept == "" {
		return nil
	}
	r := &restoring{store: s.store, used: map[string]bool{}, warn: s.options.Warn}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.depot.kept = s.options.Kept
	s.store.log = log
	// Keys are sorted: buckets come before their objects and settings.
	for _, of := range []func(string, json.RawMessage) error{r.record, r.part} { // parts come before uploads
		for key, value := range log.All() {
			if err := of(key, value); err != nil {
				return fmt.Errorf("data of the local cloud: %s: %w", key, err)
			}
		}
	}
	return r.tidy()
}

// restoring is the work of Restore.
type restoring struct {
	store *store
	used  map[string]bool // files that are named
	stale []string        // records of what is gone
	warn  func(text string)
}

func (r *restoring) record(key string, value json.RawMessage) error {
	kind, rest, _ := strings.Cut(key, " ")
	switch kind + " " {
	case bucketRecord:
		var k keptBucket
		if err := json.Unmarshal(value, &k); err != nil {
			return err
		}
		b := newBucket(rest, k.Created)
		b.versioning = k.Versioning
		r.store.buckets[rest] = b
	case settingRecord:
		bucket, name, _ := strings.Cut(rest, " ")
		b := r.store.buckets[bucket]
		if b == nil {
			r.stale = append(r.stale, key)
			return nil
		}
		var text []byte
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		b.settings[name] = text
	case objectRecord:
		return r.version(key, rest, value)
	case uploadRecord:
		var k keptUpload
		if err := json.Unmarshal(value, &k); err != nil {
			return err
		}
		if r.store.buckets[k.Bucket] == nil {
			r.stale = append(r.stale, key)
			return nil
		}
		u := &upload{id: gofakes3.UploadID(rest), bucket: k.Bucket, key: k.Key, metadata: k.Metadata, initiated: k.Initiated, parts: map[int]part{}}
		r.store.uploads[u.id] = u
	}
	return nil
}

func (r *restoring) version(key, rest string, value json.RawMessage) error {
	bucket, number, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseUint(number, 16, 64)
	if err != nil {
		return err
	}
	r.store.seq = max(r.store.seq, seq)
	var k keptVersion
	if err := json.Unmarshal(value, &k); err != nil {
		return err
	}
	b := r.store.buckets[bucket]
	if b == nil {
		r.stale = append(r.stale, key)
		return nil
	}
	v := &version{id: k.ID, metadata: k.Metadata, modified: k.Modified, marker: k.Data == nil, seq: seq}
	if k.Data != nil {
		if v.data, err = r.blob(*k.Data); err != nil {
			r.lost(key, fmt.Sprintf("object %s in bucket %s", k.Key, bucket), err)
			return nil
		}
	}
	o := b.objects[k.Key]
	if o == nil {
		o = &object{}
		b.objects[k.Key] = o
	}
	// Of two null versions the later one was about to take the other's place.
	if i := slices.IndexFunc(o.versions, func(old *version) bool { return old.id == v.id }); i >= 0 {
		r.stale = append(r.stale, b.recordOf(o.versions[i]))
		o.versions = slices.Delete(o.versions, i, i+1)
	}
	o.versions = append(o.versions, v)
	return nil
}

func (r *restoring) part(key string, value json.RawMessage) error {
	rest, ok := strings.CutPrefix(key, partRecord)
	if !ok {
		return nil
	}
	id, number, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	var k keptPart
	if err := json.Unmarshal(value, &k); err != nil {
		return err
	}
	u := r.store.uploads[gofakes3.UploadID(id)]
	if u == nil {
		r.stale = append(r.stale, key)
		return nil
	}
	data, err := r.blob(k.Data)
	if err != nil {
		r.lost(key, fmt.Sprintf("part %d of the upload of %s to bucket %s", n, u.key, u.bucket), err)
		return nil
	}
	u.parts[n] = part{data, k.Modified}
	return nil
}

// blob finds the files of bytes that are kept.
func (r *restoring) blob(k keptBlob) (*blob, error) {
	d := r.store.depot
	var found []*blob
	for _, f := range k.Files {
		path := filepath.Join(d.kept, filepath.Base(f.Name))
		info, err := os.Stat(path)
		if err == nil && info.Size() != f.Size {
			err = fmt.Errorf("%s has %d bytes, and had %d", path, info.Size(), f.Size)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, &blob{depot: d, holders: 1, size: f.Size, md5: f.MD5, path: path})
	}
	for _, f := range k.Files {
		r.used[filepath.Base(f.Name)] = true
		d.used += f.Size
	}
	switch {
	case k.Parts:
		return &blob{depot: d, holders: 1, size: k.Size, md5: k.MD5, parts: found}, nil
	case len(found) == 1:
		found[0].md5 = k.MD5
		return found[0], nil
	}
	return &blob{depot: d, holders: 1, md5: k.MD5}, nil // of no length
}

func (r *restoring) lost(key, what string, err error) {
	r.stale = append(r.stale, key)
	if r.warn != nil {
		r.warn(fmt.Sprintf("%s is lost: %v", what, err))
	}
}

// tidy deletes what nothing names any more.
func (r *restoring) tidy() error {
	for _, b := range r.store.buckets {
		for key, o := range b.objects {
			slices.SortFunc(o.versions, func(a, b *version) int { return cmp.Compare(a.seq, b.seq) })
			if len(o.versions) == 0 {
				delete(b.objects, key)
			}
		}
	}
	for _, key := range r.stale {
		if err := r.store.log.Delete(key); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(r.store.depot.kept)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data of the local cloud: %w", err)
	}
	for _, entry := range entries {
		if !r.used[entry.Name()] {
			os.Remove(filepath.Join(r.store.depot.kept, entry.Name())) // or the next start does
		}
	}
	return nil
}

// keeps reports whether what is put into a bucket outlives the process.
func (s *store) keeps(bucket string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[bucket]
	return s.log != nil && b != nil && !b.passing
}

// persist writes bytes that are about to become a bucket's to a file, if the
// bucket is kept.
func (s *store) persist(bucket string, data *blob) error {
	if !s.keeps(bucket) {
		return nil
	}
	return data.persist()
}

func (s *store) keepBucket(b *bucket) error {
	if b.passing {
		return nil
	}
	return s.log.Put(bucketRecord+b.name, keptBucket{b.created, b.versioning})
}

// set changes a setting of a bucket; with remove it is as in a new bucket. The
// caller holds the lock.
func (s *store) set(b *bucket, name string, value []byte, remove bool) error {
	if remove {
		delete(b.settings, name)
		return s.log.Delete(settingRecord + b.name + " " + name)
	}
	b.settings[name] = value
	if b.passing {
		return nil
	}
	return s.log.Put(settingRecord+b.name+" "+name, value)
}

func (b *bucket) recordOf(v *version) string {
	return fmt.Sprintf("%s%s %016x", objectRecord, b.name, v.seq)
}

// keepVersion writes a version down, before it counts. A marker that hides a
// file of a folder ends with the process, as the folder is what it is. The
// caller holds the lock.
func (s *store) keepVersion(b *bucket, key string, v *version) error {
	if b.passing || s.log == nil || v.marker && b.versioning == gofakes3.VersioningNone {
		return nil
	}
	s.seq++
	v.seq = s.seq
	k := keptVersion{Key: key, ID: v.id, Metadata: v.metadata, Modified: v.modified}
	if v.data != nil {
		kept := v.data.record()
		k.Data = &kept
	}
	return s.log.Put(b.recordOf(v), k)
}

// forgetBucket forgets all that is kept of a bucket. The caller holds the lock.
func (s *store) forgetBucket(name string) error {
	if err := s.log.Delete(bucketRecord + name); err != nil {
		return err
	}
	for key := range s.log.All() {
		if strings.HasPrefix(key, objectRecord+name+" ") || strings.HasPrefix(key, settingRecord+name+" ") {
			if err := s.log.Delete(key); err != nil {
				return err
			}
		}
	}
	return nil
}

func partKey(u *upload, number int) string { return fmt.Sprintf("%s%s %d", partRecord, u.id, number) }

// record names the files that hold a blob, which was made to persist.
func (b *blob) record() keptBlob {
	k := keptBlob{Size: b.size, MD5: b.md5}
	switch {
	case b.parts != nil:
		k.Parts = true
		for _, p := range b.parts {
			k.Files = append(k.Files, keptFile{filepath.Base(p.path), p.size, p.md5})
		}
	case b.size > 0:
		k.Files = []keptFile{{Name: filepath.Base(b.path), Size: b.size}}
	}
	return k
}

// persist writes the bytes to a file, if they are not in one.
func (b *blob) persist() error {
	if b.parts != nil || b.size == 0 {
		return nil
	}
	b.depot.mu.Lock()
	there := b.path != ""
	b.depot.mu.Unlock()
	if there {
		return nil
	}
	f, err := b.depot.file()
	if err != nil {
		return err
	}
	_, err = f.Write(b.small)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("keeping an object: %w", err)
	}
	b.depot.mu.Lock()
	b.path = f.Name()
	b.depot.mu.Unlock()
	return nil
}
