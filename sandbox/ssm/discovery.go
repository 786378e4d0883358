package ssm

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"arc/sandbox/wire"
)

// discoveryPath is where the @architect/functions libraries ask for parameters.
const discoveryPath = "/_arc/ssm"

// anyApp is the stack that the libraries ask for where no ARC_APP_NAME says which
// app it is: in tests and scripts that nobody but the developer starts.
const anyApp = "/ArcAppTesting"

// Discover names the app that runs from its source, and its ports as ARC_SANDBOX
// has them. Libraries that were not started by the local cloud find both where
// they ask for parameters. It is set before anybody asks.
func (s *Store) Discover(app func() (stackName, ports string)) { s.app = app }

// discovering marks the context of a request of the libraries. Its value tells
// whether the ports are wanted: what the local cloud has started, and signs with
// the key that it was given, knows them, and is to find what it finds deployed.
type discovering struct{}

// ownKey is how a request is signed by what the local cloud has started.
const ownKey = "Credential=local/"

func (s *Store) handler() http.Handler {
	api := wire.JSON("ssm", s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == discoveryPath {
			r = r.WithContext(context.WithValue(r.Context(), discovering{}, !strings.Contains(r.Header.Get("Authorization"), ownKey)))
		}
		api.ServeHTTP(w, r)
	})
}

// discovered lists parameters below a path as the libraries are to find them:
// with the ports, and for anyApp those of the app that runs.
func (s *Store) discovered(path string, recursive, wanted bool) []Parameter {
	stackName, ports := "", ""
	if s.app != nil {
		stackName, ports = s.app()
	}
	if stackName == "" {
		return s.ByPath(path, recursive)
	}
	own, asked := "/"+stackName, "/"+stackName
	if path == anyApp || strings.HasPrefix(path, anyApp+"/") {
		asked = anyApp
		path = own + strings.TrimPrefix(path, anyApp)
	}
	found := s.ByPath(path, recursive)
	if name := own + "/ARC_SANDBOX/ports"; wanted && recursive && strings.HasPrefix(name, strings.TrimSuffix(path, "/")+"/") {
		found = append(found, Parameter{Name: name, Type: "String", Value: ports, Version: 1, DataType: "text"})
	}
	for i := range found {
		found[i].Name = asked + strings.TrimPrefix(found[i].Name, own)
	}
	slices.SortFunc(found, func(a, b Parameter) int { return cmp.Compare(a.Name, b.Name) })
	return found
}
