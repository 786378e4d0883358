package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// formatNumber writes a number after a picture of XPath.
// https://docs.jsonata.org/numeric-functions#formatnumber
// https://www.w3.org/TR/xpath-functions-31/#func-format-number
func formatNumber(c *callee, args []any) (any, error) {
	signs := newSigns(args[2])
	parts := strings.Split(textArg(args[1]), signs.pattern)
	if len(parts) > 2 {
		return nil, &Error{Code: "D3080"}
	}
	var pictures []*picture
	for _, one := range parts {
		p, err := signs.picture(one)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, p)
	}
	f := numberArg(args[0])
	p := pictures[0]
	if f < 0 {
		if len(pictures) == 2 {
			p = pictures[1]
		} else {
			p.prefix = signs.minus + p.prefix
		}
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, &Error{Code: "D1001", value: f}
	}
	out := p.format(f, signs)
	return out, c.spend(len(out))
}

// signs are the characters of pictures.
type signs struct {
	decimal, grouping, exponent, minus, percent, mille, digit, pattern string
	zero                                                               rune
}

func newSigns(options any) *signs {
	s := &signs{decimal: ".", grouping: ",", exponent: "e", minus: "-", percent: "%", mille: "\u2030", digit: "#", pattern: ";", zero: '0'}
	o, ok := options.(*object)
	if !ok {
		return s
	}
	for name, into := range map[string]*string{
		"decimal-separator": &s.decimal, "grouping-separator": &s.grouping, "exponent-separator": &s.exponent, "minus-sign": &s.minus,
		"percent": &s.percent, "per-mille": &s.mille, "digit": &s.digit, "pattern-separator": &s.pattern,
	} {
		if given := textArg(o.values[name]); given != "" {
			*into = given
		}
	}
	for _, r := range textArg(o.values["zero-digit"]) {
		s.zero = r
		break
	}
	return s
}

func (s *signs) isDigit(r rune) bool { return r >= s.zero && r < s.zero+10 }

// active says that a character stands for something.
func (s *signs) active(r rune) bool {
	return s.isDigit(r) || slices.Contains([]string{s.decimal, s.exponent, s.grouping, s.digit, s.pattern}, string(r))
}

// count is how many digits there are in a part, or digits and places for them.
func (s *signs) count(part string, optional bool) (n int) {
	for _, r := range part {
		if s.isDigit(r) || optional && string(r) == s.digit {
			n++
		}
	}
	return n
}

// picture is a sub-picture.
type picture struct {
	text, prefix, suffix             string
	integer, fraction, exponent      string
	hasExponent                      bool
	least, leastFraction, mostDigits int
	scale, leastExponent             int
	groups, fractionGroups           []int
	every                            int
}

func (s *signs) picture(text string) (*picture, error) {
	p := &picture{text: text}
	all := []rune(text)
	begins := func(r rune) bool { return s.active(r) && string(r) != s.exponent }
	from, to := slices.IndexFunc(all, begins), len(all)
	if from < 0 {
		from = 0 // all of it is between prefix and suffix, which is a mistake
	} else {
		for !begins(all[to-1]) {
			to--
		}
	}
	p.prefix, p.suffix = string(all[:from]), string(all[to:])
	active := string(all[from:to])
	mantissa := active
	mantissa, p.exponent, p.hasExponent = strings.Cut(active, s.exponent)
	p.hasExponent = p.hasExponent || active != "" && strings.HasPrefix(p.suffix, s.exponent)
	var hasPoint bool
	p.integer, p.fraction, hasPoint = strings.Cut(mantissa, s.decimal)
	if !hasPoint {
		p.fraction = p.suffix
	}
	if code := s.mistake(p, active, mantissa); code != "" {
		return nil, &Error{Code: code}
	}
	s.measure(p)
	return p, nil
}

