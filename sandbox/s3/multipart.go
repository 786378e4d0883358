package s3

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"crypto/rand"

	"github.com/johannesboyne/gofakes3"
)

// upload is a multipart upload under way. Its parts count as objects do.
type upload struct {
	id          gofakes3.UploadID
	bucket, key string
	metadata    map[string]string
	initiated   time.Time
	parts       map[int]part
}

type part struct {
	data     *blob
	modified time.Time
}

func (p part) etag() string { return `"` + hex.EncodeToString(p.data.md5) + `"` }

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html

func (s *store) CreateMultipartUpload(bucket, key string, meta map[string]string) (gofakes3.UploadID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[bucket] == nil {
		return "", gofakes3.BucketNotFound(bucket)
	}
	u := &upload{id: gofakes3.UploadID(rand.Text()), bucket: bucket, key: key, metadata: meta, initiated: time.Now().UTC(), parts: map[int]part{}}
	if !s.buckets[bucket].passing {
		if err := s.log.Put(uploadRecord+string(u.id), keptUpload{u.bucket, u.key, u.metadata, u.initiated}); err != nil {
			return "", err
		}
	}
	s.uploads[u.id] = u
	return u.id, nil
}

// under finds an upload. The caller holds the lock.
func (s *store) under(bucket, key string, id gofakes3.UploadID) (*upload, error) {
	u := s.uploads[id]
	if u == nil || u.bucket != bucket || u.key != key {
		return nil, gofakes3.ErrNoSuchUpload
	}
	return u, nil
}

func (s *store) UploadPart(bucket, key string, id gofakes3.UploadID, number int, size int64, input io.Reader) (etag string, err error) {
	if number > gofakes3.MaxUploadPartNumber {
		return "", gofakes3.ErrInvalidPart
	}
	var data *blob
	if arrived, ok := input.(*arrived); ok {
		data = arrived.data.hold()
	} else if data, err = s.depot.take(input); err != nil {
		return "", err
	}
	if data.size != size {
		data.release()
		return "", gofakes3.ErrIncompleteBody
	}
	if err := s.persist(bucket, data); err != nil {
		data.release()
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.under(bucket, key, id)
	if err != nil {
		data.release()
		return "", err
	}
	p := part{data, time.Now().UTC()}
	if b := s.buckets[bucket]; s.log != nil && b != nil && !b.passing {
		if err := s.log.Put(partKey(u, number), keptPart{data.record(), p.modified}); err != nil {
			data.release()
			return "", err
		}
	}
	u.parts[number].data.release()
	u.parts[number] = p
	return u.parts[number].etag(), nil
}

func (s *store) ListParts(bucket, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, err := s.under(bucket, key, id)
	if err != nil {
		return nil, err
	}
	out := &gofakes3.ListMultipartUploadPartsResult{Bucket: bucket, Key: key, UploadID: id, MaxParts: limit, PartNumberMarker: marker, StorageClass: "STANDARD"}
	for _, number := range u.numbers() {
		if number <= marker {
			continue
		}
		if int64(len(out.Parts)) == limit {
			out.IsTruncated = true
			break
		}
		p := u.parts[number]
		out.NextPartNumberMarker = number
		out.Parts = append(out.Parts, gofakes3.ListMultipartUploadPartItem{
			ETag: p.etag(), Size: p.data.size, PartNumber: number, LastModified: gofakes3.NewContentTime(p.modified),
		})
	}
	return out, nil
}

func (u *upload) numbers() []int {
	var out []int
	for number := range u.parts {
		out = append(out, number)
	}
	slices.Sort(out)
	return out
}

// ListMultipartUploads lists by key, and by the time of their beginning.
func (s *store) ListMultipartUploads(bucket string, marker *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []*upload
	for _, u := range s.uploads {
		if u.bucket == bucket {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *upload) int {
		return cmp.Or(cmp.Compare(a.key, b.key), a.initiated.Compare(b.initiated), cmp.Compare(a.id, b.id))
	})
	out := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, Delimiter: prefix.Delimiter, Prefix: prefix.Prefix, MaxUploads: limit}
	if marker != nil {
		out.KeyMarker, out.UploadIDMarker = marker.Object, marker.UploadID
		// Behind the upload that is named, or behind all of the key's.
		from := slices.IndexFunc(all, func(u *upload) bool { return u.key == marker.Object && u.id == marker.UploadID }) + 1
		if from == 0 {
			from = len(all)
			if i := slices.IndexFunc(all, func(u *upload) bool { return u.key > marker.Object }); i >= 0 {
				from = i
			}
		}
		all = all[from:]
	}
	groups := map[string]bool{}
	for _, u := range all {
		group, match := grouped(u.key, &prefix)
		if !match || groups[group] {
			continue
		}
		if int64(len(out.Uploads)+len(out.CommonPrefixes)) == limit {
			out.IsTruncated = true
			break
		}
		out.NextKeyMarker, out.NextUploadIDMarker = u.key, u.id
		if group != "" {
			groups[group] = true
			out.CommonPrefixes = append(out.CommonPrefixes, gofakes3.CommonPrefix{Prefix: group})
			continue
		}
		out.Uploads = append(out.Uploads, gofakes3.ListMultipartUploadItem{StorageClass: "STANDARD", Key: u.key, UploadID: u.id, Initiated: gofakes3.NewContentTime(u.initiated)})
	}
	return out, nil
}

func (s *store) AbortMultipartUpload(bucket, key string, id gofakes3.UploadID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.under(bucket, key, id)
	if err != nil {
		return err
	}
	return s.forget(u)
}

// forget ends an upload and lets go of its parts. The caller holds the lock.
func (s *store) forget(u *upload) error {
	if err := s.log.Delete(uploadRecord + string(u.id)); err != nil {
		return err
	}
	for number := range u.parts {
		if err := s.log.Delete(partKey(u, number)); err != nil {
			return err
		}
	}
	delete(s.uploads, u.id)
	for _, p := range u.parts {
		p.data.release()
	}
	return nil
}

func (s *store) CompleteMultipartUpload(bucket, key string, id gofakes3.UploadID, input *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.under(bucket, key, id)
	if err != nil {
		return "", "", err
	}
	if s.buckets[bucket] == nil {
		return "", "", gofakes3.BucketNotFound(bucket)
	}
	var parts []*blob
	last := 0
	for _, named := range input.Parts {
		p, ok := u.parts[named.PartNumber]
		switch {
		case named.PartNumber <= last:
			return "", "", gofakes3.ErrInvalidPartOrder
		case !ok || strings.Trim(named.ETag, `"`) != strings.Trim(p.etag(), `"`):
			return "", "", gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "part %d was not uploaded, or its ETag is another", named.PartNumber)
		}
		last = named.PartNumber
		parts = append(parts, p.data)
	}
	if len(parts) == 0 {
		return "", "", gofakes3.ErrMalformedXML
	}
	data := s.depot.join(parts)
	result, err := s.put("CompleteMultipartUpload", bucket, key, u.metadata, data, nil)
	if err != nil {
		data.release()
		return "", "", err
	}
	if err := s.forget(u); err != nil {
		return "", "", err
	}
	return result.VersionID, fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(data.md5), len(parts)), nil
}
