package stack

import (
	"encoding/base64"
	"strconv"
)

// pageSize is how many items an answer holds, as on AWS for events.
const pageSize = 100

var errNextToken = invalid("NextToken is not one that this endpoint gave out")

// page gives the part of list that token points at, and the token of the next
// part; "" at the end.
func page[T any](list []T, token string) ([]T, string, error) {
	from := 0
	if token != "" {
		var err error
		if from, err = pageNumber(token); err != nil || from > len(list) {
			return nil, "", errNextToken
		}
	}
	if from+pageSize >= len(list) {
		return list[from:], "", nil
	}
	return list[from : from+pageSize], pageToken(from + pageSize), nil
}

// Tokens are opaque to clients, so that none comes to count on what they hold.
func pageToken(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(n)))
}

func pageNumber(token string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, errNextToken
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < 0 {
		return 0, errNextToken
	}
	return n, nil
}
