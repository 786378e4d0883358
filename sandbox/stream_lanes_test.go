package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"arc/sandbox/activity"
	"arc/sandbox/invoke"
	"arc/sandbox/journal"
	"arc/sandbox/lambda"
	"arc/sandbox/stack"
)

// laneCode writes down what it is given and when. The first batches
// wait until three are under way, and a little for a fourth; the item "bad" fails as long as
// there is a file of that name.
const laneCode = `import fs from 'node:fs'
const say = text => fs.appendFileSync(process.env.DIR + '/given', text + '\n')
const begun = () => fs.readFileSync(process.env.DIR + '/given', 'utf8').split('\n').filter(l => l.startsWith('begin')).length
export const handler = async event => {
  const records = event.Records.map(r => r.dynamodb.Keys.id.S + r.dynamodb.n)
  say('begin:' + records)
  const wait = async (batches, ms) => {
    for (const until = Date.now() + ms; begun() < batches && Date.now() < until;) await new Promise(done => setTimeout(done, 5))
  }
  await wait(3, 10000)
  await wait(4, 300)
  const bad = records.some(r => r.startsWith('bad')) && fs.existsSync(process.env.DIR + '/bad')
  say((bad ? 'failed:' : 'end:') + records)
  if (bad) throw new Error('no luck')
}`

// TestStreamLanes: with a ParallelizationFactor of 3 there are three batches of a
// stream at once and not four, the records of an item are given in order, and an
// item that fails holds up its own lane alone. A second run goes on at the oldest record
// that was not done.
func TestStreamLanes(t *testing.T) {
	w := newQueueWorld(t, laneCode, nil)
	if err := os.WriteFile(filepath.Join(w.dir, "bad"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stream := records{}
	const each = 4
	items := []string{"bad", "a", "b", "c", "d", "e", "f", "g"}
	for n := range each {
		for _, item := range items {
			at := strconv.Itoa(len(stream) + 1)
			stream = append(stream, invoke.Record{
				Position: at, Sequence: at, Shard: "shardId-0", Created: w.clock.Now(),
				JSON: fmt.Appendf(nil, `{"dynamodb":{"Keys":{"id":{"S":%q}},"n":%d}}`, item, n),
			})
		}
	}
	kept, err := journal.Open(filepath.Join(w.dir, "lambda.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	start := func() *lambda.Service {
		s := lambda.New(lambda.Options{
			Account: Account, Region: "us-west-2", Path: os.Getenv("PATH"), Clock: w.clock, Streams: stream,
			Tell: func(e activity.Event) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.told = append(w.told, e)
			},
		})
		if err := s.Restore(kept); err != nil {
			t.Fatal(err)
		}
		s.Put(lambda.Function{Name: "worker", ARN: functionARN, Runtime: "nodejs22.x", Handler: "index.handler", Dir: w.dir, Timeout: 20, MemoryMB: 128, Env: map[string]string{"DIR": w.dir}})
		if _, err := s.Registrations()["AWS::Lambda::EventSourceMapping"].Provider.Create(t.Context(), stack.Request{LogicalID: "Mapping", Properties: map[string]any{
			"FunctionName": "worker", "EventSourceArn": "arn:aws:dynamodb:us-west-2:" + Account + ":table/rows/stream/2026", "StartingPosition": "TRIM_HORIZON",
			"BatchSize": json.Number("2"), "ParallelizationFactor": json.Number("3"),
		}}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	// given is what was done, by item; most is how many batches there were at once.
	given := func() (done map[string]string, failed, most int) {
		done = map[string]string{}
		now := 0
		for _, line := range w.lines("given") {
			verb, list, _ := strings.Cut(line, ":")
			switch verb {
			case "begin":
				now++
				most = max(most, now)
				if n := strings.Count(list, ",") + 1; n > 2 {
					t.Errorf("a batch has %d records", n)
				}
				continue
			case "failed":
				failed++
			case "end":
				for _, r := range strings.Split(list, ",") {
					done[r[:len(r)-1]] += r[len(r)-1:]
				}
			}
			now--
		}
		return done, failed, most
	}
	// place is where the next run begins.
	place := func() string {
		for key, at := range kept.All() {
			if strings.HasPrefix(key, "/Mapping ") {
				return string(at)
			}
		}
		return ""
	}
	s := start()
	complete := func(done map[string]string) (n int) {
		for _, of := range done {
			if of == "0123" {
				n++
			}
		}
		return n
	}
	// All that is in other lanes is done, while the first record of all is not.
	w.until("other lanes go on", func() bool {
		done, failed, _ := given()
		return failed > 2 && complete(done) >= len(items)/3
	})
	w.says("and nothing behind it of the same items before")
	s.Close(context.Background())
	done, _, most := given()
	if most != 3 {
		t.Errorf("there were %d batches at once", most)
	}
	if done["bad"] != "" {
		t.Errorf("what fails is done: %q", done["bad"])
	}
	for item, of := range done {
		if !strings.HasPrefix("0123", of) { // in order, and once
			t.Errorf("%s was given in the order %s", item, of)
		}
	}

	if at := place(); at != "" {
		t.Errorf("the first record is not done, and the next run begins at %s", at)
	}

	// Mended, all comes, and what was done behind it comes again.
	if err := os.Remove(filepath.Join(w.dir, "bad")); err != nil {
		t.Fatal(err)
	}
	s = start()
	defer s.Close(context.Background())
	w.until("all is done", func() bool { return place() == fmt.Sprintf("%q", fmt.Sprint(len(stream))) })
	if done, _, _ := given(); done["bad"] != "0123" {
		t.Errorf("what failed is given in the order %s", done["bad"])
	}
}
