package s3

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/journal"
)

// store keeps buckets and objects for gofakes3.
type store struct {
	depot *depot

	mu      sync.RWMutex
	log     *journal.Log // nil = nothing outlives the process
	seq     uint64       // of the version that was kept last
	buckets map[string]*bucket
	uploads map[gofakes3.UploadID]*upload
	// happened is told what became of an object, with the lock held; nil = nobody is.
	happened func(b *bucket, event, key string, v *version)
	// arriving are the bodies of requests that gofakes3 works on, by the name
	// that it is given for them.
	arriving map[string]*blob
}

type bucket struct {
	name       string
	created    time.Time
	passing    bool // this program made it for itself: it ends with the process
	versioning gofakes3.VersioningStatus
	objects    map[string]*object
	folder     fs.FS                        // shown under the objects; nil = none
	prefix     string                       // of its files' keys
	sums       sums                         // of the folder's files
	said       sync.Map                     // names of its files that were told to be refused
	refused    func(file string, why error) // is told of them; nil = nobody
	settings   map[string][]byte
}

// object is a key with its versions, oldest first. The last one is current.
type object struct{ versions []*version }

type version struct {
	id       gofakes3.VersionID // "" is the null version
	data     *blob              // nil for a marker
	metadata map[string]string
	modified time.Time
	marker   bool // says that the object is deleted
	seq      uint64
}

func newBucket(name string, created time.Time) *bucket {
	return &bucket{name: name, created: created, objects: map[string]*object{}, settings: map[string][]byte{}}
}

func newStore(depot *depot) *store {
	return &store{depot: depot, buckets: map[string]*bucket{}, uploads: map[gofakes3.UploadID]*upload{}, arriving: map[string]*blob{}}
}

func (s *store) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.buckets[name] != nil
}

func (s *store) ListBuckets() ([]gofakes3.BucketInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []gofakes3.BucketInfo{}
	for name, b := range s.buckets {
		out = append(out, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(b.created)})
	}
	slices.SortFunc(out, func(a, b gofakes3.BucketInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func (s *store) CreateBucket(name string) error { return s.createBucket(name, false) }

func (s *store) createBucket(name string, passing bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	b := newBucket(name, time.Now().UTC())
	b.passing = passing
	if err := s.keepBucket(b); err != nil {
		return err
	}
	s.buckets[name] = b
	return nil
}

func (s *store) BucketExists(name string) (bool, error) { return s.has(name), nil }

func (s *store) DeleteBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.BucketNotFound(name)
	}
	for _, o := range b.objects {
		// A marker over a file of the folder hides that file and is nothing by itself.
		if !slices.ContainsFunc(o.versions, func(v *version) bool { return !v.marker || v.id != "" }) {
			continue
		}
		return gofakes3.ErrorMessage(gofakes3.ErrBucketNotEmpty, "The bucket you tried to delete is not empty")
	}
	return s.removeBucket(name)
}

// removeBucket also ends what is being uploaded to it. The caller holds the lock.
func (s *store) removeBucket(name string) error {
	if err := s.forgetBucket(name); err != nil {
		return err
	}
	delete(s.buckets, name)
	for _, u := range s.uploads {
		if u.bucket == name {
			if err := s.forget(u); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *store) ForceDeleteBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.BucketNotFound(name)
	}
	if err := s.removeBucket(name); err != nil {
		return err
	}
	for _, o := range b.objects {
		for _, v := range o.versions {
			v.data.release()
		}
	}
	return nil
}

// current is the version of a key that a plain request means; nil = none, and
// then covered says whether a marker hides what the folder has.
func (b *bucket) current(key string) (v *version, covered bool) {
	o := b.objects[key]
	if o == nil || len(o.versions) == 0 {
		return nil, false
	}
	if v = o.versions[len(o.versions)-1]; v.marker {
		return nil, true
	}
	return v, false
}

