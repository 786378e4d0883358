package states

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/states/asl"
)

// unread is how a map fails that cannot read its items.
func unread(format string, args ...any) *asl.Failure {
	return &asl.Failure{Name: asl.ErrItemReader, Cause: fmt.Sprintf(format, args...)}
}

// read gives the items that a map reads from S3, at most so many; 0 = all.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
func (f *frame) read(ctx context.Context, s *asl.State, input any, most int) ([]any, *asl.Failure) {
	if most < 0 {
		return nil, unread("field MaxItems must be positive")
	}
	given, failure := f.callOf(s, "ItemReader", s.Reader.Call, input)
	if failure != nil {
		return nil, failure
	}
	var items []any
	if strings.HasSuffix(s.Reader.Resource, "listObjectsV2") {
		items, failure = f.listed(ctx, given, most)
	} else {
		var said invoke.Answer
		if said, failure = f.s3(ctx, "getObject", given); failure == nil {
			items, failure = f.parsed(ctx, s.Reader, said.Body)
		}
	}
	if failure != nil {
		return nil, unread("%s", failure.Cause)
	}
	if most > 0 && len(items) > most {
		items = items[:most]
	}
	return items, nil
}

// callOf is what a request of a map is asked with.
func (f *frame) callOf(s *asl.State, field string, c asl.Call, input any) (map[string]any, *asl.Failure) {
	var v any
	var failure *asl.Failure
	if c.Arguments != nil {
		v, failure = f.query(s, field+"/Arguments", c.Arguments, input, told{}, nil)
	} else {
		v, failure = f.filled(s, c.Parameters, input)
	}
	given, ok := v.(map[string]any)
	if failure == nil && !ok {
		failure = f.placed(s, &asl.Failure{Name: asl.ErrRuntime, Cause: fmt.Sprintf("what %s is given must be an object but was: %s", field, asl.Encode(v))})
	}
	return given, failure
}

// s3 asks S3 in the name of the machine's role.
func (f *frame) s3(ctx context.Context, action string, given map[string]any) (invoke.Answer, *asl.Failure) {
	r, failure := requestFor(ctx, "s3", action, given)
	if failure != nil {
		return invoke.Answer{}, failure
	}
	who := f.x.session()
	who.Service = "s3"
	said := f.x.s.options.Call(who, r)
	if said.Status >= 300 {
		return said, refused(resource{service: "s3", sdk: true}, "s3", said)
	}
	return said, nil
}

// listed are the objects of a bucket.
func (f *frame) listed(ctx context.Context, given map[string]any, most int) (items []any, failure *asl.Failure) {
	for {
		said, failure := f.s3(ctx, "listObjectsV2", given)
		if failure != nil {
			return nil, failure
		}
		answer := answerOf("s3", "listObjectsV2", said)
		objects, _ := answer["Contents"].([]any)
		for _, one := range objects {
			object, _ := one.(map[string]any)
			item := map[string]any{"Etag": object["ETag"], "Key": object["Key"], "StorageClass": object["StorageClass"]}
			if size, ok := object["Size"].(string); ok {
				item["Size"] = json.Number(size)
			}
			if text, ok := object["LastModified"].(string); ok {
				if at, err := time.Parse(time.RFC3339, text); err == nil {
					item["LastModified"] = json.Number(strconv.FormatInt(at.Unix(), 10))
				}
			}
			items = append(items, item)
		}
		token, _ := answer["NextContinuationToken"].(string)
		if token == "" || most > 0 && len(items) >= most {
			return items, nil
		}
		next := map[string]any{"ContinuationToken": token}
		for name, value := range given {
			if name != "ContinuationToken" {
				next[name] = value
			}
		}
		given = next
	}
}

