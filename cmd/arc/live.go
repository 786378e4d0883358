package main

import (
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
)

// live is the line at the bottom of a terminal that is written anew as time goes
// by. Whatever else is printed stands above it. The nil live is a stderr that is
// no terminal: what is printed there is printed, and there is no such line.
type live struct {
	mu    sync.Mutex
	width func() int // of the terminal, in columns; 0 = not known
	line  string     // "" = none is shown
}

// clearLine goes to the start of the line and empties it.
const clearLine = "\r\x1b[K"

// newLive is nil where stderr is no terminal that can write a line anew.
func newLive(stderr io.Writer, env func(string) string) *live {
	f, ok := stderr.(*os.File)
	if !ok || env("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &live{width: func() int { return columns(f) }}
}

// columns is how wide the terminal is; 0 = it is not known, or there is none.
func (l *live) columns() int {
	if l == nil {
		return 0
	}
	return l.width()
}

// print writes whole lines above the line.
func (l *live) print(to io.Writer, text string) {
	if l == nil {
		io.WriteString(to, text)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.line != "" {
		text = clearLine + text + l.line
	}
	io.WriteString(to, text)
}

// set shows a line, as much of it as there is room for; "" takes it away.
func (l *live) set(to io.Writer, line string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if width := l.width(); width > 0 {
		line = shorten(line, width-1) // the last column would begin a new line
	}
	if line != l.line {
		l.line = line
		io.WriteString(to, clearLine+line)
	}
}

// shorten cuts a text to a number of characters, and shows that it did.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	const end = "..."
	runes := []rune(text)
	return strings.TrimRight(string(runes[:max(0, most-len(end))]), " ,") + end
}
