package compare

import (
	"slices"
	"strings"

	"arc/cfn"
	"arc/cfn/registry"
	"arc/cfn/sam"
)

// Plain gives a SAM template as the plain one that CloudFormation makes of it, with
// the defaults of its parameters, for no other values are known. What could not be
// expanded stays as it is and in Unexpanded, with the reason. Every other template
// is given back as it is.
func Plain(doc *cfn.Document) *cfn.Document {
	if doc == nil || doc.Unexpanded != nil || !sam.IsSAM(doc.Written) {
		return doc
	}
	root, problems := sam.Expand(doc.Written)
	plain, err := cfn.Read(root)
	if err != nil {
		kept := *doc
		kept.Unexpanded = []string{err.Error()}
		return &kept
	}
	plain.Aliases, plain.Doubtful = doc.Aliases, doc.Doubtful
	for _, p := range problems {
		plain.Unexpanded = append(plain.Unexpanded, p.Path+": "+p.Message)
	}
	if plain.Unexpanded = slices.Compact(plain.Unexpanded); len(problems) > 0 {
		plain.Written = doc.Written // two that are written alike are alike
	}
	return plain
}

// Shorthand reports whether a type is one of SAM's, of which CloudFormation makes
// others: in what Plain gives, it could not be expanded.
func Shorthand(typ string) bool { return strings.HasPrefix(typ, registry.ServerlessPrefix) }
