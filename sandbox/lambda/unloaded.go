package lambda

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// Why a function's code could not be loaded, in the developer's words.

// loadError is what a runtime reports when code cannot be loaded: Node calls its
// lines trace, the others stackTrace.
type loadError struct {
	Type       string   `json:"errorType"`
	Message    string   `json:"errorMessage"`
	Trace      []string `json:"trace"`
	StackTrace []string `json:"stackTrace"`
}

// explained gives a report the names of files that the developer knows, and what
// the packager has to say of the import that failed.
func (w *worker) explained(body []byte) []byte {
	body = []byte(w.place.Real(string(body)))
	var object map[string]json.RawMessage
	var message string
	if json.Unmarshal(body, &object) != nil || json.Unmarshal(object["errorMessage"], &message) != nil {
		return body
	}
	reason := w.reason(message)
	if reason == message {
		return body
	}
	text, err := json.Marshal(reason)
	if err != nil {
		return body
	}
	object["errorMessage"] = text
	if said, err := json.Marshal(object); err == nil {
		return said
	}
	return body
}

// reason adds to a message what is wrong with the import that it is about, or,
// when that cannot be told, with all.
func (w *worker) reason(message string) string {
	var all []string
	for _, wrong := range w.place.Wrong {
		all = append(all, wrong.String())
		if name := cmp.Or(wrong.Package, wrong.Module); name != "" && strings.Contains(message, name) {
			first, rest, _ := strings.Cut(message, "\n")
			return strings.TrimSuffix(first+": "+wrong.Hint+"\n"+rest, "\n")
		}
	}
	if all == nil {
		return message + w.absent(message) + w.unlayered(message)
	}
	return strings.TrimSuffix(message+"\n"+strings.Join(all, "\n"), "\n")
}

// absent says of a Python module or a gem that it is in neither the zip nor the
// runtime, whatever else of this machine has it, and what to do.
func (w *worker) absent(message string) string {
	m := absentModule().FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	module, list := m[1], "requirements.txt"
	if strings.HasPrefix(w.fn.Runtime, "ruby") {
		if module, list = m[2], "Gemfile"; strings.HasPrefix(module, "/") {
			return "" // a file of the function's
		}
	}
	if file, _, _ := strings.Cut(w.fn.Handler, "."); module == strings.ReplaceAll(file, "/", ".") {
		return ": the function's folder has no " + file + ".py"
	}
	return ": " + module + " is in neither the function's zip nor Lambda's runtime: name it in the " + list + " beside the handler; what is your own goes into the function's folder or into shared code"
}

// unlayered says that what code misses may be in a layer that cannot be had here.
func (w *worker) unlayered(message string) string {
	if !absentModule().MatchString(message) && !strings.Contains(message, "Cannot find ") {
		return ""
	}
	return w.elsewhere()
}

// elsewhere names the layers that cannot be had here, behind what is missing.
func (w *worker) elsewhere() string {
	if len(w.fn.Missing) == 0 {
		return ""
	}
	return "; a layer may hold it that is another account's and not here: " + strings.Join(w.fn.Missing, ", ")
}

// absentModule finds what Python and Ruby could not load.
var absentModule = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`No module named '([^']+)'|cannot load such file -- (\S+)`)
})

// tell prints why the code could not be loaded, once until there is another
// reason: each event that fails of it has it in its own line anyway.
func (w *worker) tell(body []byte) {
	var e loadError
	if json.Unmarshal(body, &e) != nil {
		e = loadError{Message: string(body)}
	}
	text := strings.TrimPrefix(e.Type+": ", ": ") + e.Message
	lines := e.StackTrace
	switch {
	case strings.HasPrefix(w.fn.Runtime, "python"):
		text = "[ERROR] " + text // as Lambda has it
	case e.Type == "Runtime.UserCodeSyntaxError" && len(e.Trace) > 0:
		text, lines = e.Trace[0], e.Trace[1:] // begins with the place
	case len(e.Trace) > 0:
		lines = e.Trace[1:] // the first is the message
	}
	w.service.mu.Lock()
	told := w.owner.told == text
	w.owner.told = text
	w.service.mu.Unlock()
	if told {
		return
	}
	for line := range strings.Lines(text) {
		w.log("", strings.TrimRight(line, "\n"))
	}
	for _, line := range lines {
		for line := range strings.Lines(line) {
			if line = strings.TrimRight(line, "\n"); line != "" && !strings.Contains(text, line) {
				w.log("", line)
			}
		}
	}
}
