package ingress

import (
	"context"
	"net/http"
	"strings"
)

// stageKey marks the context of a request whose stage a domain has chosen.
type stageKey struct{}

// mappedStage is a stage that a domain has chosen, and by which key.
type mappedStage struct{ key, stage string }

// ChooseStage marks a request as one for a stage, by the key of a domain's mapping.
func ChooseStage(ctx context.Context, key, stage string) context.Context {
	return context.WithValue(ctx, stageKey{}, mappedStage{key, stage})
}

// ChosenStage is the stage that a domain chose for a request, and the path below the
// mapping's key; false = no domain did.
func ChosenStage(r *http.Request) (stage, path string, ok bool) {
	m, ok := r.Context().Value(stageKey{}).(mappedStage)
	if !ok {
		return "", "", false
	}
	path = r.URL.EscapedPath()
	if m.key != "" {
		path = strings.TrimPrefix(path, "/"+m.key)
	}
	if path == "" {
		path = "/"
	}
	return m.stage, path, true
}
