package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"arc/deploy/s3"
)

// An Object is read in blocks, of which the last few used are kept. Its end is
// read first, because a zip's table of contents is there.
const (
	blockSize   = 64 << 10
	tailSize    = 2 * blockSize
	maxRequest  = 16 // blocks: what is read on and on is asked for in larger pieces
	maxBlocks   = 64
	maxArtifact = 1 << 30 // bytes; Lambda takes a quarter of it
)

// Object is an object of a bucket that is read a piece at a time, so that the
// table of contents of a 200 MB zip takes a request or two. It is for one
// goroutine.
type Object struct {
	Size int64 // bytes

	ctx    context.Context
	get    Objects
	bucket s3.Bucket
	key    string
	blocks map[int64][]byte // by number; the last one may be short
	used   []int64          // numbers, the latest last
	next   int64            // the block after those asked for last
	ahead  int64            // how many were
}

// OpenObject opens an object and reads its end. owner is the account that the
// bucket has to belong to.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (c Clients) OpenObject(ctx context.Context, owner, bucket, key string) (*Object, error) {
	o := &Object{ctx: ctx, get: c.Objects, bucket: s3.Bucket{Name: bucket, Owner: owner}, key: key, blocks: map[int64][]byte{}}
	tail, start, err := o.request("bytes=-" + strconv.Itoa(tailSize))
	if isCode(err, "InvalidRange") { // some take a range longer than the object for none
		tail, start, err = o.request(fmt.Sprintf("bytes=0-%d", tailSize-1))
	}
	if err != nil {
		return nil, err
	}
	o.Size = start + int64(len(tail))
	if o.Size > maxArtifact {
		return nil, fmt.Errorf("%s in bucket %s: %d bytes, no code is as large", key, bucket, o.Size)
	}
	// What is kept begins at a block's boundary.
	first := (start + blockSize - 1) / blockSize
	if from := first*blockSize - start; from < int64(len(tail)) {
		o.keep(first, tail[from:])
	}
	return o, nil
}

// ReadAt reads from any place of the object.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= o.Size {
			return n, io.EOF
		}
		block, err := o.block(at / blockSize)
		if err != nil {
			return n, err
		}
		if at%blockSize >= int64(len(block)) {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(p[n:], block[at%blockSize:])
	}
	return n, nil
}

func (o *Object) block(number int64) ([]byte, error) {
	if b, ok := o.blocks[number]; ok {
		return b, nil
	}
	o.ahead = min(2*o.ahead, maxRequest)
	if number != o.next || o.ahead == 0 {
		o.ahead = 1
	}
	end := min((number+o.ahead)*blockSize, o.Size)
	body, start, err := o.request(fmt.Sprintf("bytes=%d-%d", number*blockSize, end-1))
	if err != nil {
		return nil, err
	}
	if len(body) == 0 || start != number*blockSize {
		return nil, fmt.Errorf("read %s in bucket %s: the endpoint sends another range than it was asked for", o.key, o.bucket.Name)
	}
	o.next = number + o.ahead
	o.keep(number, body)
	return o.blocks[number], nil
}

// keep remembers what was read from the beginning of a block on, and forgets
// what was asked for longest ago.
func (o *Object) keep(number int64, body []byte) {
	for ; len(body) > 0; number++ {
		n := min(blockSize, len(body))
		if _, had := o.blocks[number]; !had {
			o.used = append(o.used, number)
		}
		o.blocks[number], body = body[:n], body[n:]
	}
	for len(o.used) > maxBlocks {
		delete(o.blocks, o.used[0])
		o.used = o.used[1:]
	}
}

// request reads one range and tells where in the object it begins.
func (o *Object) request(span string) (body []byte, start int64, err error) {
	fail := func(err error) ([]byte, int64, error) {
		return nil, 0, fmt.Errorf("read %s in bucket %s: %w", o.key, o.bucket.Name, err)
	}
	got, err := o.get.GetObject(o.ctx, o.bucket, o.key, span)
	if err != nil {
		return fail(err)
	}
	defer got.Body.Close()
	// An endpoint that knows no ranges sends everything.
	if body, err = io.ReadAll(io.LimitReader(got.Body, maxRequest*blockSize+1)); err != nil {
		return fail(err)
	}
	if len(body) > maxRequest*blockSize {
		return fail(errors.New("the endpoint sends more than it was asked for"))
	}
	if got.Range == "" { // all of it
		return body, 0, nil
	}
	from, _, _ := strings.Cut(strings.TrimPrefix(got.Range, "bytes "), "-")
	if start, err = strconv.ParseInt(from, 10, 64); err != nil || start < 0 {
		return fail(fmt.Errorf("the endpoint sends the range %q", got.Range))
	}
	return body, start, nil
}
