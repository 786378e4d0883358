package iam

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzARN compares patterns of ARNs with regular expressions made of them.
func FuzzARN(f *testing.F) {
	f.Add("arn:aws:execute-api:*:1:abc/*/GET/*", "arn:aws:execute-api:x:1:abc/$default/GET/a:b")
	f.Add("arn:*:s3:::b?", "arn:aws:s3:::bb")
	f.Add("*:*:*:*:*:*a*b*", "a:b:c:d:e:xaxxab")
	f.Fuzz(func(t *testing.T, pattern, arn string) {
		if strings.ContainsFunc(pattern+arn, func(r rune) bool { return r >= utf8.RuneSelf }) {
			return // regexp reads characters, and ARNs are ASCII
		}
		patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
		want := len(patterns) == len(parts)
		for i := 0; want && i < len(parts); i++ {
			var e strings.Builder
			for _, r := range patterns[i] {
				switch r {
				case '*':
					e.WriteString(".*")
				case '?':
					e.WriteString(".")
				default:
					e.WriteString(regexp.QuoteMeta(string(r)))
				}
			}
			want = regexp.MustCompile(`(?s)^` + e.String() + `$`).MatchString(parts[i])
		}
		if got := globARN(strings.NewReplacer("*", anyMark, "?", oneMark).Replace(pattern), arn); got != want {
			t.Errorf("%q like %q: %v", arn, pattern, got)
		}
	})
}