// mistake is the code of what is wrong with a picture; "" = nothing is.
func (s *signs) mistake(p *picture, active, mantissa string) (code string) {
	twice := func(sign string) bool { return strings.Count(p.text, sign) > 1 }
	both := strings.Contains(p.text, s.percent) || strings.Contains(p.text, s.mille)
	before, after, hasPoint := strings.Cut(p.text, s.decimal)
	firstOptional, lastOptional := strings.Index(p.integer, s.digit), strings.LastIndex(p.fraction, s.digit)
	for _, one := range []struct {
		wrong bool
		code  string
	}{
		{twice(s.decimal), "D3081"}, {twice(s.percent), "D3082"}, {twice(s.mille), "D3083"},
		{strings.Contains(p.text, s.percent) && strings.Contains(p.text, s.mille), "D3084"},
		{s.count(mantissa, true) == 0, "D3085"},
		{strings.ContainsFunc(active, func(r rune) bool { return !s.active(r) }), "D3086"},
		{hasPoint && (strings.HasSuffix(before, s.grouping) || strings.HasPrefix(after, s.grouping)), "D3087"},
		{!hasPoint && strings.HasSuffix(p.integer, s.grouping), "D3088"},
		{strings.Contains(p.text, s.grouping+s.grouping), "D3089"},
		{firstOptional >= 0 && s.count(p.integer[:max(firstOptional, 0)], false) > 0, "D3090"},
		{lastOptional >= 0 && s.count(p.fraction[max(lastOptional, 0):], false) > 0, "D3091"},
		{p.hasExponent && p.exponent != "" && both, "D3092"},
		{p.hasExponent && (p.exponent == "" || strings.ContainsFunc(p.exponent, func(r rune) bool { return !s.isDigit(r) })), "D3093"},
	} {
		if one.wrong {
			code = one.code // the last one is told
		}
	}
	return code
}

// measure counts the digits of a picture.
func (s *signs) measure(p *picture) {
	for rest := p.integer; ; {
		_, after, ok := strings.Cut(rest, s.grouping)
		if !ok {
			break
		}
		p.groups = append(p.groups, s.count(after, true))
		rest = after
	}
	p.every = interval(p.groups)
	for i, r := range p.fraction {
		if string(r) == s.grouping {
			p.fractionGroups = append(p.fractionGroups, s.count(p.fraction[:i], true))
		}
	}
	p.least = s.count(p.integer, false)
	p.scale = p.least
	p.leastFraction, p.mostDigits = s.count(p.fraction, false), s.count(p.fraction, true)
	if p.least == 0 && p.mostDigits == 0 {
		if p.hasExponent {
			p.leastFraction, p.mostDigits = 1, 1
		} else {
			p.least = 1
		}
	}
	if p.hasExponent && p.least == 0 && strings.Contains(p.integer, s.digit) {
		p.least = 1
	}
	if p.least == 0 && p.leastFraction == 0 {
		p.leastFraction = 1
	}
	p.leastExponent = s.count(p.exponent, false)
}

// format writes a number.
func (p *picture) format(f float64, s *signs) string {
	switch {
	case strings.Contains(p.text, s.percent):
		f *= 100
	case strings.Contains(p.text, s.mille):
		f *= 1000
	}
	exponent := 0
	if p.leastExponent > 0 && f != 0 {
		most, least := math.Pow(10, float64(p.scale)), math.Pow(10, float64(p.scale-1))
		for ; math.Abs(f) < least && exponent > -400; exponent-- {
			f *= 10
		}
		for ; math.Abs(f) > most && exponent < 400; exponent++ {
			f /= 10
		}
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(round(f, p.mostDigits)), 'f', min(p.mostDigits, 100), 64), ".")
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	whole = strings.Repeat("0", max(0, p.least-len(whole))) + whole
	fraction += strings.Repeat("0", max(0, p.leastFraction-len(fraction)))
	groups := p.groups
	if p.every > 0 {
		groups = nil
		for at := (len(whole) - 1) / p.every * p.every; at > 0; at -= p.every {
			groups = append(groups, at)
		}
	}
	var out strings.Builder
	out.WriteString(p.prefix)
	for i := range whole {
		if left := len(whole) - i; i > 0 && slices.Contains(groups, left) {
			out.WriteString(s.grouping)
		}
		out.WriteString(s.spelled(whole[i : i+1]))
	}
	if digits := s.grouped(fraction, p.fractionGroups); digits != "" && strings.Contains(p.text, s.decimal) {
		out.WriteString(s.decimal + digits)
	}
	if p.hasExponent && p.leastExponent > 0 {
		out.WriteString(s.exponent)
		if exponent < 0 {
			out.WriteString(s.minus)
			exponent = -exponent
		}
		digits := strconv.Itoa(exponent)
		out.WriteString(s.spelled(strings.Repeat("0", max(0, p.leastExponent-len(digits))) + digits))
	}
	out.WriteString(p.suffix)
	return out.String()
}

// grouped are the digits of a fraction with separators, also after the last one, as
// the reference implementation puts them.
func (s *signs) grouped(digits string, groups []int) string {
	out := []rune(s.spelled(digits))
	for _, at := range groups {
		out = slices.Insert(out, min(at, len(out)), []rune(s.grouping)...)
	}
	return string(out)
}

// spelled is digits in the picture's family.
func (s *signs) spelled(digits string) string {
	return strings.Map(func(r rune) rune { return r - '0' + s.zero }, digits)
}
