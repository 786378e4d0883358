package source

import (
	"path"
	"strings"
	"sync"
)

// ContentType is the Content-Type that a static file is published and served
// with, by the ending of its name; text is UTF-8. It is the same in a deploy and
// on the local cloud: the operating system's own table, which differs from
// machine to machine, is never asked. A name without a known ending is
// application/octet-stream.
func ContentType(file string) string {
	kind, ok := contentTypes()[strings.TrimPrefix(strings.ToLower(path.Ext(file)), ".")]
	if !ok {
		return "application/octet-stream"
	}
	if isText(kind) {
		return kind + "; charset=utf-8"
	}
	return kind
}

func isText(kind string) bool {
	switch kind {
	case "application/json", "application/ld+json", "application/manifest+json", "application/geo+json", "application/xml",
		"application/atom+xml", "application/rss+xml", "application/xhtml+xml", "application/yaml", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// contentTypes are the types of the IANA registry, by extension.
// https://www.iana.org/assignments/media-types
var contentTypes = sync.OnceValue(func() map[string]string {
	return map[string]string{
		"aac":         "audio/aac",
		"apng":        "image/apng",
		"atom":        "application/atom+xml",
		"avif":        "image/avif",
		"bmp":         "image/bmp",
		"br":          "application/x-brotli",
		"cjs":         "text/javascript",
		"css":         "text/css",
		"csv":         "text/csv",
		"doc":         "application/msword",
		"docx":        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"eot":         "application/vnd.ms-fontobject",
		"epub":        "application/epub+zip",
		"flac":        "audio/flac",
		"geojson":     "application/geo+json",
		"gif":         "image/gif",
		"glb":         "model/gltf-binary",
		"gltf":        "model/gltf+json",
		"gz":          "application/gzip",
		"heic":        "image/heic",
		"htm":         "text/html",
		"html":        "text/html",
		"ico":         "image/vnd.microsoft.icon",
		"ics":         "text/calendar",
		"jpeg":        "image/jpeg",
		"jpg":         "image/jpeg",
		"js":          "text/javascript",
		"json":        "application/json",
		"jsonld":      "application/ld+json",
		"jsx":         "text/jsx",
		"jxl":         "image/jxl",
		"log":         "text/plain",
		"m4a":         "audio/mp4",
		"m4v":         "video/mp4",
		"map":         "application/json",
		"markdown":    "text/markdown",
		"md":          "text/markdown",
		"mid":         "audio/midi",
		"midi":        "audio/midi",
		"mjs":         "text/javascript",
		"mov":         "video/quicktime",
		"mp3":         "audio/mpeg",
		"mp4":         "video/mp4",
		"mpeg":        "video/mpeg",
		"mpg":         "video/mpeg",
		"oga":         "audio/ogg",
		"ogg":         "audio/ogg",
		"ogv":         "video/ogg",
		"opus":        "audio/ogg",
		"otf":         "font/otf",
		"pdf":         "application/pdf",
		"png":         "image/png",
		"ppt":         "application/vnd.ms-powerpoint",
		"pptx":        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		"rss":         "application/rss+xml",
		"rtf":         "application/rtf",
		"svg":         "image/svg+xml",
		"tar":         "application/x-tar",
		"tif":         "image/tiff",
		"tiff":        "image/tiff",
		"ts":          "text/typescript",
		"tsx":         "text/tsx",
		"ttf":         "font/ttf",
		"txt":         "text/plain",
		"usdz":        "model/vnd.usdz+zip",
		"vtt":         "text/vtt",
		"wasm":        "application/wasm",
		"wav":         "audio/wav",
		"weba":        "audio/webm",
		"webm":        "video/webm",
		"webmanifest": "application/manifest+json",
		"webp":        "image/webp",
		"woff":        "font/woff",
		"woff2":       "font/woff2",
		"xhtml":       "application/xhtml+xml",
		"xls":         "application/vnd.ms-excel",
		"xlsx":        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"xml":         "application/xml",
		"yaml":        "application/yaml",
		"yml":         "application/yaml",
		"zip":         "application/zip",
	}
})
