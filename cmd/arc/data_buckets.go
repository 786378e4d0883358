package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"arc/deploy"
	"arc/deploy/s3"
)

// bucketLine is an object as arc data exports it: a text stays readable.
type bucketLine struct {
	Key          string
	ContentType  string  `json:",omitempty"`
	CacheControl string  `json:",omitempty"`
	Text         *string `json:",omitempty"`
	Base64       []byte  `json:",omitempty"`
}

// objects gives the objects of a bucket, a page at a time.
func objects(ctx context.Context, clients deploy.Clients, bucket string, page func([]s3.Listed) error) error {
	for next := ""; ; {
		list, err := clients.Objects.ListObjectsV2(ctx, s3.Bucket{Name: bucket}, "", next)
		if err == nil {
			err = page(list.Objects)
		}
		if err != nil {
			return fmt.Errorf("bucket %s: %w", bucket, err)
		}
		if next = list.Next; next == "" {
			return nil
		}
	}
}

func countObjects(ctx context.Context, clients deploy.Clients, bucket string) (n int, err error) {
	err = objects(ctx, clients, bucket, func(page []s3.Listed) error { n += len(page); return nil })
	return n, err
}

// printObjects prints a line of JSON an object.
func (s *session) printObjects(ctx context.Context, clients deploy.Clients, bucket string, spell func(s3.Listed) (any, error)) error {
	out := bufio.NewWriter(s.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := objects(ctx, clients, bucket, func(page []s3.Listed) error {
		for _, object := range page {
			line, err := spell(object)
			if err == nil {
				err = enc.Encode(line)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

func (s *session) showBucket(ctx context.Context, clients deploy.Clients, bucket string) error {
	return s.printObjects(ctx, clients, bucket, func(object s3.Listed) (any, error) {
		return struct {
			Key  string `json:"key"`
			Size int64  `json:"size"`
		}{object.Key, object.Size}, nil
	})
}

func (s *session) exportBucket(ctx context.Context, clients deploy.Clients, bucket string) error {
	from := s3.Bucket{Name: bucket}
	return s.printObjects(ctx, clients, bucket, func(object s3.Listed) (any, error) {
		head, err := clients.Objects.HeadObject(ctx, from, object.Key)
		if err != nil {
			return nil, err
		}
		got, err := clients.Objects.GetObject(ctx, from, object.Key, "")
		if err != nil {
			return nil, err
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", object.Key, err)
		}
		line := bucketLine{Key: object.Key, ContentType: head.ContentType, CacheControl: head.CacheControl}
		if text := string(body); utf8.ValidString(text) {
			line.Text = &text
		} else {
			line.Base64 = body
		}
		return line, nil
	})
}

// importBucket puts objects, after all of them were read.
func (s *session) importBucket(ctx context.Context, clients deploy.Clients, bucket, name string, from io.Reader) error {
	var lines []bucketLine
	d := json.NewDecoder(from)
	for {
		var line bucketLine
		err := d.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && line.Key == "" {
			err = errors.New(`it has no "Key"`)
		}
		if err != nil {
			return withHint(fmt.Errorf("%s: object %d: %w", name, len(lines)+1, err), "arc data export writes what this reads; nothing was put")
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		body := line.Base64
		if line.Text != nil {
			body = []byte(*line.Text)
		}
		put := s3.Put{Key: line.Key, Body: bytes.NewReader(body), ContentType: line.ContentType, CacheControl: line.CacheControl}
		if err := clients.Uploads.PutObject(ctx, s3.Bucket{Name: bucket}, put); err != nil {
			return fmt.Errorf("bucket %s: %w", bucket, err)
		}
	}
	s.note("put %d object%s into %s", len(lines), plural(len(lines)), bucket)
	return nil
}

// resetBucket deletes all objects, with what a bucket keeps of their versions.
func (s *session) resetBucket(ctx context.Context, clients deploy.Clients, bucket string) error {
	of := s3.Bucket{Name: bucket}
	gone := 0
	drop := func(doomed []s3.Version) error {
		for batch := range slices.Chunk(doomed, s3.MaxDeletions) {
			refused, err := clients.Objects.DeleteObjects(ctx, of, batch)
			if err != nil {
				return fmt.Errorf("bucket %s: %w", bucket, err)
			}
			if len(refused) > 0 {
				return fmt.Errorf("bucket %s: %s: %s", bucket, refused[0].Key, refused[0].Message)
			}
			gone += len(batch)
		}
		return nil
	}
	for {
		versions, err := clients.Objects.ListObjectVersions(ctx, of)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", bucket, err)
		}
		if len(versions) == 0 {
			break
		}
		if err := drop(versions); err != nil {
			return err
		}
	}
	s.note("deleted %d object%s of %s", gone, plural(gone), bucket)
	return nil
}
