package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// liveApp is the app of arc sandbox, as it was last given to Run. The
// providers ask it while its stack is being made.
type liveApp struct {
	mu    sync.Mutex
	app   App
	on    bool
	ready chan struct{} // closed when the app was made, or could not be
}

// set takes the app as it is from now on. A function whose code is made as before
// keeps what makes it: so do its workers (lambda.Service.Relocate), and whoever
// asks what it is made of must ask the one that they run.
func (l *liveApp) set(app App) {
	l.mu.Lock()
	defer l.mu.Unlock()
	app.Functions = maps.Clone(app.Functions)
	for id, fn := range app.Functions {
		if before := l.app.Functions[id].Code; fn.Code != nil && before.Settings() == fn.Code.Settings() {
			fn.Code = before
			app.Functions[id] = fn
		}
	}
	l.app, l.on = app, true
}

// making holds what calls the app until its first stack is whole: its port opens
// with the API, which has no routes yet. The result lets them go on.
func (l *liveApp) making() (made func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ready != nil {
		return func() {}
	}
	ready := make(chan struct{})
	l.ready = ready
	return func() { close(ready) }
}

// held is a handler that answers when the app is made.
func (l *liveApp) held(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		ready := l.ready
		l.mu.Unlock()
		if ready != nil {
			select {
			case <-ready:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// is reports whether the stack is the live app's.
func (l *liveApp) is(stackName string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on && l.app.StackName == stackName
}

// name is that of its stack; "" = there is none.
func (l *liveApp) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.app.StackName
}

// port is where the live app's front end goes.
func (l *liveApp) port() (port int, exact bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.app.Port == 0 {
		return DefaultAppPort, l.app.Exact
	}
	return l.app.Port, l.app.Exact
}

func (l *liveApp) apiType() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.app.APIType == "" {
		return "http"
	}
	return l.app.APIType
}

// static is the folder of the app's static files; "" = none.
func (l *liveApp) static() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.app.Static
}

// function is the live code of a resource of the stack, or of a stack nested in
// it, if it has any.
func (l *liveApp) function(stackName, logicalID string) (LiveFunction, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.on || stackName != l.app.StackName && !strings.HasPrefix(stackName, l.app.StackName+"-") {
		return LiveFunction{}, false
	}
	fn, ok := l.app.Functions[logicalID]
	return fn, ok
}

// LiveFunctions are the live app's functions.
func (c *Cloud) LiveFunctions() []LiveFunction {
	c.live.mu.Lock()
	defer c.live.mu.Unlock()
	return slices.Collect(maps.Values(c.live.app.Functions))
}
