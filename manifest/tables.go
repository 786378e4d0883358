package manifest

import (
	"strings"

	"arc/manifest/syntax"
)

// Table is one map of @tables with the indexes of @tables-indexes.
type Table struct {
	Name         string
	PartitionKey Key
	SortKey      *Key
	TTL          string // attribute; "" = none
	Stream       bool   // an item stream is on, for whichever functions read it
	Encrypt      bool
	KMSKey       string // id or ARN; "" = the AWS-owned key
	PITR         bool
	Indexes      []Index
	Pos          syntax.Pos
}

// Key is one key attribute.
type Key struct {
	Name string
	Type string // "String" or "Number"
	Pos  syntax.Pos
}

const tableUsage = "write the partition key below the name, indented by two blanks: id *String"

// maxKeyName is DynamoDB's limit for the name of a key attribute.
const maxKeyName = 255

// readTables reads @tables. A table whose stream is on gets its function here;
// @tables-streams may replace it.
func (l *loader) readTables() {
	p := l.pragma("tables")
	if p == nil {
		return
	}
	for _, n := range l.namedItems(p, nameRule{min: 3, max: 255, words: true, noSource: true}) {
		if n.bare {
			l.errorf(at(n.value), "table-form", tableUsage, "the table %s has no keys", n.name)
			continue
		}
		t := Table{Name: n.name, Pos: n.pos}
		keys := l.readKeys("table "+n.name, n.keys)
		for _, ln := range keys.rest {
			l.tableSetting(&t, ln)
		}
		if keys.partition == nil {
			if !keys.wrong {
				l.missingPartitionKey("table", n, keys.rest)
			}
			continue
		}
		t.PartitionKey, t.SortKey = *keys.partition, keys.sort
		l.app.Tables = append(l.app.Tables, t)
	}
}

// keyLines are the key attributes among the lines of a table or index.
type keyLines struct {
	partition, sort *Key
	rest            []line
	wrong           bool // a key was there, but not well formed
}

// readKeys takes the key attributes out of the lines of a table or index.
func (l *loader) readKeys(what string, lines []line) keyLines {
	var k keyLines
	for _, ln := range lines {
		if len(ln.values) == 0 || !strings.HasPrefix(ln.values[0].Text, "*") {
			k.rest = append(k.rest, ln)
			continue
		}
		key, ok := l.readKey(ln)
		if !ok {
			k.wrong = true
			continue
		}
		to, role := &k.partition, "partition"
		if strings.HasPrefix(ln.values[0].Text, "**") {
			to, role = &k.sort, "sort"
		}
		if *to != nil {
			l.warnf(at(ln.key), "key-twice", "remove one of the two",
				"the %s has two %s keys; this one counts, %s does not", what, role, (*to).Name)
		}
		*to = &key
	}
	if k.partition != nil && k.sort != nil && k.partition.Name == k.sort.Name {
		l.errorf(atName(k.sort.Pos, k.sort.Name), "key-same", "name another attribute",
			"the %s has the attribute %s as its partition key and as its sort key", what, k.sort.Name)
	}
	return k
}

// readKey reads "attribute *String".
func (l *loader) readKey(ln line) (Key, bool) {
	v := ln.values[0]
	key := Key{Name: ln.key.Text, Pos: ln.key.Pos}
	if len(ln.values) > 1 {
		l.errorf(at(ln.values[1]), "key-type", "write "+ln.key.Text+" "+v.Text, "a key has one type, but here are %d words", len(ln.values))
		return key, false
	}
	if len(key.Name) > maxKeyName || key.Name == "" {
		l.errorf(at(ln.key), "key-name", "write 1 to 255 characters", "the name of a key has %d characters", len(key.Name))
		return key, false
	}
	switch word := strings.TrimLeft(v.Text, "*"); {
	case strings.HasPrefix(v.Text, "***"):
	case word == "" || strings.EqualFold(word, "string"):
		key.Type = "String"
		return key, true
	case strings.EqualFold(word, "number"):
		key.Type = "Number"
		return key, true
	}
	l.errorf(at(v), "key-type", nearHint(v.Text, keyTypes, "a key is *String or *Number, a sort key **String or **Number"),
		"%s is not the type of a key", v.Text)
	return key, false
}

// missingPartitionKey explains a table or index without one, by the nearest
// thing to a key that it has.
func (l *loader) missingPartitionKey(kind string, n named, rest []line) {
	hint := tableUsage
	for _, ln := range rest {
		if len(ln.values) == 1 && (strings.EqualFold(ln.values[0].Text, "string") || strings.EqualFold(ln.values[0].Text, "number")) {
			hint = "write " + ln.key.Text + " *" + ln.values[0].Text
			break
		}
	}
	l.errorf(at(n.value), "partition-key", hint, "the %s %s has no partition key", kind, n.name)
}

// tableSetting reads a line that is no key. Attributes that are no keys may
// stand here as documentation; DynamoDB wants to hear nothing of them.
func (l *loader) tableSetting(t *Table, ln line) {
	if len(ln.values) == 1 && strings.EqualFold(ln.values[0].Text, "ttl") {
		if t.TTL != "" {
			l.errorf(at(ln.key), "ttl-twice", "remove one of the two", "the table %s has the TTL attribute %s already", t.Name, t.TTL)
		}
		t.TTL = ln.key.Text
		return
	}
	spec := findPragma(pragmas, "tables")
	s := spec.setting(ln.key.Text)
	if s == nil {
		if near := syntax.Near(ln.key.Text, spec.keyNames()); near != "" && len(ln.values) == 1 && ln.values[0].Kind == syntax.Bool {
			l.warnf(at(ln.key), "unknown-setting", "did you mean "+near+"?", "a table has no setting %s, so it has no effect", ln.key.Text)
		}
		return
	}
	if len(ln.values) == 1 && documentsAttribute(ln.values[0]) {
		return // an attribute that happens to be called stream
	}
	switch s.name {
	case "stream":
		l.booleanSetting(s, ln, &t.Stream)
	case "PITR":
		l.booleanSetting(s, ln, &t.PITR)
	case "encrypt":
		v, ok := l.single(s, ln)
		switch {
		case !ok:
		case v.Kind == syntax.Bool:
			t.Encrypt = v.Bool
		default:
			t.Encrypt, t.KMSKey = true, v.Text
		}
	}
}

// documentsAttribute reports whether v is the type of an attribute.
func documentsAttribute(v syntax.Value) bool {
	switch strings.ToLower(v.Text) {
	case "string", "number", "boolean", "binary", "list", "map":
		return true
	}
	return false
}

// table finds a table by name.
func (l *loader) table(name string) *Table {
	for i := range l.app.Tables {
		if l.app.Tables[i].Name == name {
			return &l.app.Tables[i]
		}
	}
	return nil
}

// wantTable finds the table that another pragma refers to, or reports that
// there is none.
func (l *loader) wantTable(pragma string, v syntax.Value) *Table {
	if t := l.table(v.Text); t != nil {
		return t
	}
	p := l.pragma("tables")
	var names []string
	if p != nil {
		for _, it := range p.Items {
			if it.Name().Text == v.Text {
				return nil // it is there, but broken: told already
			}
			names = append(names, it.Name().Text)
		}
	}
	l.errorf(at(v), "no-such-table", nearHint(v.Text, names, "add it to @tables"),
		"@%s refers to the table %s, which @tables does not have", pragma, v.Text)
	return nil
}
