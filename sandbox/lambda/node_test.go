package lambda_test

import (
	"testing"

	"arc/sandbox/lambda"
)

// TestTurnedOn has NODE_OPTIONS turn on again what Lambda's runtimes turn off, and
// runtimes in which it is on.
func TestTurnedOn(t *testing.T) {
	need(t, "node")
	dir := t.TempDir()
	write(t, dir, `
-- lambda.js --
exports.handler = async () => { try { return require('./other.mjs').name } catch (err) { return err.code } }
-- other.mjs --
export const name = 'other'
`)
	s := newService(t, lambda.Options{})
	for _, c := range []struct{ runtime, options, want string }{
		{"nodejs22.x", "", `"ERR_REQUIRE_ESM"`},
		{"nodejs22.x", "--no-warnings", `"ERR_REQUIRE_ESM"`},
		{"nodejs22.x", "--no-warnings --experimental-require-module", `"other"`},
		{"nodejs20.x", "", `"ERR_REQUIRE_ESM"`},
		{"nodejs24.x", "", `"other"`},
	} {
		s.Put(lambda.Function{Name: "it", Runtime: c.runtime, Handler: "lambda.handler", Dir: dir, Timeout: 10, Env: map[string]string{"NODE_OPTIONS": c.options}})
		result, err := s.Invoke(t.Context(), "it", nil)
		if err != nil || string(result.Payload) != c.want {
			t.Errorf("%s with NODE_OPTIONS=%q: %s %v, want %s", c.runtime, c.options, result.Payload, err, c.want)
		}
		s.Remove("it")
	}
}
