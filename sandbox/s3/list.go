package s3

import (
	"strings"

	"github.com/johannesboyne/gofakes3"
)

func (s *store) ListBucket(name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[name]
	if b == nil {
		return nil, gofakes3.BucketNotFound(name)
	}
	keys, err := b.keys()
	if err != nil {
		return nil, err
	}
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	list := gofakes3.NewObjectList()
	count, last := int64(0), page.Marker
	for _, key := range keys {
		group, match := grouped(key, prefix)
		item := key
		if group != "" {
			item = group
		}
		// A page that ended with a group goes on behind all of that group.
		if !match || item <= page.Marker || group != "" && group == last {
			continue
		}
		if count == page.MaxKeys {
			list.IsTruncated, list.NextMarker = true, last
			break
		}
		count, last = count+1, item
		if group != "" {
			list.AddPrefix(group)
			continue
		}
		content, err := b.content(key)
		if err != nil {
			return nil, err
		}
		list.Add(content)
	}
	return list, nil
}

// grouped tells whether a key matches, and which common prefix stands for it.
func grouped(key string, prefix *gofakes3.Prefix) (group string, match bool) {
	rest, match := strings.CutPrefix(key, prefix.Prefix)
	if !match || prefix.Delimiter == "" {
		return "", match
	}
	if i := strings.Index(rest, prefix.Delimiter); i >= 0 {
		return prefix.Prefix + rest[:i+len(prefix.Delimiter)], true
	}
	return "", true
}

func (b *bucket) content(key string) (*gofakes3.Content, error) {
	if v, _ := b.current(key); v != nil {
		return &gofakes3.Content{
			Key: key, LastModified: gofakes3.NewContentTime(v.modified), ETag: gofakes3.FormatETag(v.data.md5), Size: v.data.size,
		}, nil
	}
	o, err := b.file(key, nil)
	if err != nil {
		return nil, err
	}
	if o == nil { // it went away since the folder was read
		return &gofakes3.Content{Key: key}, nil
	}
	o.Contents.Close()
	info, err := b.stat(key)
	if err != nil {
		return nil, err
	}
	return &gofakes3.Content{
		Key: key, LastModified: gofakes3.NewContentTime(info.ModTime().UTC()), ETag: gofakes3.FormatETag(o.Hash), Size: o.Size,
	}, nil
}
