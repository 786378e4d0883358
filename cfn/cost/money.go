package cost

import (
	"math"
	"strconv"
	"strings"
)

// USD writes dollars: "$1,234.50", below a dollar with up to four digits.
func USD(x float64) string {
	sign := ""
	if x < 0 {
		sign, x = "-", -x
	}
	if x >= 0.99995 {
		text := strconv.FormatFloat(x, 'f', 2, 64)
		whole, cents, _ := strings.Cut(text, ".")
		return sign + "$" + thousands(whole) + "." + cents
	}
	if x > 0 && x < 0.00005 {
		return sign + "<$0.0001"
	}
	text := strconv.FormatFloat(x, 'f', 4, 64)
	for strings.HasSuffix(text, "0") && len(text) > len("0.00") {
		text = text[:len(text)-1]
	}
	return sign + "$" + text
}

// Signed writes a difference of dollars: "+$1.00".
func Signed(x float64) string {
	if x > 0 {
		return "+" + USD(x)
	}
	return USD(x)
}

// count writes a number of times: "43,800", "30.4".
func count(n float64) string {
	if n < 1000 && n != math.Trunc(n) {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return thousands(strconv.FormatFloat(n, 'f', 0, 64))
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
