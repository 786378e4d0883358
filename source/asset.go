package source

import "embed"

//go:embed asset/*.mjs
var asset embed.FS

// Asset is arc's own static asset function (Node, no dependencies). It reads the
// bucket that ARC_STATIC_BUCKET names, below ARC_STATIC_PREFIX, and needs no more
// than s3:GetObject on it; ARC_STATIC_SPA makes every path without a dot the
// start page. Its handler is index.handler.
func Asset() *Bundle {
	b := &Bundle{}
	for _, name := range []string{"index.mjs", "s3.mjs"} {
		body, _ := asset.ReadFile("asset/" + name) // embedded, so always there
		b.Files = append(b.Files, inMemory(name, body))
	}
	return b
}
