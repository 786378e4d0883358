package source

import _ "embed"

//go:embed asset/index.mjs
var assetHandler []byte

// Asset is arc's own static asset function (Node, no dependencies).
func Asset() *Bundle {
	return &Bundle{Files: []File{inMemory("index.mjs", assetHandler)}}
}
