package syntax

// Near is the candidate that the user most likely meant by word, or "" when
// none is near: at most one edit (insertion, deletion, change, or two letters
// swapped) for every three letters, and never more than three.
func Near(word string, candidates []string) string {
	best, distance := "", min(3, 1+len(word)/4)+1
	for _, c := range candidates {
		if d := edits([]rune(word), []rune(c)); d < distance && d < len(c) {
			best, distance = c, d
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance with adjacent swaps.
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
