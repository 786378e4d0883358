package lambda_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"arc/sandbox/lambda"
)

const pageHandler = `
-- index.mjs --
export async function handler (event) {
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ok: true }) }
}
`

// pageEvent is a small HTTP API event.
const pageEvent = `{"version":"2.0","routeKey":"GET /","rawPath":"/","rawQueryString":"","headers":{"host":"localhost"},"requestContext":{"http":{"method":"GET","path":"/"}},"isBase64Encoded":false}`

// percentiles runs work b.N times and reports the middle and the slow end.
func percentiles(b *testing.B, work func()) {
	times := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		work()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkWarmInvokeNode is an event to a worker that has had one before. The
// floor is what a line takes to a Node process and back over bare pipes.
func BenchmarkWarmInvokeNode(b *testing.B) {
	need(b, "node")
	b.Run("invoke", func(b *testing.B) {
		s := newService(b, lambda.Options{})
		s.Put(function(b, "page", pageHandler))
		s.invoke("page", pageEvent)
		percentiles(b, func() { s.invoke("page", pageEvent) })
	})
	b.Run("floor-pipe", func(b *testing.B) {
		cmd := exec.Command("node", "-e", `
			const handler = async event => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ok: true }) })
			require('readline').createInterface({ input: process.stdin }).on('line', async line =>
				process.stdout.write(JSON.stringify(await handler(JSON.parse(line))) + '\n'))`)
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { in.Close(); cmd.Wait() })
		lines := bufio.NewReader(out)
		exchange := func() {
			io.WriteString(in, pageEvent+"\n")
			if _, err := lines.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
		}
		exchange()
		percentiles(b, exchange)
	})
}

// BenchmarkThroughputNode is eight callers at once on one function.
func BenchmarkThroughputNode(b *testing.B) {
	need(b, "node")
	s := newService(b, lambda.Options{})
	s.Put(function(b, "page", pageHandler))
	s.invoke("page", pageEvent)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Invoke(context.Background(), "page", []byte(pageEvent)); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkColdStart is from nothing to the first answer. The floor is Node
// itself, starting and ending without a script.
func BenchmarkColdStart(b *testing.B) {
	need(b, "node")
	for _, name := range []string{"esm", "cjs"} {
		b.Run(name, func(b *testing.B) {
			s := newService(b, lambda.Options{})
			fn := function(b, "page", pageHandler)
			if name == "cjs" {
				fn = function(b, "page", "-- index.js --\nexports.handler = async () => ({ statusCode: 200 })\n")
			}
			percentiles(b, func() {
				s.Put(fn) // retires the worker of the round before
				s.invoke("page", pageEvent)
			})
		})
	}
	b.Run("floor-node", func(b *testing.B) {
		percentiles(b, func() {
			cmd := exec.Command("node", os.DevNull)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // as little as a worker's
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		})
	})
}
