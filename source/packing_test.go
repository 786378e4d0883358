package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// TestTheSameFilesAreTheSameBytes in every version of arc, or packing goes up
// with this hash: deploys end as failed when a function runs other bytes than
// its key stands for.
func TestTheSameFilesAreTheSameBytes(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "export const value%d = %d * %d\n", i, i*i%977, i%13)
	}
	files := fstest.MapFS{
		"src/http/get-index/index.mjs": {Data: []byte(text.String())},
		"src/http/get-index/empty.txt": {},
		"src/http/get-index/run":       {Data: bytes.Repeat([]byte("#!/bin/sh\n"), 900), Mode: 0o755},
	}
	bundles, err := CollectAll(files, []Function{{Dir: "src/http/get-index", HandlerFile: "index.mjs", Runtime: "nodejs22.x"}})
	if err != nil {
		t.Fatal(err)
	}
	var zip bytes.Buffer
	if err := bundles[0].WriteZip(&zip); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(zip.Bytes())
	const want = "1 93cabbb6dd5bf6faf76a60534c498e3ad1ee8d83b3ce54e9b79a65214e4857e6"
	if got := fmt.Sprintf("%d %s", packing, hex.EncodeToString(sum[:])); got != want {
		t.Errorf("packing and hash are %s, and were %s: with other bytes of the same files packing has to be another one", got, want)
	}
}
