package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// integer is a picture of an integer: "#,##0", "0001;o", "A", "i", "Ww".
// https://docs.jsonata.org/numeric-functions#formatinteger
type integer struct {
	primary   byte // '0' digits, 'a' letters, 'i' Roman numerals, 'w' words, '?' what is not known
	letters   byte // 'u' upper, 'l' lower, 't' title case
	ordinal   bool
	zero      rune // of the family of digits
	mandatory int
	optional  int
	every     int // places between separators; 0 = they are where marks are
	marks     []mark
	token     string
	n         int // digits that are read; 0 = as many as there are
}

// mark is a separator, so many digits from the right.
type mark struct {
	at int
	r  rune
}

// zeros are the 0 of the families of digits.
var zeros = []rune{0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10}

// family is the 0 of the family that a digit is of; ok is false for what is none.
func family(r rune) (rune, bool) {
	for _, zero := range zeros {
		if r >= zero && r <= zero+9 {
			return zero, true
		}
	}
	return 0, false
}

func integerPicture(picture string) (*integer, error) {
	p := &integer{primary: '0', letters: 'l', token: picture}
	if at := strings.LastIndexByte(picture, ';'); at >= 0 {
		p.token, p.ordinal = picture[:at], strings.HasPrefix(picture[at+1:], "o")
	}
	switch p.token {
	case "A", "a", "I", "i", "W", "w":
		p.primary = p.token[0] | 0x20
		if p.token[0] < 'a' {
			p.letters = 'u'
		}
		return p, nil
	case "Ww":
		p.primary, p.letters = 'w', 't'
		return p, nil
	}
	digits := 0
	for _, r := range slices.Backward([]rune(p.token)) {
		zero, isDigit := family(r)
		switch {
		case isDigit && p.zero != 0 && zero != p.zero:
			return nil, &Error{Code: "D3131"}
		case isDigit:
			p.zero = zero
			p.mandatory++
			digits++
		case r == '#':
			p.optional++
			digits++
		default:
			p.marks = append(p.marks, mark{digits, r})
		}
	}
	if p.mandatory == 0 {
		p.primary = '?'
		return p, nil
	}
	p.every = regular(p.marks)
	return p, nil
}

// regular is how many digits there are between separators, where that is the same
// everywhere; 0 = it is not.
func regular(marks []mark) int {
	if len(marks) == 0 {
		return 0
	}
	var places []int
	for _, m := range marks {
		if m.r != marks[0].r {
			return 0
		}
		places = append(places, m.at)
	}
	return interval(places)
}

func interval(places []int) int {
	if len(places) == 0 {
		return 0
	}
	factor := 0
	for _, n := range places {
		for n != 0 {
			factor, n = n, factor%n
		}
	}
	for i := range places {
		if !slices.Contains(places, (i+1)*factor) {
			return 0
		}
	}
	return factor
}

// format writes a number without a fraction.
func (p *integer) format(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, &Error{Code: "D1001", value: f}
	}
	negative := f < 0
	f = math.Abs(f)
	var out string
	switch p.primary {
	case 'a':
		first := byte('a')
		if p.letters == 'u' {
			first = 'A'
		}
		var all []byte
		for ; f > 0; f = math.Floor((f - 1) / 26) {
			all = append(all, first+byte(math.Mod(f-1, 26)))
		}
		slices.Reverse(all)
		out = string(all)
	case 'i':
		if f > 1e6 {
			return nil, &Error{Code: "D1001", value: f} // a million of which are a thousand letters
		}
		out = roman(int(f))
	case 'w':
		out = words(f, false, p.ordinal)
	case '0':
		out = p.digits(f)
	default:
		return nil, &Error{Code: "D3130", value: p.token}
	}
	if p.primary == 'i' || p.primary == 'w' {
		switch p.letters {
		case 'u':
			out = strings.ToUpper(out)
		case 'l':
			out = strings.ToLower(out)
		}
	}
	if negative {
		out = "-" + out
	}
	return out, nil
}

func (p *integer) digits(f float64) string {
	out := []rune(number(f))
	for len(out) < p.mandatory {
		out = append([]rune{'0'}, out...)
	}
	last := out[len(out)-1]
	teen := len(out) > 1 && out[len(out)-2] == '1'
	for i := range out {
		if out[i] >= '0' && out[i] <= '9' {
			out[i] += p.zero - '0'
		}
	}
	insert := func(at int, r rune) {
		if at >= 0 && at <= len(out) {
			out = slices.Insert(out, at, r)
		}
	}
	if p.every > 0 {
		size := len(out)
		for i := (size - 1) / p.every; i > 0; i-- {
			insert(len(out)-(len(out)-size)-i*p.every+(len(out)-size), p.marks[0].r)
		}
	} else {
		for _, m := range slices.Backward(p.marks) {
			insert(len(out)-m.at, m.r)
		}
	}
	suffix := ""
	if p.ordinal {
		suffix = map[rune]string{'1': "st", '2': "nd", '3': "rd"}[last]
		if suffix == "" || teen {
			suffix = "th"
		}
	}
	return string(out) + suffix
}

