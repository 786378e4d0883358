package asl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// function is an intrinsic one.
type function struct {
	least, most int // arguments; most -1 = any number
	run         func(args []any, by Chance) (any, error)
}

// Limits of AWS's.
// https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
const (
	maxRange = 1000  // elements of States.ArrayRange
	maxText  = 10000 // characters that are encoded, decoded and hashed
)

// functions are all there are.
var functions = map[string]function{
	"States.Format":         {1, -1, format},
	"States.StringToJson":   {1, 1, stringToJSON},
	"States.JsonToString":   {1, 1, func(a []any, _ Chance) (any, error) { return Encode(a[0]), nil }},
	"States.Array":          {0, -1, func(a []any, _ Chance) (any, error) { return a, nil }},
	"States.ArrayPartition": {2, 2, arrayPartition},
	"States.ArrayContains":  {2, 2, arrayContains},
	"States.ArrayRange":     {3, 3, arrayRange},
	"States.ArrayGetItem":   {2, 2, arrayGetItem},
	"States.ArrayLength":    {1, 1, arrayLength},
	"States.ArrayUnique":    {1, 1, arrayUnique},
	"States.Base64Encode":   {1, 1, base64Encode},
	"States.Base64Decode":   {1, 1, base64Decode},
	"States.Hash":           {2, 2, hash},
	"States.JsonMerge":      {3, 3, jsonMerge},
	"States.MathRandom":     {2, 3, mathRandom},
	"States.MathAdd":        {2, 2, mathAdd},
	"States.StringSplit":    {2, 2, stringSplit},
	"States.UUID":           {0, 0, func(_ []any, by Chance) (any, error) { return by.UUID(), nil }},
}

func format(args []any, _ Chance) (any, error) {
	template, ok := args[0].(string)
	if !ok {
		return nil, errors.New("the template must be a text")
	}
	var out strings.Builder
	rest := args[1:]
	for i := 0; i < len(template); i++ {
		switch {
		case template[i] == '\\' && i+1 < len(template):
			i++
			out.WriteByte(template[i])
		case strings.HasPrefix(template[i:], "{}"):
			if len(rest) == 0 {
				return nil, errors.New("there are more {} than arguments")
			}
			out.WriteString(text(rest[0]))
			rest = rest[1:]
			i++
		default:
			out.WriteByte(template[i])
		}
	}
	if len(rest) > 0 {
		return nil, errors.New("there are fewer {} than arguments")
	}
	return out.String(), nil
}

func stringToJSON(a []any, _ Chance) (any, error) {
	if a[0] == nil {
		return nil, nil // as AWS has it
	}
	text, ok := a[0].(string)
	if !ok {
		return nil, errors.New("the argument must be a text")
	}
	v, err := Decode([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("the text is not JSON: %w", err)
	}
	return v, nil
}

func listOf(v any) ([]any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is no array", Encode(v))
	}
	return list, nil
}

// wholeOf rounds a number to the next whole one, as AWS does.
func wholeOf(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%s is no number", Encode(v))
	}
	if whole, err := n.Int64(); err == nil {
		return whole, nil
	}
	f, err := n.Float64()
	if err != nil || math.Abs(f) > math.MaxInt32 {
		return 0, fmt.Errorf("%s is too large", n)
	}
	return int64(math.Floor(f + 0.5)), nil
}

func arrayPartition(a []any, _ Chance) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	n, err := wholeOf(a[1])
	if err != nil || n < 1 {
		return nil, errors.New("the size of a part must be a positive number")
	}
	out := []any{}
	for part := range slices.Chunk(list, int(min(n, int64(len(list)+1)))) {
		out = append(out, slices.Clone(part))
	}
	return out, nil
}

func arrayContains(a []any, _ Chance) (any, error) {
	list, err := listOf(a[0])
	return slices.ContainsFunc(list, func(v any) bool { return Equal(v, a[1]) }), err
}

