package s3

import (
	"bytes"
	"fmt"

	"github.com/johannesboyne/gofakes3"
)

// Put stores an object without a request; the bucket is made when there is
// none of the name, for as long as the process runs.
func (s *Server) Put(bucket, key string, body []byte) error {
	if err := s.store.createBucket(bucket, true); err != nil && !gofakes3.IsAlreadyExists(err) {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	if _, err := s.store.PutObject(bucket, key, map[string]string{}, bytes.NewReader(body), int64(len(body)), nil); err != nil {
		return fmt.Errorf("object %s in bucket %s: %w", key, bucket, err)
	}
	return nil
}
