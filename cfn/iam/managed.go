package iam

import (
	_ "embed"
	"strings"
	"sync"
)

// managedText has policies of AWS's own, a line each: the name behind
// arn:aws:iam::aws:policy/ and the document.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
//
//go:embed managed.txt
var managedText string

var managedDocuments = sync.OnceValue(func() map[string]string {
	documents := map[string]string{}
	for line := range strings.Lines(managedText) {
		if name, document, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			documents[name] = document
		}
	}
	return documents
})

// Managed is a managed policy of AWS by its ARN: what it says, where that is known
// here, and else what Named makes of it.
func Managed(arn string) Policy {
	if _, name, ok := strings.Cut(arn, ":iam::aws:policy/"); ok {
		if document := managedDocuments()[name]; document != "" {
			return Read(document)
		}
	}
	return Named(arn)
}
