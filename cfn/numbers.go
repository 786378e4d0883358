package cfn

import (
	"math/big"
	"strings"
)

// isOctal reports whether a number of YAML 1.1 is an octal one.
func isOctal(text string) bool {
	text = strings.TrimLeft(text, "+-")
	return len(text) > 1 && text[0] == '0' && strings.Trim(text, "01234567") == ""
}

// numberOf11 is the number, in JSON's spelling, that YAML 1.1 reads in a text
// which JSON does not take for one: octal, hexadecimal and binary numbers, those
// with underscores, and those of base 60.
// https://yaml.org/type/int.html
// https://yaml.org/type/float.html
func numberOf11(text string) (decimal string, ok bool) {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		sign, digits = strings.TrimPrefix(text[:1], "+"), text[1:]
	}
	if digits == "" || digits[0] < '0' || digits[0] > '9' {
		return "", false
	}
	grouped := strings.Contains(digits, "_")
	digits = strings.ReplaceAll(digits, "_", "")
	n := new(big.Int)
	switch {
	case isOctal(digits):
		n, ok = n.SetString(digits, 8)
	case strings.HasPrefix(digits, "0x"):
		n, ok = n.SetString(digits[2:], 16)
	case strings.HasPrefix(digits, "0b"):
		n, ok = n.SetString(digits[2:], 2)
	case strings.Contains(digits, ":"):
		n, ok = base60(digits)
	case grouped && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || digits == "0"):
		n, ok = n.SetString(digits, 10)
	case grouped && strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") == 1 && !strings.HasSuffix(digits, "."):
		return sign + digits, digits[0] != '0' || digits[1] == '.'
	}
	if !ok || n.Sign() < 0 {
		return "", false
	}
	return sign + n.String(), true
}

// base60 reads 1:30:00, of which every part but the first is below 60.
func base60(text string) (*big.Int, bool) {
	n := new(big.Int)
	if text[0] == '0' {
		return n, false
	}
	for i, part := range strings.Split(text, ":") {
		digits, ok := new(big.Int).SetString(part, 10)
		if !ok || strings.Trim(part, "0123456789") != "" || i > 0 && (len(part) > 2 || digits.Cmp(big.NewInt(60)) >= 0) {
			return n, false
		}
		n.Add(n.Mul(n, big.NewInt(60)), digits)
	}
	return n, true
}
