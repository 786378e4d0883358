package iam

import (
	_ "embed"
	"strings"
)

// exampleActions are well-known actions, the gravest of each service first: a
// reader sees sooner what "sqs:*" means from "sqs:DeleteQueue".
//
//go:embed examples.txt
var exampleActions string

func examples() []string { return strings.Fields(exampleActions) }
