package ingress

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// NewToken makes a connection, message or request ID as API Gateway does: 16
// characters that end in "=", so code that forgets to escape one in a URL
// fails here as it would there. It never begins with "-", which command lines
// take for a flag. 87 random bits keep it unique everywhere.
func NewToken() string {
	var b [11]byte
	rand.Read(b[:]) // never fails
	b[0] &= 0x7f
	return base64.URLEncoding.EncodeToString(b[:])
}

// NewTrace makes the X-Amzn-Trace-Id of a request.
func NewTrace(at time.Time) string {
	var b [12]byte
	rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s", at.Unix(), hex.EncodeToString(b[:]))
}

// ResourceID derives a resource's ID from its stack and logical ID, so that an
// unchanged stack keeps its IDs; taken tells those that are in use already,
// as the old one is while a resource is replaced.
func ResourceID(length int, taken func(string) bool, parts ...string) string {
	for attempt := 0; ; attempt++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", strings.Join(parts, "\x00"), attempt))
		id := new(big.Int).SetBytes(sum[:]).Text(36)[:length]
		if !taken(id) {
			return id
		}
	}
}

// IDOf is the ID that a resource gets, or that it had in an earlier run.
func IDOf(req stack.Request, length int, taken func(string) bool) string {
	if req.Restored && !taken(req.PhysicalID) {
		return req.PhysicalID
	}
	return ResourceID(length, taken, req.Stack.ID, req.LogicalID)
}
