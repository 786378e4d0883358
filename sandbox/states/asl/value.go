// Package asl is the Amazon States Language: it reads a definition, says what AWS
// would refuse of it, and evaluates what stands in its states: paths, payload
// templates, intrinsic functions and choice rules. It runs nothing and knows no
// clock.
// https://states-language.net/spec.html
package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Decode reads one JSON value. Numbers stay as they are written (json.Number).
func Decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more than one value")
	}
	return v, nil
}

// Encode spells a value that Decode gave: members sorted, no character escaped that
// need not be.
func Encode(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "null" // what came from JSON can be spelled
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// Equal reports whether two values are the same; 1 and 1.0 are.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, ok := b.(json.Number)
		return ok && compareNumbers(a, n) == 0
	case []any:
		list, ok := b.([]any)
		if !ok || len(a) != len(list) {
			return false
		}
		for i := range a {
			if !Equal(a[i], list[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		m, ok := b.(map[string]any)
		if !ok || len(a) != len(m) {
			return false
		}
		for key, value := range a {
			other, there := m[key]
			if !there || !Equal(value, other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

// compareNumbers is -1, 0 or 1.
func compareNumbers(a, b json.Number) int {
	// A number such as 1e999999999 is not reckoned out.
	if x, ok := rational(a); ok {
		if y, ok := rational(b); ok {
			return x.Cmp(y)
		}
	}
	x, _ := a.Float64()
	y, _ := b.Float64()
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func rational(n json.Number) (*big.Rat, bool) {
	if len(n) > 64 || strings.ContainsAny(string(n), "eE") {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// Whole is a number without a fraction; ok is false for any other value.
func Whole(v any) (n int, ok bool) {
	text, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if whole, err := text.Int64(); err == nil {
		return int(whole), true
	}
	f, err := text.Float64()
	if err != nil || f != float64(int64(f)) {
		return 0, false
	}
	return int(f), true
}

// copied is a value that shares no container with the first.
func copied(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = copied(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = copied(value)
		}
		return out
	}
	return v
}

// Failure is how a state fails: an error's name, which Retry and Catch go by, and
// its cause. Field is where the expression stands that could not be evaluated; "" for
// any other.
type Failure struct {
	Name, Cause string
	Field       string `json:",omitempty"`
}

// Error is both.
func (f *Failure) Error() string {
	if f.Cause == "" {
		return f.Name
	}
	return f.Name + ": " + f.Cause
}

// Names of errors.
// https://states-language.net/spec.html#appendix-a
const (
	ErrAll              = "States.ALL"
	ErrTimeout          = "States.Timeout"
	ErrHeartbeatTimeout = "States.HeartbeatTimeout"
	ErrTaskFailed       = "States.TaskFailed"
	ErrPermissions      = "States.Permissions"
	ErrRuntime          = "States.Runtime"
	ErrNoChoiceMatched  = "States.NoChoiceMatched"
	ErrIntrinsic        = "States.IntrinsicFailure"
	ErrParameterPath    = "States.ParameterPathFailure"
	ErrResultPath       = "States.ResultPathMatchFailure"
	ErrTolerated        = "States.ExceedToleratedFailureThreshold"
	ErrQuery            = "States.QueryEvaluationError"
	ErrTooLarge         = "States.DataLimitExceeded"
	ErrItemReader       = "States.ItemReaderFailed"
	ErrResultWriter     = "States.ResultWriterFailed"
)

func failed(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Cause: fmt.Sprintf(format, args...)}
}
