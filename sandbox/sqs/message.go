package sqs

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"arc/sandbox/stack"
)

// message is one that a queue holds. It is kept between runs as JSON.
type message struct {
	ID         string
	Body       string
	Attributes map[string]Attribute `json:",omitempty"`
	Trace      string               `json:",omitempty"` // AWSTraceHeader
	Sender     string
	Sent       time.Time
	Kept       time.Time // since when its retention counts
	First      time.Time // when it was received first; zero = never
	Receives   int
	Visible    time.Time // not to be received before
	Group      string    `json:",omitempty"`
	Dedup      string    `json:",omitempty"`
	Sequence   uint64
	DeadFrom   string `json:",omitempty"` // ARN of the queue whose dead letter it is

	handle string // of the last receive; "" = it is not in flight
	taken  bool   // in flight: received and not visible again
	gone   bool   // deleted, in a list that has not been cleared of it yet
}

// Attribute is a message attribute in the API's form. Binary values are bytes
// in base64.
type Attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// text is the value as SQS's other users know it: binary in base64.
func (a Attribute) text() string {
	if a.StringValue != nil {
		return *a.StringValue
	}
	return base64.StdEncoding.EncodeToString(a.BinaryValue)
}

func (a Attribute) binary() bool { return strings.HasPrefix(a.DataType, "Binary") }

// size is what counts against the limit: body, and names, types and values of
// attributes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func size(body string, attributes map[string]Attribute) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

// md5Of is a body's digest.
func md5Of(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is the digest that clients compare: names sorted, of each the
// name, the type, a byte for the kind and the value, lengths in front.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func md5OfAttributes(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	h := md5.New()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		counted(h, []byte(name))
		counted(h, []byte(a.DataType))
		if a.binary() {
			h.Write([]byte{2})
			counted(h, a.BinaryValue)
		} else {
			h.Write([]byte{1})
			counted(h, []byte(a.text()))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func counted(h hash.Hash, b []byte) {
	binary.Write(h, binary.BigEndian, uint32(len(b)))
	h.Write(b)
}

var (
	attributeName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`) })
	tokenText     = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("^[A-Za-z0-9!\"#$%&'()*+,./:;<=>?@\\[\\]^_`{|}~\\\\-]{1,128}$")
	})
)

// checkBody refuses what SQS refuses of a body: nothing, and characters that
// XML does not have.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func checkBody(body string) error {
	if body == "" {
		return &stack.Error{Code: "MissingParameter", Message: "The request must contain the parameter MessageBody."}
	}
	for _, r := range body {
		ok := r == 0x9 || r == 0xA || r == 0xD || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000
		if !ok || r == utf8.RuneError && !utf8.ValidString(body) {
			return &stack.Error{Code: "InvalidMessageContents", Message: "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
		}
	}
	return nil
}

// checkAttributes refuses what SQS refuses of message attributes.
func checkAttributes(attributes map[string]Attribute) error {
	if len(attributes) > 10 {
		return value("Number of message attributes [%d] exceeds the allowed maximum [10].", len(attributes))
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		lower := strings.ToLower(name)
		switch base, _, _ := strings.Cut(a.DataType, "."); {
		case !attributeName().MatchString(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") ||
			strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
			return value("The message attribute name '%s' is invalid.", name)
		case a.DataType == "":
			return value("The message attribute '%s' must contain a non-empty message attribute type.", name)
		case base != "String" && base != "Number" && base != "Binary" || len(a.DataType) > 256:
			return value("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		case base == "Binary" && len(a.BinaryValue) == 0, base != "Binary" && (a.StringValue == nil || *a.StringValue == ""):
			return value("The message attribute '%s' must contain a non-empty message attribute value for message attribute type '%s'.", name, base)
		case base == "Number" && !isNumber(*a.StringValue):
			return value("Can't cast the value of message (user) attribute '%s' to a number.", name)
		}
	}
	return nil
}

func isNumber(text string) bool {
	var f float64
	n, err := fmt.Sscanf(text+"\n", "%g\n", &f)
	return n == 1 && err == nil
}

// value is the answer to a parameter whose value SQS does not take.
func value(format string, args ...any) error {
	return &stack.Error{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...)}
}
