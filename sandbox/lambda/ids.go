package lambda

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"
)

// newRequestID gives a random (version 4) UUID.
func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var text [36]byte
	hex.Encode(text[:8], b[:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:], b[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// traceID gives an X-Ray trace header for a request: not sampled.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func traceID(requestID string, at time.Time) string {
	digits := strings.ReplaceAll(requestID, "-", "")
	var seconds [4]byte
	for i, t := 3, at.Unix(); i >= 0; i, t = i-1, t>>8 {
		seconds[i] = byte(t)
	}
	return "Root=1-" + hex.EncodeToString(seconds[:]) + "-" + digits[:24] + ";Parent=" + digits[16:] + ";Sampled=0"
}

// digest gives a short name for a list of texts.
func digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		io.WriteString(h, t)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
