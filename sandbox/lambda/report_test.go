package lambda_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/lambda"
)

// TestLambdasOwnLines: each invocation stands between START and END, as on AWS,
// and REPORT says what it took, however it ends; who waits for the answer finds
// all of it in the log.
func TestLambdasOwnLines(t *testing.T) {
	need(t, "node")
	var mu sync.Mutex
	streams := map[string][]string{}
	order := []string{}
	s := newService(t, lambda.Options{Keep: func(group, stream, line string) {
		mu.Lock()
		defer mu.Unlock()
		if streams[stream] == nil {
			order = append(order, stream)
		}
		streams[stream] = append(streams[stream], line)
	}})
	fn := function(t, "fn", `
-- index.mjs --
export const handler = async (event) => {
  console.log('said ' + event.how)
  if (event.how === 'throws') throw new Error('on purpose')
  if (event.how === 'exits') process.exit(3)
  if (event.how === 'hangs') await new Promise((resolve) => setTimeout(resolve, 60000))
}
`)
	fn.Timeout = 1
	s.Put(fn)
	for _, c := range []struct{ how, init, status string }{
		{"returns", `Init Duration: \d+\.\d\d ms\t`, ""},
		{"throws", "", ""},
		{"exits", "", "Status: error"},
		{"hangs", `Init Duration: \d+\.\d\d ms\t`, "Status: timeout"},
	} {
		r := s.result("fn", `{"how":"`+c.how+`"}`)
		mu.Lock()
		stream := order[len(order)-1]
		lines := streams[stream]
		streams[stream] = []string{}
		mu.Unlock()
		text := strings.Join(lines, "|")
		want := `^(?s)START RequestId: ` + r.RequestID + ` Version: \$LATEST\n\|` + r.RequestID + ` said ` + c.how + `\|(.*\|)?END RequestId: ` + r.RequestID +
			`\n\|REPORT RequestId: ` + r.RequestID + `\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 1152 MB\tMax Memory Used: \d+ MB\t` + c.init + c.status + `\n$`
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s:\n%s\nwant\n%s", c.how, text, want)
		}
	}
	for _, line := range s.log() {
		if strings.Contains(line, "RequestId:") && !strings.Contains(line, "Error:") {
			t.Errorf("the terminal has %s", line)
		}
	}
}
