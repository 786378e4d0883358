package diff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"arc/cfn"
)

// Text prints changes for a terminal, a line a resource and a line a property.
// paint colours a sign line ("+", "~", "-", "!"); nil = no colour. Values are
// cut at 60 characters: the template itself has the rest.
func Text(w io.Writer, changes []Change, paint func(sign, text string) string) error {
	if paint == nil {
		paint = func(_, text string) string { return text }
	}
	var b bytes.Buffer
	for _, c := range changes {
		sign := map[Action]string{Add: "+", Modify: "~", Remove: "-"}[c.Action]
		fmt.Fprintf(&b, "%s\n", paint(sign, fmt.Sprintf("%s %s  %s", sign, c.LogicalID, c.Type)))
		if c.Update >= cfn.MayReplace {
			fmt.Fprintf(&b, "    %s\n", paint("!", c.Update.String()))
		}
		for _, danger := range []string{c.Loss, c.Refused} {
			if danger != "" {
				fmt.Fprintf(&b, "    %s\n", paint("!", danger))
			}
		}
		for _, p := range c.Properties {
			fmt.Fprintf(&b, "    %s: %s\n", visible(p.Path), arrow(p))
		}
	}
	fmt.Fprintf(&b, "%s\n", Summary(changes))
	_, err := w.Write(b.Bytes())
	return err
}

func arrow(p Property) string {
	switch {
	case p.Because != "":
		return "follows " + visible(p.Because)
	case p.Before == nil:
		return "added " + brief(p.After)
	case p.After == nil:
		return "removed, was " + brief(p.Before)
	}
	return brief(p.Before) + " → " + brief(p.After)
}

// brief is a value on one line.
func brief(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := []rune(strings.TrimSpace(b.String()))
	if len(text) > 60 {
		return string(text[:59]) + "…"
	}
	return string(text)
}

// visible keeps control characters of a template's keys off the terminal.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}

// Summary counts changes: "2 to add, 1 to change, 0 to remove".
func Summary(changes []Change) string {
	if len(changes) == 0 {
		return "no changes"
	}
	count := map[Action]int{}
	replaced := 0
	for _, c := range changes {
		count[c.Action]++
		if c.Update == cfn.Replacement {
			replaced++
		}
	}
	text := fmt.Sprintf("%d to add, %d to change, %d to remove", count[Add], count[Modify], count[Remove])
	if replaced > 0 {
		text += fmt.Sprintf(" (%d replaced)", replaced)
	}
	return text
}

// Dangerous reports whether any change deletes data.
func Dangerous(changes []Change) bool {
	for _, c := range changes {
		if c.DataLoss() {
			return true
		}
	}
	return false
}
