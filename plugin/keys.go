package plugin

import (
	"regexp"
	"strings"
	"sync"
)

// Typing is how plugins want what is typed at the terminal.
type Typing string

// Ways of typing.
const (
	NotTyping Typing = ""
	Lines     Typing = "lines" // when they are finished
	Keys      Typing = "keys"  // each at once, and not shown
)

// Terminal is the one that plugins of the sandbox may read, and paint on while
// they take its keys.
type Terminal struct {
	// Ask says how plugins want what is typed from now on; keys takes it to them.
	// name is who asks.
	Ask func(name string, typing Typing, keys func([]byte))
	// Paint prints as it is what a plugin draws, such as a list to choose from; nil =
	// there is no terminal, and whoever asks for keys is told so.
	Paint func(text string)
}

// painted is what a plugin has drawn so far.
type painted struct {
	mu   sync.Mutex
	asks bool // some plugin wants what is typed
	keys bool // each key at once, so what it draws is for the screen
	open bool // the last line that was drawn is not finished
}

// draws tells output that moves the cursor, or hides it.
var draws = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b(\\[[?0-9;]*[A-HJKSTfhlsu]|[78])") })

// paint prints what is drawn for a screen, and reports whether it is.
func (h *Host) paint(text string) bool {
	if h.options.Terminal == nil || h.options.Terminal.Paint == nil {
		return false
	}
	p := &h.painted
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.keys || !p.open && strings.HasSuffix(text, "\n") && !draws().MatchString(text) {
		return false
	}
	p.open = !strings.HasSuffix(text, "\n")
	h.options.Terminal.Paint(text)
	return true
}

// asks tells the terminal how a plugin wants what is typed.
func (h *Host) asks(c *child, name string, typing Typing) {
	if h.options.Terminal == nil {
		return
	}
	h.painted.mu.Lock()
	h.painted.asks, h.painted.keys = typing != NotTyping, typing == Keys
	h.painted.mu.Unlock()
	h.options.Terminal.Ask(name, typing, func(keys []byte) {
		_ = c.write(request{Keys: keys}) // it may have ended
	})
}

// asksNoMore leaves the terminal to others when plugins end.
func (h *Host) asksNoMore() {
	h.painted.mu.Lock()
	asks := h.painted.asks
	h.painted.asks, h.painted.keys = false, false
	h.painted.mu.Unlock()
	if asks {
		h.options.Terminal.Ask("", NotTyping, func([]byte) {})
	}
}
