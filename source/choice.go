package source

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// choice is a value of a package.json's "exports" or "imports": a target, or a
// choice among several. The order of an object's names counts.
// https://nodejs.org/api/packages.html#package-entry-points
type choice struct {
	kind   choiceKind
	target string
	names  []string // of an object
	values []choice // of an object or a list
}

type choiceKind byte

const (
	absent choiceKind = iota
	nothing
	single
	list
	object
)

// UnmarshalJSON keeps the order of an object's names.
func (c *choice) UnmarshalJSON(data []byte) error {
	return c.read(json.NewDecoder(bytes.NewReader(data)))
}

func (c *choice) read(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case string:
		c.kind, c.target = single, t
	case json.Delim:
		c.kind = list
		if t == '{' {
			c.kind = object
		}
		for d.More() {
			if c.kind == object {
				name, err := d.Token()
				if err != nil {
					return err
				}
				c.names = append(c.names, name.(string)) // names of objects are strings
			}
			var value choice
			if err := value.read(d); err != nil {
				return err
			}
			c.values = append(c.values, value)
		}
		_, err = d.Token() // the end
		return err
	default:
		c.kind = nothing
	}
	return nil
}

// subpath finds the file that "exports" give for a path in the package, "" for
// its main module.
func (c choice) subpath(sub string, conditions []string) (string, bool) {
	paths := c.kind == object && len(c.names) > 0 && strings.HasPrefix(c.names[0], ".")
	if sub == "" && !paths {
		return c.pick("", conditions)
	}
	if !paths {
		return "", false
	}
	key := "."
	if sub != "" {
		key = "./" + sub
	}
	return c.match(key, conditions)
}

// match finds a name among an object's own, of which those with a * stand for
// many; the longest one counts.
func (c choice) match(key string, conditions []string) (string, bool) {
	if i := slices.Index(c.names, key); i >= 0 && !strings.Contains(key, "*") {
		return c.values[i].pick("", conditions)
	}
	best, rest := -1, ""
	for i, name := range c.names {
		before, after, pattern := strings.Cut(name, "*")
		if !pattern || len(key) < len(before)+len(after) || !strings.HasPrefix(key, before) || !strings.HasSuffix(key, after) {
			continue
		}
		if best < 0 || len(before) > strings.Index(c.names[best], "*") || len(before) == strings.Index(c.names[best], "*") && len(name) > len(c.names[best]) {
			best, rest = i, key[len(before):len(key)-len(after)]
		}
	}
	if best < 0 {
		return "", false
	}
	return c.values[best].pick(rest, conditions)
}

// pick takes the first target whose conditions hold; rest stands for its *.
func (c choice) pick(rest string, conditions []string) (string, bool) {
	switch c.kind {
	case single:
		return strings.ReplaceAll(c.target, "*", rest), true
	case list:
		for _, value := range c.values {
			if found, ok := value.pick(rest, conditions); ok {
				return found, true
			}
		}
	case object:
		for i, name := range c.names {
			if slices.Contains(conditions, name) {
				if found, ok := c.values[i].pick(rest, conditions); ok {
					return found, true
				}
				if c.values[i].kind == nothing {
					return "", false
				}
			}
		}
	}
	return "", false
}
