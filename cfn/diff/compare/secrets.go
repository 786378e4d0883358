package compare

import (
	"strings"

	"arc/cfn/diff/values"
)

// withoutSecrets hides literal values where secrets are: in environments, in
// parameters, and below keys that sound like one.
func withoutSecrets(typ string, props []Property) []Property {
	for i, p := range props {
		if values.MayBeSecret(typ, p.Path) {
			props[i].Before, props[i].After = values.Hide(p.Before), values.Hide(p.After)
			if text, ok := props[i].Before.(string); ok && props[i].After == text && text != values.Hidden { // "(hidden) with Name" on both sides
				props[i].After = values.Hidden + " (another)" + strings.TrimPrefix(text, values.Hidden)
			}
		} else {
			props[i].Before, props[i].After = values.HideBelow(p.Before), values.HideBelow(p.After)
		}
	}
	return props
}
