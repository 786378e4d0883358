package manifest

import (
	"strconv"
	"strings"

	"arc/manifest/syntax"
)

// Index is one global secondary index.
type Index struct {
	Name         string // resolved; never empty
	PartitionKey Key
	SortKey      *Key
	Projection   string   // "ALL", "KEYS_ONLY" or "INCLUDE"
	Attributes   []string // INCLUDE only
	Pos          syntax.Pos
}

// DynamoDB's limits of indexes (developer guide, "Quotas").
const (
	maxIndexes             = 20
	maxProjectedAttributes = 100 // over all indexes of a table
)

// readIndexes reads @tables-indexes into the tables.
func (l *loader) readIndexes() {
	p := l.pragma("tables-indexes")
	if p == nil {
		return
	}
	if l.pragma("tables") == nil {
		l.missing(atPragma(p), "tables-missing", "add @tables with the table", "@tables-indexes needs @tables")
		return
	}
	for _, n := range l.namedItems(p, nameRule{min: 3, max: 255, words: true, repeats: true, noSource: true}) {
		if n.bare {
			l.errorf(at(n.value), "table-form", tableUsage, "the index of %s has no keys", n.name)
			continue
		}
		t := l.wantTable("tables-indexes", n.value)
		ix, ok := l.readIndex(n)
		if t != nil && ok {
			l.addIndex(t, ix, n)
		}
	}
	for i := range l.app.Tables {
		l.checkAttributes(&l.app.Tables[i])
	}
}

func (l *loader) readIndex(n named) (Index, bool) {
	ix := Index{Projection: "ALL", Pos: n.pos}
	keys := l.readKeys("index of "+n.name, n.keys)
	spec := findPragma(pragmas, "tables-indexes")
	for _, ln := range keys.rest {
		switch s := spec.setting(ln.key.Text); {
		case s == nil:
		case s.name == "name":
			l.indexName(&ix, s, ln)
		default:
			l.projection(&ix, s, ln)
		}
	}
	if keys.partition == nil {
		if !keys.wrong {
			l.missingPartitionKey("index of", n, keys.rest)
		}
		return ix, false
	}
	ix.PartitionKey, ix.SortKey = *keys.partition, keys.sort
	if ix.Name == "" {
		ix.Name = ix.PartitionKey.Name
		if ix.SortKey != nil {
			ix.Name += "-" + ix.SortKey.Name
		}
		ix.Name += "-index"
	}
	return ix, true
}

func (l *loader) indexName(ix *Index, s *setting, ln line) {
	v, ok := l.single(s, ln)
	if !ok || documentsAttribute(v) {
		return
	}
	ix.Name = v.Text
	if bad := strangers(v.Text, "-._"); bad != "" || len(v.Text) < 3 || len(v.Text) > 255 {
		l.errorf(at(v), "index-name", "write 3 to 255 letters, digits, - . or _", "%s cannot be the name of an index", v.Text)
	}
}

func (l *loader) projection(ix *Index, s *setting, ln line) {
	if len(ln.values) == 0 {
		l.errorf(at(ln.key), "setting-value", "write projection all, projection keys, or the attributes", "projection has no value")
		return
	}
	if len(ln.values) == 1 {
		switch strings.ToLower(ln.values[0].Text) {
		case "all":
			ix.Projection = "ALL"
			return
		case "keys":
			ix.Projection = "KEYS_ONLY"
			return
		case "keys_only", "key":
			l.errorf(at(ln.values[0]), "projection", "write projection keys", "projection has no value %s", ln.values[0].Text)
			return
		}
	}
	ix.Projection, ix.Attributes = "INCLUDE", words(ln.values)
}

// addIndex gives t an index, unless it has it or is full.
func (l *loader) addIndex(t *Table, ix Index, n named) {
	for _, other := range t.Indexes {
		if other.Name == ix.Name {
			l.errorf(at(n.value), "duplicate-index", "remove one of the two, or give it another name",
				"the table %s has the index %s at %s already", t.Name, ix.Name, other.Pos)
			return
		}
	}
	t.Indexes = append(t.Indexes, ix)
	if len(t.Indexes) == maxIndexes+1 {
		l.errorf(at(n.value), "index-count", "remove one, or ask whether one table should be two",
			"the table %s has more than %d indexes, the most that DynamoDB takes", t.Name, maxIndexes)
	}
}

// checkAttributes finds an attribute that is a string in one key and a number
// in another, and projections beyond the limit.
func (l *loader) checkAttributes(t *Table) {
	first := map[string]Key{}
	check := func(k *Key) {
		if k == nil {
			return
		}
		other, ok := first[k.Name]
		if !ok {
			first[k.Name] = *k
			return
		}
		if other.Type != k.Type {
			l.errorf(atName(k.Pos, k.Name), "key-types-differ", "write the same type in both places",
				"%s is a %s here, but a %s at %s", k.Name, strings.ToLower(k.Type), strings.ToLower(other.Type), other.Pos)
		}
	}
	check(&t.PartitionKey)
	check(t.SortKey)
	projected := 0
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		check(&ix.PartitionKey)
		check(ix.SortKey)
		before := projected
		projected += len(ix.Attributes)
		if before <= maxProjectedAttributes && projected > maxProjectedAttributes {
			l.errorf(atName(ix.Pos, t.Name), "projection-count", "write projection all",
				"the indexes of %s project %d attributes by name, but %s is the limit", t.Name, projected, strconv.Itoa(maxProjectedAttributes))
		}
	}
}