// parsed are the items in an object.
func (f *frame) parsed(ctx context.Context, r *asl.ItemReader, body []byte) ([]any, *asl.Failure) {
	switch r.InputType {
	case "CSV":
		return table(body, r.Headers, r.Delimiter)
	case "MANIFEST":
		return f.inventory(ctx, body)
	case "JSONL":
		var items []any
		number := 0
		for line := range bytes.Lines(body) {
			number++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			v, err := asl.Decode(line)
			if err != nil {
				return nil, unread("line %d is no JSON: %v", number, err)
			}
			items = append(items, v)
		}
		return items, nil
	}
	v, err := asl.Decode(body)
	if err != nil {
		return nil, unread("the object is no JSON: %v", err)
	}
	if r.Pointer != "" {
		if v, err = pointed(v, r.Pointer); err != nil {
			return nil, unread("%v", err)
		}
	}
	items, ok := v.([]any)
	if !ok {
		return nil, unread("Attempting to map over non-iterable node.")
	}
	return items, nil
}

// pointed follows a JSON pointer.
func pointed(v any, pointer string) (any, error) {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for name := range strings.SplitSeq(pointer[1:], "/") {
		name = unescape.Replace(name)
		switch at := v.(type) {
		case map[string]any:
			inner, ok := at[name]
			if !ok {
				return nil, fmt.Errorf("ItemsPointer %s leads nowhere: there is no %s", pointer, name)
			}
			v = inner
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(at) {
				return nil, fmt.Errorf("ItemsPointer %s leads nowhere: there is no %s", pointer, name)
			}
			v = at[n]
		default:
			return nil, fmt.Errorf("ItemsPointer %s leads nowhere: there is no %s", pointer, name)
		}
	}
	return v, nil
}

// table are the rows of a CSV file by their headers; without these the first row has
// them. A row that is shorter has empty texts, and of one that is longer the rest is
// dropped.
func table(body []byte, headers []string, delimiter rune) ([]any, *asl.Failure) {
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	rows.Comma, rows.FieldsPerRecord, rows.LazyQuotes = delimiter, -1, true
	items := []any{}
	for {
		row, err := rows.Read()
		switch {
		case err == io.EOF:
			return items, nil
		case err != nil:
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				return nil, unread("line %d of the CSV file cannot be read: %v", wrong.Line, wrong.Err)
			}
			return nil, unread("%v", err)
		case headers == nil:
			headers = row
			continue
		}
		item := map[string]any{}
		for i, name := range headers {
			if _, twice := item[name]; twice {
				return nil, unread("CSV headers cannot contain duplicates.")
			}
			if item[name] = ""; i < len(row) {
				item[name] = row[i]
			}
		}
		items = append(items, item)
	}
}

// inventory are the rows of the files that an S3 Inventory's manifest names.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
func (f *frame) inventory(ctx context.Context, body []byte) ([]any, *asl.Failure) {
	var manifest struct {
		DestinationBucket, FileFormat, FileSchema string
		Files                                     []struct{ Key string }
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return nil, unread("the manifest is no JSON: %v", err)
	}
	if manifest.FileFormat != "CSV" {
		return nil, unread("the local cloud reads manifests of CSV files, not of %q", manifest.FileFormat)
	}
	headers := strings.Split(manifest.FileSchema, ",")
	for i := range headers {
		headers[i] = strings.TrimSpace(headers[i])
	}
	bucket := manifest.DestinationBucket[strings.LastIndexByte(manifest.DestinationBucket, ':')+1:]
	var items []any
	for _, file := range manifest.Files {
		said, failure := f.s3(ctx, "getObject", map[string]any{"Bucket": bucket, "Key": file.Key})
		if failure != nil {
			return nil, failure
		}
		data := said.Body
		if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			unzipped, err := gzip.NewReader(bytes.NewReader(data))
			if err == nil {
				data, err = io.ReadAll(unzipped)
			}
			if err != nil {
				return nil, unread("%s: %v", file.Key, err)
			}
		}
		rows, failure := table(data, headers, ',')
		if failure != nil {
			return nil, failure
		}
		items = append(items, rows...)
	}
	return items, nil
}
