package face

import (
	"encoding/json"
	"io"

	"arc/cfn/diff"
)

// JSON prints a review for machines; docs/diff.schema.json describes it.
func JSON(w io.Writer, r *diff.Review) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
