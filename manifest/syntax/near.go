package syntax

import (
	"strings"
	"unicode/utf8"
)

// Near is the candidate that the user most likely meant by word, or "" when
// none is near: the one with the fewest edits (insertion, deletion, change, or
// two neighbours swapped; upper and lower case are the same letter), of which a
// word of up to three letters may need one, of up to seven two, a longer one
// three. Among equals the first wins.
func Near(word string, candidates []string) string {
	length := utf8.RuneCountInString(word)
	if length > 100 {
		return "" // no name is as long, and the work grows with it
	}
	best, distance := "", min(3, 1+length/4)+1
	for _, c := range candidates {
		if d := edits([]rune(strings.ToLower(word)), []rune(strings.ToLower(c))); d < distance && d < utf8.RuneCountInString(c) {
			best, distance = c, d
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance of two words.
func edits(a, b []rune) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}