// numerals are Roman ones.
var numerals = []struct {
	value int
	text  string
}{{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"}, {90, "xc"}, {50, "l"}, {40, "xl"}, {10, "x"}, {9, "ix"}, {5, "v"}, {4, "iv"}, {1, "i"}}

func roman(n int) string {
	var out strings.Builder
	for _, one := range numerals {
		for ; n >= one.value; n -= one.value {
			out.WriteString(one.text)
		}
	}
	return out.String()
}

var (
	few        = strings.Fields("Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen Eighteen Nineteen")
	ordinals   = strings.Fields("Zeroth First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth Thirteenth Fourteenth Fifteenth Sixteenth Seventeenth Eighteenth Nineteenth")
	decades    = strings.Fields("Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety Hundred")
	magnitudes = strings.Fields("Thousand Million Billion Trillion")
)

// words are a number in English; after says that words come before.
func words(f float64, after, ordinal bool) string {
	join := func(with, text string) string {
		if after {
			return with + text
		}
		return text
	}
	rest := func(left float64, and bool) string {
		if left > 0 {
			return words(left, and, ordinal)
		}
		if ordinal {
			return "th"
		}
		return ""
	}
	switch {
	case f < 20 && ordinal:
		return join(" and ", ordinals[int(f)])
	case f < 20:
		return join(" and ", few[int(f)])
	case f < 100:
		out := join(" and ", decades[int(f)/10-2])
		switch left := math.Mod(f, 10); {
		case left > 0:
			return out + "-" + words(left, false, ordinal)
		case ordinal:
			return out[:len(out)-1] + "ieth"
		}
		return out
	case f < 1000:
		return join(", ", few[int(f)/100]+" Hundred"+rest(math.Mod(f, 100), true))
	}
	size := min(int(math.Floor(math.Log10(f)/3)), len(magnitudes))
	factor := math.Pow(10, float64(size)*3)
	many := math.Floor(f / factor)
	return join(", ", words(many, false, false)+" "+magnitudes[size-1]+rest(f-many*factor, true))
}

// wordValues are the numbers that words are.
func wordValues() map[string]float64 {
	out := map[string]float64{"hundredth": 100}
	for i := range few {
		out[strings.ToLower(few[i])], out[strings.ToLower(ordinals[i])] = float64(i), float64(i)
	}
	for i, word := range decades {
		word = strings.ToLower(word)
		out[word], out[word[:len(word)-1]+"ieth"] = float64(i+2)*10, float64(i+2)*10
	}
	for i, word := range magnitudes {
		word = strings.ToLower(word)
		out[word], out[word+"th"] = math.Pow(10, float64(i+1)*3), math.Pow(10, float64(i+1)*3)
	}
	return out
}

// parse reads a number that was written after the picture; what is none is nothing.
func (p *integer) parse(s string) (any, error) {
	switch p.primary {
	case 'a':
		first := 'a'
		if p.letters == 'u' {
			first = 'A'
		}
		out := 0.0
		for _, r := range s {
			out = out*26 + float64(r-first+1)
		}
		return out, nil
	case 'i':
		values := map[rune]float64{'M': 1000, 'D': 500, 'C': 100, 'L': 50, 'X': 10, 'V': 5, 'I': 1}
		out, most := 0.0, 1.0
		for _, r := range slices.Backward([]rune(strings.ToUpper(s))) {
			if v := values[r]; v < most {
				out -= v
			} else {
				out, most = out+v, v
			}
		}
		return out, nil
	case 'w':
		return parseWords(strings.ToLower(s)), nil
	case '0':
		return p.parseDigits(s)
	}
	return nil, &Error{Code: "D3130", value: p.token}
}

func parseWords(s string) float64 {
	values := wordValues()
	parts := []float64{0}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '-' || r == '\t' || r == '\n' }) {
		if word == "and" {
			continue
		}
		v, last := values[word], parts[len(parts)-1]
		switch {
		case v >= 100:
			parts[len(parts)-1] = last * v
		case last >= 1000:
			parts = append(parts, v)
		default:
			parts[len(parts)-1] = last + v
		}
	}
	out := 0.0
	for _, v := range parts {
		out += v
	}
	return out
}

func (p *integer) parseDigits(s string) (any, error) {
	if p.ordinal && len(s) > 2 {
		s = s[:len(s)-2]
	}
	for _, m := range p.marks {
		s = strings.ReplaceAll(s, string(m.r), "")
	}
	s = strings.Map(func(r rune) rune {
		if zero, ok := family(r); ok && zero == p.zero {
			return r - zero + '0'
		}
		return r
	}, s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	f, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return math.NaN(), nil
	}
	return f, nil
}
