package cfn

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"arc/manifest/syntax"
)

// StagePreview is the stage of pull requests: what runs there is told that it
// is staging, but its stack's name, environment values and rights are its own.
const StagePreview = "preview"

// StackName is the name of an app's stack: PascalCase(app) + Staging or
// Production (or Testing) + PascalCase(name). That of a preview is
// Preview-PascalCase(app)-PascalCase(name): all others hold the name of a stage
// before their first hyphen, so none of them can begin with Preview-, nor with
// another app's Preview-App-. A policy that names Preview-App-* therefore
// reaches nothing else.
func StackName(app, stage, name string) string {
	if stage == StagePreview {
		return previewPrefix + logicalName(app) + "-" + logicalName(name)
	}
	return logicalName(app) + logicalName(stage) + logicalName(name)
}

const previewPrefix = "Preview-"

// EnvParameter is the name of the NoEcho parameter of a user's environment
// variable. Parameter names hold letters and digits only, so a variable with
// underscores gets a hash of its whole name behind: A_BC and AB_C stay apart.
func EnvParameter(variable string) string {
	plain := strings.ReplaceAll(variable, "_", "")
	if plain != variable {
		plain += shortHash(variable)
	}
	return shortID("Env" + plain)
}

// shortID cuts what would be too long for a logical ID, and puts a hash of the
// whole in place of the rest.
func shortID(id string) string {
	if len(id) <= MaxLogicalID {
		return id
	}
	hash := shortHash(id)
	return id[:MaxLogicalID-len(hash)] + hash
}

// logicalName turns a name of the manifest into the start of a logical ID, as
// Architect does (manifest reference, 4.3): my-app → MyApp, fooBar → FooBar.
func logicalName(name string) string {
	if len(name) == 1 {
		return strings.ToUpper(name)
	}
	var b strings.Builder
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z':
			if upper {
				c -= 'a' - 'A'
			}
		case 'A' <= c && c <= 'Z': // a capital starts a word wherever it stands
		case '0' <= c && c <= '9':
		default:
			upper = true
			continue
		}
		upper = false
		b.WriteByte(c)
	}
	if b.String() == "Get" {
		return "GetIndex"
	}
	return b.String()
}

// routeName is the logicalName of a route: get /foo/:bar → GetFooBar.
func routeName(method, path string) string {
	encoded := "-index"
	if path != "/" {
		encoded = routeLetters.Replace(path)
	}
	encoded = strings.Replace(encoded, "*", "catchall", 1)
	return logicalName(method + strings.ReplaceAll(encoded, "000", ""))
}

// routeLetters writes a path as in a folder's name; a parameter's colon is 000
// there, which the logical ID leaves out again.
var routeLetters = strings.NewReplacer("-", "_", ".", "_", "/", "-", ":", "000")

// shortHash tells apart what one logical ID would stand for: 8 hex digits.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// maxLogicalName leaves room for the ending that a resource adds.
const maxLogicalName = 200

// naming is one item of a pragma that gets a logical name.
type naming struct {
	base string // logicalName of it
	key  string // what tells it apart from all others: "get /a"
	pos  syntax.Pos
}

// distinct gives each item a logical name of its own: its base, unless an item
// further up in the manifest has that, else base and a hash of its key. What is
// added below therefore renames nothing above.
func distinct(items []naming) []string {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if d := items[a].pos.Line - items[b].pos.Line; d != 0 {
			return d
		}
		return items[a].pos.Col - items[b].pos.Col
	})
	names := make([]string, len(items))
	taken := make(map[string]bool, len(items))
	for _, i := range order {
		name := items[i].base
		if taken[name] || len(name) > maxLogicalName {
			name = name[:min(len(name), maxLogicalName)] + shortHash(items[i].key)
		}
		taken[name] = true
		names[i] = name
	}
	return names
}

// names gives the items of a pragma distinct logical names, and tells of those
// that Architect would take for one.
func (c *compiler) names(pragma string, items []naming) []string {
	names := distinct(items)
	for i, name := range names {
		if name == items[i].base || len(items[i].base) > maxLogicalName {
			continue
		}
		first := items[slices.Index(names, items[i].base)]
		c.warnf(items[i].pos, "name-collision", "give one of them a name that differs in more than case and punctuation",
			"@%s %s and %s at %s have one logical ID under Architect; this one becomes %s", pragma, items[i].key, first.key, first.pos, name)
	}
	return names
}
