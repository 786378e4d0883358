package lambda_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"arc/sandbox/lambda"
)

// loggingHandler writes as logging packages do: to the streams, or to their
// descriptors; no two at a time, as each may change how the other writes.
const loggingHandler = `
-- index.mjs --
import fs from 'node:fs'
const write = {
  stdout: (line) => process.stdout.write(line + '\n'),
  stderr: (line) => process.stderr.write(line + '\n'),
  descriptor: (line) => fs.writeSync(1, line + '\n'),
  console: (line) => console.log(line),
}[process.env.HOW]
export const handler = async (event, context) => {
  for (let i = 0; i < event.lines; i++) write(context.awsRequestId + ' ' + 'x'.repeat(100) + i)
  if (event.exit) process.exit(1)
}
`

// TestLinesOfTheirEvent writes many lines in every way, and then returns or
// exits: every line is there, under the ID of its own event.
func TestLinesOfTheirEvent(t *testing.T) {
	need(t, "node")
	var mu sync.Mutex
	lines, strays := 0, 0
	s := newService(t, lambda.Options{Log: func(_, id, line string) {
		mu.Lock()
		defer mu.Unlock()
		lines++
		if id == "" || !strings.HasPrefix(line, id+" ") {
			strays++
		}
	}})
	const events, each = 8, 3000
	want := 0
	for _, how := range []string{"stdout", "stderr", "descriptor", "console"} {
		fn := function(t, how, loggingHandler)
		fn.Env = map[string]string{"HOW": how}
		s.Put(fn)
		for i := range events {
			if _, err := s.Invoke(context.Background(), how, fmt.Appendf(nil, `{"lines":%d,"exit":%t}`, each, i%4 == 3)); err != nil {
				t.Fatal(err)
			}
			want += each
			mu.Lock()
			if lines != want || strays > 0 {
				t.Errorf("%s, event %d: %d lines, want %d; %d under another ID", how, i, lines, want, strays)
			}
			lines, strays = want, 0
			mu.Unlock()
		}
	}
}
