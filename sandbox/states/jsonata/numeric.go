package jsonata

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// numeric are the functions of numbers, and those that make one of many.
// https://docs.jsonata.org/numeric-functions
func numeric() []entry {
	plain := func(run func(f float64) float64) func(*callee, []any) (any, error) {
		return func(_ *callee, args []any) (any, error) { return run(numberArg(args[0])), nil }
	}
	many := func(run func(list []any) any) func(*callee, []any) (any, error) {
		return func(_ *callee, args []any) (any, error) { return run(listArg(args[0])), nil }
	}
	sum := func(list []any) (total float64) {
		for _, item := range list {
			total += numberArg(item)
		}
		return total
	}
	extreme := func(of func(a, b float64) float64) func(list []any) any {
		return func(list []any) any {
			if len(list) == 0 {
				return nil
			}
			out := numberArg(list[0])
			for _, item := range list[1:] {
				out = of(out, numberArg(item))
			}
			return out
		}
	}
	return []entry{
		{"sum", "<a<n>:n>", 1, 0, false, many(func(list []any) any { return sum(list) })},
		{"count", "<a:n>", 1, 0, true, many(func(list []any) any { return float64(len(list)) })},
		{"max", "<a<n>:n>", 1, 0, false, many(extreme(math.Max))},
		{"min", "<a<n>:n>", 1, 0, false, many(extreme(math.Min))},
		{"average", "<a<n>:n>", 1, 0, false, many(func(list []any) any {
			if len(list) == 0 {
				return nil
			}
			return sum(list) / float64(len(list))
		})},
		{"number", "<(nsb)-:n>", 1, 0, false, func(_ *callee, args []any) (any, error) { return cast(args[0]) }},
		{"abs", "<n-:n>", 1, 0, false, plain(math.Abs)},
		{"floor", "<n-:n>", 1, 0, false, plain(math.Floor)},
		{"ceil", "<n-:n>", 1, 0, false, plain(math.Ceil)},
		{"round", "<n-n?:n>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			return round(numberArg(args[0]), int(numberArg(args[1]))), nil
		}},
		{"sqrt", "<n-:n>", 1, 0, false, func(_ *callee, args []any) (any, error) {
			if numberArg(args[0]) < 0 {
				return nil, &Error{Code: "D3060", value: args[0]}
			}
			return math.Sqrt(numberArg(args[0])), nil
		}},
		{"power", "<n-n:n>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			out := math.Pow(numberArg(args[0]), numberArg(args[1]))
			if math.IsInf(out, 0) || math.IsNaN(out) {
				return nil, &Error{Code: "D3061", value: args[0], value2: args[1]}
			}
			return out, nil
		}},
		{"formatNumber", "<n-so?:s>", 3, 0, false, formatNumber},
		{"formatBase", "<n-n?:s>", 2, 0, false, formatBase},
		{"formatInteger", "<n-s:s>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			p, err := integerPicture(textArg(args[1]))
			if err != nil {
				return nil, err
			}
			return p.format(math.Floor(numberArg(args[0])))
		}},
		{"parseInteger", "<s-s:n>", 2, 0, false, func(_ *callee, args []any) (any, error) {
			p, err := integerPicture(textArg(args[1]))
			if err != nil {
				return nil, err
			}
			return p.parse(textArg(args[0]))
		}},
	}
}

// forms are those of texts that are numbers.
var forms = sync.OnceValues(func() (decimal, other *regexp.Regexp) {
	return regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$`), regexp.MustCompile(`^0([xX][0-9A-Fa-f]+|[oO][0-7]+|[bB][01]+)$`)
})

// cast makes a number of a value.
// https://docs.jsonata.org/numeric-functions#number
func cast(v any) (any, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case bool:
		if v {
			return 1.0, nil
		}
		return 0.0, nil
	case string:
		decimal, other := forms()
		if decimal.MatchString(v) {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				return f, nil
			}
		}
		if other.MatchString(v) {
			if n, ok := new(big.Int).SetString(v, 0); ok {
				f, _ := new(big.Float).SetInt(n).Float64()
				return f, nil
			}
		}
	}
	return nil, &Error{Code: "D3030", value: v}
}

// round is to the nearest, and halfway to the even number; places are shifted in the
// text of the number, where that is exact.
// https://docs.jsonata.org/numeric-functions#round
func round(f float64, places int) float64 {
	f = shifted(f, places)
	out := math.Floor(f)
	if f-out >= 0.5 {
		out++
	}
	if math.Abs(out-f) == 0.5 && math.Mod(math.Abs(out), 2) == 1 {
		out--
	}
	if out = shifted(out, -places); out == 0 {
		return 0 // and not -0
	}
	return out
}

func shifted(f float64, places int) float64 {
	if places == 0 {
		return f
	}
	digits, exponent, _ := strings.Cut(number(f), "e")
	n, _ := strconv.Atoi(exponent)
	out, err := strconv.ParseFloat(digits+"e"+strconv.Itoa(n+places), 64)
	if err != nil && !math.IsInf(out, 0) {
		return math.NaN()
	}
	return out
}

func formatBase(_ *callee, args []any) (any, error) {
	base := 10.0
	if args[1] != nil {
		base = round(numberArg(args[1]), 0)
	}
	if base < 2 || base > 36 {
		return nil, &Error{Code: "D3100", value: base}
	}
	f := round(numberArg(args[0]), 0)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &Error{Code: "D1001", value: f}
	}
	if base == 10 {
		return number(f), nil
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n.Text(int(base)), nil
}
