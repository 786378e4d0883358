package jsonata

import (
	"crypto/md5"  //nolint:gosec // which AWS has
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"math"
)

// added are the functions that AWS adds.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
func added() []entry {
	return []entry{
		{"partition", "<an:a>", 2, 0, false, func(c *callee, args []any) (any, error) {
			n := numberArg(args[1])
			if n < 1 || n != math.Trunc(n) {
				return nil, &Error{Code: "U1005", value: args[1]}
			}
			out, list := &array{items: []any{}}, listArg(args[0])
			for size := int(min(n, float64(len(list)+1))); len(list) > 0; {
				part := list[:min(size, len(list))]
				list = list[len(part):]
				out.items = append(out.items, listOf(append([]any{}, part...)...))
			}
			return out, c.spend(len(out.items))
		}},
		{"range", "<nnn:a>", 3, 0, false, span},
		{"hash", "<s-s:s>", 2, 0, false, digest},
		{"random", "<n?:n>", 1, 0, true, random},
		{"uuid", "<:s>", 0, 0, true, func(c *callee, _ []any) (any, error) {
			if c.by == nil {
				return nil, nil
			}
			return c.by.UUID(), nil
		}},
		{"parse", "<s-:x>", 1, 0, false, func(c *callee, args []any) (any, error) {
			s := textArg(args[0])
			if err := c.spend(len(s)); err != nil {
				return nil, err
			}
			return decoded(s)
		}},
	}
}

func span(c *callee, args []any) (any, error) {
	from, to, step := numberArg(args[0]), numberArg(args[1]), numberArg(args[2])
	if args[1] == nil || args[2] == nil {
		return nil, nil
	}
	if step == 0 || step != math.Trunc(step) {
		return nil, &Error{Code: "U1006", value: args[2]}
	}
	if n := math.Floor((to-from)/step) + 1; n > maxItems {
		return nil, &Error{Code: tooLarge}
	}
	out := sequenceOf() // on AWS, too, a single value is no list
	for v := from; step > 0 && v <= to || step < 0 && v >= to; v += step {
		out.items = append(out.items, v)
	}
	return out, c.spend(len(out.items))
}

func digest(_ *callee, args []any) (any, error) {
	var h hash.Hash
	switch args[1] {
	case "MD5":
		h = md5.New() //nolint:gosec // as above
	case "SHA-1":
		h = sha1.New() //nolint:gosec // as above
	case "SHA-256":
		h = sha256.New()
	case "SHA-384":
		h = sha512.New384()
	case "SHA-512":
		h = sha512.New()
	default:
		return nil, &Error{Code: "U1004", value: args[1]}
	}
	h.Write([]byte(textArg(args[0])))
	return hex.EncodeToString(h.Sum(nil)), nil
}

// random is a number from 0 to 1: with a seed the one that java.util.Random gives, as
// on AWS (https://github.com/floci-io/floci/issues/2662).
func random(c *callee, args []any) (any, error) {
	if seed, ok := args[0].(float64); ok {
		const mask, multiplier = 1<<48 - 1, 0x5DEECE66D
		state := (uint64(int64(seed)) ^ multiplier) & mask
		next := func(bits uint) uint64 {
			state = (state*multiplier + 0xB) & mask
			return state >> (48 - bits)
		}
		high := next(26)
		return float64(high<<27+next(27)) / (1 << 53), nil
	}
	if c.by == nil {
		return nil, nil
	}
	return float64(c.by.Random(0, 1<<53)) / (1 << 53), nil
}
