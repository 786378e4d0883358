// Package syntax turns the text of a manifest into a tree with positions, and
// prints such a tree back. It knows lines, words and indentation; it does not
// know what any pragma means (package manifest does).
//
// The three spellings of a manifest (.arc text, JSON, YAML) give the same
// tree, so whoever reads a pragma never asks which one it came from.
package syntax

import "strconv"

// Pos is a place in a source file. Line and Col count from 1; Col counts
// characters (runes), so that a caret printed below the line lands right.
// The zero Pos means "nowhere in particular".
type Pos struct {
	File string // slash-separated, relative to the project root
	Line int
	Col  int
}

// IsValid reports whether p names a place.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String gives file:line:col, or as much of it as is known.
func (p Pos) String() string {
	if !p.IsValid() {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// File is one parsed manifest, config or preferences file.
type File struct {
	Name    string
	Src     []byte // as read, for printing the offending line
	Pragmas []*Pragma
	// Comments that stand after the last item of the file.
	Trailing []Comment
}

// Pragma returns the pragma with the given name (without @), or nil.
func (f *File) Pragma(name string) *Pragma {
	for _, p := range f.Pragmas {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Comment is one # comment, without the # and the newline.
type Comment struct {
	Pos   Pos
	Text  string
	Blank bool // a blank line stands above it
}

// Pragma is a section: @name and the items below it, in source order.
type Pragma struct {
	Pos      Pos // of the @
	Name     string
	Items    []*Item
	Comments Comments
}

// Comments are what stands beside a line: whole-line comments above it and the
// one at its end.
type Comments struct {
	Before []Comment
	Suffix *Comment
	Blank  bool // a blank line stands above the line itself
}

// ItemKind is the shape of an item, decided by its lines.
type ItemKind int

// The shapes of an item.
const (
	Scalar ItemKind = iota // one word on a line:        Values has one element
	Tuple                  // several words on a line:   Values has all of them
	Vector                 // a name, a word a line:     Values[0] is the name, List the words
	Map                    // a name, "key value" lines: Values[0] is the name, Entries the lines
)

// Item is one thing listed under a pragma.
type Item struct {
	Pos      Pos
	Kind     ItemKind
	Values   []Value
	List     []Value // Vector only
	Entries  []Entry // Map only, in source order; keys may repeat
	Comments Comments
	// Inner are the comments of a Vector's lines, by index into List.
	Inner []Comments
	// End are the whole-line comments below the last line of a Vector or Map,
	// indented like its lines.
	End []Comment
}

// Name is the first word: the name of a vector or map, the whole of a scalar.
func (it *Item) Name() Value { return it.Values[0] }

// Entry is one "key value…" line of a map, or a key with a nested list below it.
type Entry struct {
	Key      Value
	Values   []Value // one or more; a nested list is flattened to this as well
	Nested   bool    // the values stood on lines of their own
	Comments Comments
	Inner    []Comments // of a nested list's lines, by index into Values
}

// ValueKind tells strings, numbers and booleans apart.
type ValueKind int

// The kinds of value.
const (
	String ValueKind = iota
	Number
	Bool
)

// Value is one word. Text is always set: unquoted for strings, as written for
// numbers and booleans.
type Value struct {
	Pos    Pos
	End    Pos // one past the last character, on the line where the value ends
	Kind   ValueKind
	Text   string
	Num    float64 // Number only
	Bool   bool    // Bool only
	Quoted bool    // stood in quotes, so never a number, boolean or pragma
}