func arrayRange(a []any, _ Chance) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = wholeOf(a[i]); err != nil {
			return nil, err
		}
	}
	first, last, by := n[0], n[1], n[2]
	if by == 0 {
		return nil, errors.New("the step must not be 0")
	}
	out := []any{}
	for v := first; by > 0 && v <= last || by < 0 && v >= last; v += by {
		if len(out) == maxRange {
			return nil, fmt.Errorf("an array of more than %d elements", maxRange)
		}
		out = append(out, number(int(v)))
		if by > 0 && v > math.MaxInt64-by || by < 0 && v < math.MinInt64-by {
			break
		}
	}
	return out, nil
}

func arrayGetItem(a []any, _ Chance) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	n, err := wholeOf(a[1])
	if err != nil || n < 0 || n >= int64(len(list)) {
		return nil, fmt.Errorf("there is no element %s", Encode(a[1]))
	}
	return list[n], nil
}

func arrayLength(a []any, _ Chance) (any, error) {
	list, err := listOf(a[0])
	return number(len(list)), err
}

func arrayUnique(a []any, _ Chance) (any, error) {
	list, err := listOf(a[0])
	out, seen := []any{}, map[string]bool{}
	for _, v := range list {
		if key := Encode(v); !seen[key] {
			seen[key] = true
			out = append(out, v)
		}
	}
	return out, err
}

// bounded is a text that is not too long for what is made of it.
func bounded(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s is no text", Encode(v))
	}
	if len(s) > maxText {
		return "", fmt.Errorf("a text of more than %d characters", maxText)
	}
	return s, nil
}

func base64Encode(a []any, _ Chance) (any, error) {
	s, err := bounded(a[0])
	return base64.StdEncoding.EncodeToString([]byte(s)), err
}

func base64Decode(a []any, _ Chance) (any, error) {
	s, err := bounded(a[0])
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("the text is not base64")
	}
	return strings.ToValidUTF8(string(data), "\ufffd"), nil
}

func hash(a []any, _ Chance) (any, error) {
	data, ok := a[0].(string)
	if !ok {
		data = Encode(a[0])
	}
	data, err := bounded(data)
	if err != nil {
		return nil, err
	}
	var sum []byte
	switch in := []byte(data); a[1] {
	case "MD5":
		s := md5.Sum(in)
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(in)
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(in)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(in)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(in)
		sum = s[:]
	default:
		return nil, errors.New("the algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512")
	}
	return hex.EncodeToString(sum), nil
}

func jsonMerge(a []any, _ Chance) (any, error) {
	one, ok := a[0].(map[string]any)
	two, also := a[1].(map[string]any)
	if !ok || !also {
		return nil, errors.New("what is merged must be objects")
	}
	if a[2] != false {
		return nil, errors.New("deep merging is not supported: the third argument must be false")
	}
	out := make(map[string]any, len(one)+len(two))
	for key, value := range one {
		out[key] = value
	}
	for key, value := range two {
		out[key] = value
	}
	return out, nil
}

func mathRandom(a []any, by Chance) (any, error) {
	least, err := wholeOf(a[0])
	if err != nil {
		return nil, err
	}
	most, err := wholeOf(a[1])
	if err != nil {
		return nil, err
	}
	if least >= most {
		return nil, errors.New("the start must be below the end")
	}
	if len(a) == 3 {
		seed, err := wholeOf(a[2])
		if err != nil {
			return nil, err
		}
		return number(int(least + rand.New(rand.NewPCG(uint64(seed), 0)).Int64N(most-least))), nil
	}
	return number(int(by.Random(least, most))), nil
}

func mathAdd(a []any, _ Chance) (any, error) {
	one, err := wholeOf(a[0])
	if err != nil {
		return nil, err
	}
	two, err := wholeOf(a[1])
	if err != nil {
		return nil, err
	}
	return json.Number(strconv.FormatInt(one+two, 10)), nil
}

// stringSplit splits at each of the characters; what is empty is left out.
func stringSplit(a []any, _ Chance) (any, error) {
	s, ok := a[0].(string)
	by, also := a[1].(string)
	if !ok || !also {
		return nil, errors.New("the text and what splits it must be texts")
	}
	out := []any{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(by, r) }) {
		out = append(out, part)
	}
	return out, nil
}
