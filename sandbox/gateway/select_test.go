package gateway

import "testing"

// FuzzSelect gives any message a route, and never that of a connection's
// beginning or end.
func FuzzSelect(f *testing.F) {
	for _, seed := range []string{``, `{"action":"publish"}`, `{"action":"$connect"}`, `{"action":{"action":"publish"}}`, `[]`, `{"action":1e400}`, "\xff"} {
		f.Add(seed)
	}
	routes := map[string]*route{}
	for _, key := range []string{"$connect", "$disconnect", "$default", "publish", "1", "null", ""} {
		routes[key] = &route{key: key}
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, expression := range []string{"$request.body.action", "${request.body.action.action}", "${request.body.action}${request.body.action}", "$request.body['action']", "${request.body.action[0]}-x"} {
			selects, err := parseSelection(expression, false)
			if err != nil {
				t.Fatal(err)
			}
			s := &liveStage{snapshot: &snapshot{socket: routes, selection: selects}}
			if r := s.selectRoute(body); r == nil || r.key == "$connect" || r.key == "$disconnect" {
				t.Errorf("%q selects %v", body, r)
			}
		}
	})
}