func (s *store) GetObject(name, key string, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	v, covered := b.current(key)
	if v != nil {
		return b.show(key, v, span)
	}
	if !covered && b.folder != nil {
		if o, err := b.file(key, span); o != nil || err != nil {
			return o, err
		}
	}
	return nil, gofakes3.ErrorMessage(gofakes3.ErrNoSuchKey, "The specified key does not exist.")
}

func (s *store) HeadObject(name, key string) (*gofakes3.Object, error) {
	o, err := s.GetObject(name, key, nil)
	if err != nil {
		return nil, err
	}
	o.Contents.Close()
	o.Contents = io.NopCloser(bytes.NewReader(nil))
	return o, nil
}

func (b *bucket) show(key string, v *version, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	o := &gofakes3.Object{Name: key, Metadata: v.metadata, IsDeleteMarker: v.marker, Contents: io.NopCloser(bytes.NewReader(nil))}
	if v.data != nil {
		var err error
		if o.Range, err = span.Range(v.data.size); err != nil {
			return nil, err
		}
		start, length := int64(0), v.data.size
		if o.Range != nil {
			start, length = o.Range.Start, o.Range.Length
		}
		o.Size, o.Hash = v.data.size, v.data.md5
		if o.Contents, err = v.data.open(start, length); err != nil {
			return nil, err
		}
	}
	if b.versioning != gofakes3.VersioningNone {
		o.VersionID = shownID(v.id)
	}
	return o, nil
}

// shownID spells a version's ID: what was written without versioning is "null".
func shownID(id gofakes3.VersionID) gofakes3.VersionID {
	if id == "" {
		return "null"
	}
	return id
}

func (s *store) PutObject(name, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	return s.putObject("Put", name, key, meta, input, conditions)
}

// putObject stores what it reads. how ends the name of the event: "Put", "Copy".
func (s *store) putObject(how, name, key string, meta map[string]string, input io.Reader, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	data := s.arrived(meta[carried+"Body"])
	if data == nil {
		var err error
		if data, err = s.depot.take(input); err != nil {
			return gofakes3.PutObjectResult{}, err
		}
	} else if _, err := io.Copy(io.Discard, input); err != nil { // gofakes3 makes the ETag of what is read
		data.release()
		return gofakes3.PutObjectResult{}, err
	}
	if err := s.persist(name, data); err != nil {
		data.release()
		return gofakes3.PutObjectResult{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.put(how, name, key, meta, data, conditions)
	if err != nil {
		data.release()
	}
	return result, err
}

// arrived is the body that a request came with, held for the caller; nil when
// there is none of the name.
func (s *store) arrived(name string) *blob {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if b := s.arriving[name]; b != nil {
		return b.hold()
	}
	return nil
}

// put makes data, which it keeps unless it fails, an object. The caller holds
// the lock.
func (s *store) put(how, name, key string, meta map[string]string, data *blob, conditions *gofakes3.PutConditions) (result gofakes3.PutObjectResult, err error) {
	b := s.buckets[name]
	if b == nil {
		return result, gofakes3.BucketNotFound(name)
	}
	if conditions != nil {
		there := &gofakes3.ConditionalObjectInfo{}
		if v, _ := b.current(key); v != nil {
			there.Exists, there.Hash = true, v.data.md5
		}
		if err := gofakes3.CheckPutConditions(conditions, there); err != nil {
			return result, err
		}
	}
	v := &version{data: data, metadata: kept(meta), modified: time.Now().UTC()}
	if err := s.push(b, key, v); err != nil {
		return result, err
	}
	if b.versioning != gofakes3.VersioningNone {
		result.VersionID = shownID(v.id)
	}
	s.tell(b, "ObjectCreated:"+how, key, v)
	return result, nil
}

// tell tells what became of an object. The caller holds the lock.
func (s *store) tell(b *bucket, event, key string, v *version) {
	if s.happened != nil {
		s.happened(b, event, key, v)
	}
}

// push makes v the current version of key. The caller holds the lock.
func (s *store) push(b *bucket, key string, v *version) error {
	if b.versioning == gofakes3.VersioningEnabled {
		v.id = gofakes3.VersionID(rand.Text())
	}
	if err := s.keepVersion(b, key, v); err != nil {
		return err
	}
	if v.id == "" { // there is only one null version
		if _, err := s.drop(b, key, ""); err != nil {
			return err
		}
	}
	o := b.objects[key]
	if o == nil {
		o = &object{}
		b.objects[key] = o
	}
	o.versions = append(o.versions, v)
	return nil
}

// drop removes one version and returns it; nil when there is none. The caller
// holds the lock.
func (s *store) drop(b *bucket, key string, id gofakes3.VersionID) (*version, error) {
	o := b.objects[key]
	if o == nil {
		return nil, nil
	}
	i := slices.IndexFunc(o.versions, func(v *version) bool { return v.id == id })
	if i < 0 {
		return nil, nil
	}
	v := o.versions[i]
	if err := s.log.Delete(b.recordOf(v)); err != nil {
		return nil, err
	}
	o.versions = slices.Delete(o.versions, i, i+1)
	v.data.release()
	if len(o.versions) == 0 {
		delete(b.objects, key)
	}
	return v, nil
}

// carried marks headers that belong to an object but that gofakes3 would not
// keep: only those that begin so survive in it.
const carried = "X-Amz-Arc-"

// kept is an object's metadata under the names of the headers that show it.
func kept(meta map[string]string) map[string]string {
	out := make(map[string]string, len(meta))
	for name, value := range meta {
		if name == carried+"Body" {
			continue
		}
		out[strings.TrimPrefix(name, carried)] = value
	}
	return out
}

func (s *store) DeleteObject(name, key string) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.ObjectDeleteResult{}, gofakes3.BucketNotFound(name)
	}
	return s.remove(b, key)
}

