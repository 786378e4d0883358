package lambda_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/lambda"
)

// TestRetiredPython: functions of the versions that AWS has retired run on those that
// are on this machine, each with the grammar and library that it has.
func TestRetiredPython(t *testing.T) {
	for _, version := range []string{"3.6", "3.7", "3.8", "3.9"} {
		t.Run(version, func(t *testing.T) {
			program, err := exec.LookPath("python" + version)
			if err != nil || exec.Command(program, "--version").Run() != nil { // a shim of pyenv's
				home, _ := os.UserHomeDir()
				found, _ := filepath.Glob(filepath.Join(home, ".pyenv", "versions", version+".*", "bin", "python"+version))
				if len(found) == 0 {
					t.Skipf("Python %s is not on this machine", version)
				}
				program = found[0]
			}
			s := newService(t, lambda.Options{Path: filepath.Dir(program) + string(filepath.ListSeparator) + os.Getenv("PATH")})
			s.Put(lambda.Function{
				Name: "fn", Runtime: "python" + version, Handler: "index.handler", Timeout: 20, MemoryMB: 1152, Label: "fn",
				Dir: folder(t, "-- index.py --\nimport sys\ndef handler(event, context):\n    print('it prints ü')\n    return '%d.%d' % sys.version_info[:2]\n"),
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			result, err := s.Invoke(ctx, "fn", []byte("{}"))
			if err != nil || result.Failed != "" || string(result.Payload) != `"`+version+`"` {
				t.Fatalf("%s %s, %v", result.Kind, result.Payload, err)
			}
			if log := strings.Join(s.log(), "\n"); !strings.Contains(log, "fn | it prints ü") {
				t.Errorf("the log is %s", log)
			}
		})
	}
}

// TestPython2: a function of Python 2 is told that it does not run.
func TestPython2(t *testing.T) {
	s := newService(t, lambda.Options{})
	s.Put(lambda.Function{Name: "fn", Runtime: "python2.7", Handler: "index.handler", Timeout: 5, Label: "fn", Dir: folder(t, "-- index.py --\n")})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := s.Invoke(ctx, "fn", []byte("{}"))
	if err != nil || result.Kind != invoke.RuntimeMissing || !strings.Contains(string(result.Payload), "Python has ended version 2") {
		t.Errorf("%s %s, %v", result.Kind, result.Payload, err)
	}
}
