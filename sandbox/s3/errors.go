package s3

import (
	"errors"
	"net/http"

	"github.com/johannesboyne/gofakes3"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// writeError prints an error in S3's shape.
func writeError(w http.ResponseWriter, r *http.Request, err error) { wire.WriteXMLError(w, r, err) }

// apiError turns an error of the store into one that others can read.
func apiError(err error, bucket, key string) error {
	if err == nil {
		return nil
	}
	code := gofakes3.ErrInternal
	var coded gofakes3.Error
	if errors.As(err, &coded) {
		code = coded.ErrorCode()
	}
	switch code {
	case gofakes3.ErrNoSuchBucket:
		return noBucket(bucket)
	case gofakes3.ErrNoSuchKey:
		return &stack.Error{Code: "NoSuchKey", Message: "The specified key does not exist: s3://" + bucket + "/" + key, Status: http.StatusNotFound}
	}
	return &stack.Error{Code: string(code), Message: err.Error(), Status: code.Status()}
}

func noBucket(bucket string) error {
	return &stack.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist: " + bucket, Status: http.StatusNotFound}
}