// remove deletes a key as a plain DELETE does. The caller holds the lock.
func (s *store) remove(b *bucket, key string) (gofakes3.ObjectDeleteResult, error) {
	marker := &version{marker: true, modified: time.Now().UTC()}
	if b.versioning != gofakes3.VersioningNone {
		err := s.push(b, key, marker)
		if err == nil {
			s.tell(b, "ObjectRemoved:DeleteMarkerCreated", key, marker)
		}
		return gofakes3.ObjectDeleteResult{IsDeleteMarker: true, VersionID: shownID(marker.id)}, err
	}
	gone, err := s.drop(b, key, "")
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	if gone != nil {
		s.tell(b, "ObjectRemoved:Delete", key, nil)
	}
	if b.folder != nil {
		if _, err := b.stat(key); err == nil {
			if err := s.push(b, key, marker); err != nil {
				return gofakes3.ObjectDeleteResult{}, err
			}
		}
	}
	return gofakes3.ObjectDeleteResult{}, nil
}

func (s *store) DeleteMulti(name string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	objects := make([]gofakes3.ObjectID, len(keys))
	for i, key := range keys {
		objects[i].Key = key
	}
	return s.DeleteMultiVersions(name, objects...)
}

func (s *store) CopyObject(srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(s, srcBucket, srcKey, dstBucket, dstKey, meta)
}

// keys lists what a bucket has now, the folder's files too, sorted. The caller
// holds the lock.
func (b *bucket) keys() ([]string, error) {
	found := map[string]bool{}
	if b.folder != nil {
		err := fs.WalkDir(b.folder, ".", func(path string, d fs.DirEntry, err error) error {
			link := err == nil && d.Type()&fs.ModeSymlink != 0
			if link {
				_, broken := b.stat(b.prefix + path)
				link = broken == nil
			}
			if err == nil && (link || d.Type().IsRegular()) {
				found[b.prefix+path] = true
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a folder may come later, and go
			return nil, fmt.Errorf("folder of a bucket: %w", err)
		}
	}
	for key := range b.objects {
		v, covered := b.current(key)
		if v != nil {
			found[key] = true
		} else if covered {
			delete(found, key)
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
