package cfn

import (
	"fmt"
	"testing"

	"arc/manifest"
	"arc/manifest/syntax"
)

// largeApp is an app with n functions, as manifest.Load would give it: routes,
// and schedules in place of those that an HTTP API would not take.
func largeApp(n int) *manifest.App {
	app := &manifest.App{
		Name: "large", Pos: syntax.Pos{File: "app.arc", Line: 2, Col: 1}, File: "app.arc",
		AWS:    manifest.AWS{Region: "us-west-2", APIGateway: "http", LogDays: 30},
		Static: &manifest.Static{Folder: "public", Implied: true},
		HTTP:   make([]manifest.Route, min(n, 280)),
	}
	for i := range n - len(app.HTTP) {
		fn := route("get", fmt.Sprint("/job-", i), 1000+i).Function
		fn.Pragma, fn.Name = "scheduled", fmt.Sprint("job-", i)
		app.Schedules = append(app.Schedules, manifest.Schedule{Name: fn.Name, Expression: "rate(1 day)", Function: fn, Pos: fn.Pos})
	}
	for i := range app.HTTP {
		app.HTTP[i] = route("get", fmt.Sprintf("/section-%d/item-%d/:id", i%37, i), i+5)
	}
	return app
}

// route is one route at a line of the manifest.
func route(method, path string, line int) manifest.Route {
	pos := syntax.Pos{File: "app.arc", Line: line, Col: 1}
	return manifest.Route{Method: method, Path: path, Pos: pos, Function: &manifest.Function{
		Pragma: "http", Name: method + " " + path, Dir: "src/http/" + fmt.Sprint(line), Pos: pos,
		Config: manifest.Config{
			Runtime: manifest.DefaultRuntime, Handler: "index.handler", HandlerFile: "index.mjs",
			Memory: 1152, Timeout: 5, Storage: 512, Architecture: "arm64", Env: true, Shared: true,
		},
	}}
}

// BenchmarkCompile compiles and prints apps of growing size.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{10, 100, 600} {
		app := largeApp(n)
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stack, ds := Compile(app, Options{Stage: "staging"})
				if stack == nil {
					b.Fatal(ds)
				}
				if _, err := stack.Template.JSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
