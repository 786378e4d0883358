package deploy

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"arc/deploy/s3"
	"arc/source"
)

// counted counts requests and the bytes that they bring.
type counted struct {
	Objects
	requests, bytes int
}

func (c *counted) GetObject(ctx context.Context, b s3.Bucket, key, span string) (s3.Got, error) {
	got, err := c.Objects.GetObject(ctx, b, key, span)
	c.requests++
	if err == nil {
		got.Body = &countedBody{got.Body, c}
	}
	return got, err
}

type countedBody struct {
	io.ReadCloser
	by *counted
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.by.bytes += n
	return n, err
}

// TestObjectIsReadInPieces compares what an Object reads with what moto was
// given, at sizes around the limits of blocks.
func TestObjectIsReadInPieces(t *testing.T) {
	clients := connectTo(t, moto(t))
	bucket := s3.Bucket{Name: "pieces"}
	if err := clients.Objects.CreateBucket(t.Context(), bucket.Name); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, blockSize, tailSize - 1, tailSize, tailSize + 1, 3*blockSize + 7, 50 * blockSize} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		key := fmt.Sprintf("%d.zip", size)
		if err := clients.Uploads.PutObject(t.Context(), bucket, s3.Put{Key: key, Body: bytes.NewReader(body)}); err != nil {
			t.Fatal(err)
		}
		counting := &counted{Objects: clients.Objects}
		of := clients
		of.Objects = counting
		o, err := of.OpenObject(t.Context(), "123456789012", "pieces", key)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if o.Size != int64(size) || counting.requests > 2 {
			t.Errorf("%d bytes: says %d after %d requests", size, o.Size, counting.requests)
		}
		opened := counting.requests
		tail := make([]byte, min(size, blockSize))
		if _, err := o.ReadAt(tail, int64(size-len(tail))); err != nil || !bytes.Equal(tail, body[size-len(tail):]) || counting.requests != opened {
			t.Errorf("%d bytes: the end takes more requests, or is another: %v", size, err)
		}
		for range 50 {
			at := random.IntN(size)
			piece := make([]byte, random.IntN(size-at+1))
			if n, err := o.ReadAt(piece, int64(at)); err != nil || !bytes.Equal(piece[:n], body[at:at+n]) || n != len(piece) {
				t.Fatalf("%d bytes: %d at %d: %d %v", size, len(piece), at, n, err)
			}
		}
		if n, err := o.ReadAt(make([]byte, 2), int64(size-1)); n != 1 || err != io.EOF {
			t.Errorf("%d bytes: past the end: %d %v", size, n, err)
		}
	}
	for bucket, want := range map[string]string{"pieces": "no longer in the bucket", "no-such-bucket": "the bucket is gone"} {
		_, err := clients.OpenObject(t.Context(), "123456789012", bucket, "gone.zip")
		if err == nil || Why(err) != want {
			t.Errorf("%s: %v", bucket, err)
		}
	}
}

// TestReadingOnAsksForMore reads an object from end to end.
func TestReadingOnAsksForMore(t *testing.T) {
	pieces := &rangesOf{body: make([]byte, 100*blockSize)}
	o, err := Clients{Objects: pieces}.OpenObject(t.Context(), "1", "b", "k")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, io.NewSectionReader(o, 0, o.Size)); err != nil {
		t.Fatal(err)
	}
	if pieces.requests > 12 || len(o.blocks) > maxBlocks {
		t.Errorf("%d requests, %d blocks kept", pieces.requests, len(o.blocks))
	}
}

// TestObjectOfAStrangeEndpoint reads what no S3 would send.
func TestObjectOfAStrangeEndpoint(t *testing.T) {
	for _, answer := range []s3.Got{
		{Range: "bytes -5-1/9"},
		{Range: "kittens"},
		{Range: "bytes 9223372036854775807-9/9"},
	} {
		if o, err := (Clients{Objects: &rangesOf{body: []byte("PK"), answer: &answer}}).OpenObject(t.Context(), "1", "b", "k"); err == nil {
			if n, err := o.ReadAt(make([]byte, 10), 0); err == nil {
				t.Errorf("%s: read %d bytes", answer.Range, n)
			}
		}
	}
	if _, err := (Clients{Objects: &rangesOf{body: make([]byte, 3<<20), answer: &s3.Got{}}}).OpenObject(t.Context(), "1", "b", "k"); err == nil {
		t.Error("an endpoint without ranges sent 3 MB")
	}
}

// rangesOf answers ranges of one body, or one answer to everything.
type rangesOf struct {
	Objects
	body     []byte
	answer   *s3.Got
	requests int
	bytes    int
}

func (r *rangesOf) GetObject(_ context.Context, _ s3.Bucket, _, span string) (s3.Got, error) {
	r.requests++
	if r.answer != nil {
		got := *r.answer
		got.Body = io.NopCloser(bytes.NewReader(r.body))
		return got, nil
	}
	var from, to int
	if n, _ := fmt.Sscanf(span, "bytes=-%d", &to); n == 1 {
		from, to = len(r.body)-to, len(r.body)-1
	} else if n, _ := fmt.Sscanf(span, "bytes=%d-%d", &from, &to); n != 2 {
		return s3.Got{}, errors.New(span)
	}
	r.bytes += to + 1 - from
	return s3.Got{
		Body:  io.NopCloser(bytes.NewReader(r.body[from : to+1])),
		Range: fmt.Sprintf("bytes %d-%d/%d", from, to, len(r.body)),
	}, nil
}

// TestZipInPieces lists what a large zip holds, and reads one small file of it.
func TestZipInPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := range 2000 {
		f, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("node_modules/package-%d/index.js", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, 10_000)
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		f.Write(body)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	pieces := &rangesOf{body: out.Bytes()}
	o, err := Clients{Objects: pieces}.OpenObject(t.Context(), "1", "b", "k")
	if err != nil {
		t.Fatal(err)
	}
	b, err := source.ReadZip(o, o.Size)
	if err != nil || len(b.Files) != 2000 {
		t.Fatalf("%d files: %v", len(b.Files), err)
	}
	listed := pieces.requests
	r, err := b.Files[1000].Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB: listed with %d requests, a file read with %d, %d kB in all", out.Len()>>20, listed, pieces.requests-listed, pieces.bytes>>10)
	if listed > 4 || pieces.requests-listed > 2 || pieces.bytes > 1<<20 {
		t.Errorf("%d requests to list, %d to read a file, %d bytes", listed, pieces.requests-listed, pieces.bytes)
	}
}
