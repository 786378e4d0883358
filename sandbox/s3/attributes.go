package s3

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// attributes answers GetObjectAttributes: what is asked for of an object, and
// not its bytes. Parts of a multipart upload are not kept, and so not told.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
func (s *Server) attributes(w http.ResponseWriter, r *http.Request, bucket, key string) {
	if !s.store.has(bucket) {
		writeError(w, r, noBucket(bucket))
		return
	}
	object, err := s.attributed(bucket, key, r.URL.Query().Get("versionId"))
	if err != nil {
		writeError(w, r, apiError(err, bucket, key))
		return
	}
	defer object.Contents.Close()
	var asked []string
	for _, header := range r.Header.Values("X-Amz-Object-Attributes") {
		for _, name := range strings.Split(header, ",") {
			asked = append(asked, strings.TrimSpace(name))
		}
	}
	out := struct {
		XMLName      xml.Name `xml:"GetObjectAttributesResponse"`
		Xmlns        string   `xml:"xmlns,attr"`
		ETag         string   `xml:",omitempty"`
		Checksum     any
		StorageClass string `xml:",omitempty"`
		ObjectSize   *int64 `xml:",omitempty"`
	}{Xmlns: namespace}
	if slices.Contains(asked, "ETag") {
		out.ETag = hex.EncodeToString(object.Hash)
	}
	if slices.Contains(asked, "Checksum") {
		out.Checksum = checksumOf(object.Metadata)
	}
	if slices.Contains(asked, "StorageClass") {
		out.StorageClass = "STANDARD"
	}
	if slices.Contains(asked, "ObjectSize") {
		out.ObjectSize = &object.Size
	}
	w.Header().Set("Content-Type", "application/xml")
	if modified := object.Metadata["Last-Modified"]; modified != "" {
		w.Header().Set("Last-Modified", modified)
	}
	fmt.Fprint(w, xml.Header)
	xml.NewEncoder(w).Encode(out)
}

func (s *Server) attributed(bucket, key, version string) (*gofakes3.Object, error) {
	if version != "" {
		return s.store.HeadObjectVersion(bucket, key, gofakes3.VersionID(version))
	}
	return s.store.HeadObject(bucket, key)
}

// checksumOf is what a client protected the upload with; nil = nothing.
func checksumOf(metadata map[string]string) any {
	type sums struct {
		ChecksumCRC32     string `xml:",omitempty"`
		ChecksumCRC32C    string `xml:",omitempty"`
		ChecksumCRC64NVME string `xml:",omitempty"`
		ChecksumSHA1      string `xml:",omitempty"`
		ChecksumSHA256    string `xml:",omitempty"`
		ChecksumType      string
	}
	found := sums{ChecksumType: "FULL_OBJECT"}
	for name, value := range metadata {
		switch strings.ToLower(name) {
		case "x-amz-checksum-crc32":
			found.ChecksumCRC32 = value
		case "x-amz-checksum-crc32c":
			found.ChecksumCRC32C = value
		case "x-amz-checksum-crc64nvme":
			found.ChecksumCRC64NVME = value
		case "x-amz-checksum-sha1":
			found.ChecksumSHA1 = value
		case "x-amz-checksum-sha256":
			found.ChecksumSHA256 = value
		}
	}
	if (found == sums{ChecksumType: "FULL_OBJECT"}) {
		return nil
	}
	return found
}
