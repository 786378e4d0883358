package registry

import "testing"

// TestIsLost: each form of Good, with values that are there, absent, and not known.
func TestIsLost(t *testing.T) {
	is := func(text string) Value { return Value{Text: text} }
	absent, unsure := Value{Absent: true}, Value{Unsure: true}
	for _, c := range []struct {
		good, fallback string
		before, after  Value
		lost, sure     bool
	}{
		{"true", "", is("true"), is("false"), true, true},
		{"true", "", is("true"), is("True"), false, true},
		{"true", "", is("false"), is("true"), false, true},
		{"true", "", is("true"), absent, true, true},
		{"true", "true", is("true"), absent, false, true},
		{"true", "true", absent, is("false"), true, true},
		{"true", "", absent, is("false"), false, true},
		{"true", "", is("true"), unsure, true, false},
		{"true", "", unsure, is("false"), false, false},
		{"true", "", is("false"), unsure, false, true},

		{"!allow-all", "", is("https-only"), is("allow-all"), true, true},
		{"!allow-all", "", absent, is("ALLOW-ALL"), true, true},
		{"!allow-all", "", is("allow-all"), is("allow-all"), false, true},
		{"!allow-all", "", is("https-only"), absent, false, true},

		{"set", "", is("x"), absent, true, true},
		{"set", "", is("x"), is(""), true, true},
		{"set", "", absent, is("x"), false, true},
		{"set", "", unsure, absent, true, true},
		{"set", "", is("x"), unsure, false, true},
		{"!set", "", absent, is("x"), true, true},
		{"!set", "", absent, unsure, true, true},
		{"!set", "", is("x"), absent, false, true},
		{"!set", "", is("x"), is("y"), false, true},

		{"same", "", is("a"), is("b"), true, true},
		{"same", "", is("a"), is("a"), false, true},
		{"same", "", absent, is("b"), false, true},
		{"same", "", is("a"), absent, false, true},
		{"same", "", unsure, is("b"), false, true},
		{"same", "", is("a"), unsure, false, true},
		{"same", "a", absent, is("b"), true, true},

		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("TLS_1_1"), is("TLS_1_0"), true, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("TLS_1_2"), is("TLS_1_1"), true, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("TLS_1_0"), is("TLS_1_2"), false, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("TLS_1_1"), is("TLS_1_1"), false, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("TLS_1_2"), is("other"), false, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", is("other"), is("TLS_1_0"), false, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "TLS_1_0", is("TLS_1_2"), absent, true, true},
		{"TLS_1_0<TLS_1_1<TLS_1_2", "", unsure, is("TLS_1_0"), false, false},

		{">", "", is("7"), is("6.5"), true, true},
		{">", "", is("7"), is("7"), false, true},
		{">", "", is("6"), is("7"), false, true},
		{">", "", is("7"), unsure, false, true},
		{">", "", is("x"), is("1"), false, true},
		{">", "1", is("7"), absent, true, true},

		{">0", "", is("7"), is("0"), true, true},
		{">0", "", is("1"), is("0"), true, true},
		{">0", "", is("7"), is("1"), false, true},
		{">0", "", is("0"), is("0"), false, true},
		{">0", "0", is("7"), absent, true, true},
		{">0", "", is("7"), absent, false, true},
	} {
		s := Setting{Good: c.good, Default: c.fallback}
		if lost, sure := s.IsLost(c.before, c.after); lost != c.lost || sure != c.sure {
			t.Errorf("%s (default %q), %+v → %+v: lost %v, sure %v", c.good, c.fallback, c.before, c.after, lost, sure)
		}
	}
}
