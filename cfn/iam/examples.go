package iam

import (
	_ "embed"
	"strings"
	"sync"
)

// exampleActions are well-known actions, the gravest of each service first: a
// reader sees sooner what "sqs:*" means from "sqs:DeleteQueue".
//
//go:embed examples.txt
var exampleActions string

// examples are made when they are first asked for.
var examples = sync.OnceValue(func() []example {
	var all []example
	for _, name := range strings.Fields(exampleActions) {
		all = append(all, example{name, letters(strings.ToLower(name))})
	}
	return all
})

// example is an action with its letters, lower case.
type example struct {
	name string
	text []symbol
}
