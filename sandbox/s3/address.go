package s3

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// awsHost is a host of S3 on AWS, with the bucket in front or not.
var awsHost = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(.+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?$`)
})

// Fetch reads the object that an S3 URL names from this server: the URLs of
// AWS in path style and virtual-host style, and those of a local endpoint.
// Nothing is ever read over the network.
func (s *Server) Fetch(ctx context.Context, address string) ([]byte, error) {
	bucket, key, err := Locate(address)
	if err != nil {
		return nil, err
	}
	return s.Get(bucket, key)
}

// Locate tells which object an S3 URL names.
func Locate(address string) (bucket, key string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", fmt.Errorf("S3 URL %q: %w", address, err)
	}
	path := strings.TrimPrefix(u.Path, "/")
	if u.Scheme == "s3" {
		return u.Host, path, nil
	}
	if m := awsHost().FindStringSubmatch(u.Hostname()); m != nil {
		bucket = m[1]
	} else if local := u.Hostname(); local == "localhost" || local == "127.0.0.1" || local == "::1" || strings.HasSuffix(local, ".localhost") {
		bucket = hostBucket(local)
	} else {
		return "", "", fmt.Errorf("S3 URL %q: %s is no host of S3; the local cloud reads nothing from the network", address, u.Hostname())
	}
	if bucket == "" {
		bucket, path, _ = strings.Cut(path, "/")
	}
	if bucket == "" || path == "" {
		return "", "", fmt.Errorf("S3 URL %q: names no object", address)
	}
	return bucket, path, nil
}
