package cost

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"arc/cfn/registry"
)

// TestPrices reads the table that is built in: every line is whole, has a day
// and a page on the web, and says nothing twice; every item that estimates ask
// for has a price in the region that the others fall back on, and no other.
func TestPrices(t *testing.T) {
	all, err := parsePrices(pricesText)
	if err != nil {
		t.Fatal(err)
	}
	seen, units, based := map[string]bool{}, map[item]string{}, map[item]bool{}
	for _, p := range all {
		where := p.region + " " + string(p.item)
		if seen[where] {
			t.Errorf("%s stands there twice", where)
		}
		seen[where] = true
		if _, err := time.Parse(time.DateOnly, p.date); err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if u, err := url.Parse(p.source); err != nil || u.Scheme != "https" || u.Host == "" {
			t.Errorf("%s: %s is not a page", where, p.source)
		}
		if !slices.Contains([]string{"million", "GB-second", "hour", "month"}, p.unit) {
			t.Errorf("%s: no unit %s", where, p.unit)
		}
		if unit := units[p.item]; unit != "" && unit != p.unit {
			t.Errorf("%s is priced by the %s and by the %s", p.item, unit, p.unit)
		}
		units[p.item] = p.unit
		if p.region == base || p.region == global {
			if based[p.item] {
				t.Errorf("%s has a price in %s and in %s", p.item, base, global)
			}
			based[p.item] = true
		}
	}
	used := items(t)
	for _, typ := range registry.All(func(t registry.Type) bool { return t.Charge.Item != "" }) {
		used = append(used, item(registry.Of(typ).Charge.Item))
	}
	for _, i := range used {
		if !based[i] {
			t.Errorf("%s has no price in %s", i, base)
		}
	}
	for i := range units {
		if !slices.Contains(used, i) {
			t.Errorf("%s has a price that no estimate asks for", i)
		}
	}
}

// items lists the constants of type item.
func items(t *testing.T) []item {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "prices.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []item
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "item" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, item(text))
		}
		return true
	})
	if len(out) < 25 {
		t.Fatalf("only %d items found", len(out))
	}
	return out
}

// TestFree: no type is free and priced at once.
func TestFree(t *testing.T) {
	schemas, err := os.ReadFile("../registry/schemas/updates.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(schemas)) {
		typ, _, _ := strings.Cut("AWS::"+strings.TrimSpace(line), " ")
		if chargeOf(typ) != nil && registry.IsFree(typ) {
			t.Errorf("%s has a price and is free", typ)
		}
	}
}

func TestBrokenPrices(t *testing.T) {
	for _, text := range []string{"us-east-1 x 1 million 2026-01-01", "us-east-1 x free million 2026-01-01 https://a", "us-east-1 x -1 million 2026-01-01 https://a"} {
		if _, err := parsePrices("# a comment\n\n" + text); err == nil || !strings.HasPrefix(err.Error(), "prices.txt:3: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
