package stack

import (
	"crypto/sha256"
	"encoding/hex"
)

// UUIDOf is an ID in the form of a UUID, the same of the same text.
func UUIDOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
