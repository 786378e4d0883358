package s3

import (
	"maps"
	"slices"

	"github.com/johannesboyne/gofakes3"
)

func (s *store) VersioningConfiguration(name string) (gofakes3.VersioningConfiguration, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.VersioningConfiguration{}, gofakes3.BucketNotFound(name)
	}
	return gofakes3.VersioningConfiguration{Status: b.versioning}, nil
}

func (s *store) SetVersioningConfiguration(name string, v gofakes3.VersioningConfiguration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.BucketNotFound(name)
	}
	before := b.versioning
	b.versioning = v.Status
	err := s.keepBucket(b)
	if err != nil {
		b.versioning = before
	}
	return err
}

// storedID is how a version that a request names is kept.
func storedID(id gofakes3.VersionID) gofakes3.VersionID {
	if id == "null" {
		return ""
	}
	return id
}

// unversioned reports whether there is such a bucket, and versions of its objects
// were never kept.
func (s *store) unversioned(bucket string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[bucket]
	return b != nil && b.versioning == gofakes3.VersioningNone
}

func (s *store) GetObjectVersion(name, key string, id gofakes3.VersionID, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	if o := b.objects[key]; o != nil {
		for _, v := range o.versions {
			if v.id == storedID(id) {
				return b.show(key, v, span)
			}
		}
	}
	return nil, gofakes3.ErrNoSuchVersion
}

func (s *store) HeadObjectVersion(name, key string, id gofakes3.VersionID) (*gofakes3.Object, error) {
	return s.GetObjectVersion(name, key, id, nil)
}

func (s *store) DeleteObjectVersion(name, key string, id gofakes3.VersionID) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.ObjectDeleteResult{}, gofakes3.BucketNotFound(name)
	}
	return s.removeVersion(b, key, id)
}

func (s *store) removeVersion(b *bucket, key string, id gofakes3.VersionID) (gofakes3.ObjectDeleteResult, error) {
	v, err := s.drop(b, key, storedID(id))
	if v == nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	s.tell(b, "ObjectRemoved:Delete", key, v)
	return gofakes3.ObjectDeleteResult{IsDeleteMarker: v.marker, VersionID: shownID(v.id)}, nil
}

func (s *store) DeleteMultiVersions(name string, objects ...gofakes3.ObjectID) (gofakes3.MultiDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[name]
	if b == nil {
		return gofakes3.MultiDeleteResult{}, gofakes3.BucketNotFound(name)
	}
	var out gofakes3.MultiDeleteResult
	for _, o := range objects {
		var err error
		if o.VersionID == "" {
			_, err = s.remove(b, o.Key)
		} else {
			_, err = s.removeVersion(b, o.Key, gofakes3.VersionID(o.VersionID))
		}
		if err != nil {
			return out, err
		}
		out.Deleted = append(out.Deleted, o)
	}
	return out, nil
}

// ListBucketVersions lists every version, by key and newest first. Pages end
// between keys only, so that a page may be somewhat longer than asked.
func (s *store) ListBucketVersions(name string, prefix *gofakes3.Prefix, page *gofakes3.ListBucketVersionsPage) (*gofakes3.ListBucketVersionsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	if page == nil {
		page = &gofakes3.ListBucketVersionsPage{}
	}
	out := gofakes3.NewListBucketVersionsResult(name, prefix, page)
	last := ""
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		group, match := grouped(key, prefix)
		if !match || page.HasKeyMarker && key <= page.KeyMarker {
			continue
		}
		if page.MaxKeys > 0 && int64(len(out.Versions)+len(out.CommonPrefixes)) >= page.MaxKeys {
			out.IsTruncated, out.NextKeyMarker, out.NextVersionIDMarker = true, last, "null"
			break
		}
		last = key
		if group != "" {
			out.AddPrefix(group)
			continue
		}
		out.Versions = append(out.Versions, b.versionsOf(key)...)
	}
	return out, nil
}

func (b *bucket) versionsOf(key string) []gofakes3.VersionItem {
	var out []gofakes3.VersionItem
	versions := b.objects[key].versions
	for i, v := range slices.Backward(versions) {
		latest := i == len(versions)-1
		if v.marker {
			out = append(out, &gofakes3.DeleteMarker{Key: key, VersionID: shownID(v.id), IsLatest: latest, LastModified: gofakes3.NewContentTime(v.modified)})
			continue
		}
		out = append(out, &gofakes3.Version{
			Key: key, VersionID: shownID(v.id), IsLatest: latest, LastModified: gofakes3.NewContentTime(v.modified),
			Size: v.data.size, ETag: gofakes3.FormatETag(v.data.md5),
		})
	}
	return out
}
