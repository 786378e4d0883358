package syntax

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// classify tells numbers and booleans from strings: a number starts with a
// digit or a minus sign and is one to JavaScript's Number().
func (v *Value) classify() {
	switch {
	case v.Text == "true" || v.Text == "false":
		v.Kind, v.Bool = Bool, v.Text == "true"
	case v.Text != "" && (v.Text[0] >= '0' && v.Text[0] <= '9' || v.Text[0] == '-'):
		if n, ok := number(v.Text); ok {
			v.Kind, v.Num = Number, n
		}
	}
}

// number reads what Number() takes, infinity for what is too large included.
func number(s string) (float64, bool) {
	if s == "-Infinity" {
		return math.Inf(-1), true
	}
	if len(s) > 2 && s[0] == '0' {
		if base := map[byte]int{'x': 16, 'X': 16, 'o': 8, 'O': 8, 'b': 2, 'B': 2}[s[1]]; base != 0 {
			return integer(s[2:], base)
		}
	}
	if strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, false // ParseFloat takes more spellings than JavaScript does
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil || math.IsInf(n, 0)
}

// maxDigits bounds the digits of a number with a base: more make infinity.
const maxDigits = 1024

func integer(digits string, base int) (float64, bool) {
	for _, r := range digits {
		if n, err := strconv.ParseUint(string(r), base, 8); err != nil || int(n) >= base {
			return 0, false
		}
	}
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > maxDigits {
		return math.Inf(1), true
	}
	if digits == "" {
		return 0, true
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return 0, false
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f, true
}
