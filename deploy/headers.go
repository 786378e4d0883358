package deploy

import (
	"path"
	"strings"

	"arc/source"
)

// headers are what browsers and caches are told of a published file.
type headers struct {
	contentType, cacheControl string
}

// Cache-Control as Architect sends it. Files without a fingerprint that are
// neither pages nor data get none: the ETag settles it.
const (
	cacheForEver = "max-age=315360000"
	cacheNever   = "no-cache, no-store, must-revalidate, max-age=0, s-maxage=0"
)

func headersOf(f StaticFile) headers {
	h := headers{contentType: source.ContentType(f.Path)}
	switch ext := strings.ToLower(path.Ext(f.Path)); {
	case f.Fingerprinted:
		h.cacheControl = cacheForEver
	case isHTML(f.Path), ext == ".json":
		h.cacheControl = cacheNever
	}
	return h
}

func isHTML(file string) bool {
	ext := strings.ToLower(path.Ext(file))
	return ext == ".html" || ext == ".htm"
}
