package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"
)

// tablesApp has five tables, a handler that measures its own calls, and a
// function on a table's stream.
var tablesApp = map[string]string{
	"app.arc":                      "@app\nrows\n\n@aws\ntimeout 60\n\n@http\nget /\nget /measure\nget /seen\npost /rows\nget /rows\n\n@tables\nrows\n  id *String\nseen\n  id *String\nthird\n  id *String\nfourth\n  id *String\nfifth\n  id *String\n\n@tables-streams\nrows\n",
	"src/http/get-index/index.mjs": `export const handler = async () => ({ statusCode: 200, body: 'ok' })`,
	"src/http/post-rows/index.mjs": `import arc from '@architect/functions'
export async function handler (event) {
  const { rows } = await arc.tables()
  await rows.put(JSON.parse(event.body))
  return { statusCode: 200 }
}`,
	"src/http/get-rows/index.mjs": `import arc from '@architect/functions'
export async function handler () {
  const { rows } = await arc.tables()
  return { statusCode: 200, body: JSON.stringify((await rows.scanAll({})).map(one => one.id)) }
}`,
	"src/http/get-seen/index.mjs": `import arc from '@architect/functions'
export async function handler () {
  const { seen } = await arc.tables()
  return { statusCode: 200, body: JSON.stringify((await seen.scanAll({})).map(one => one.ms)) }
}`,
	"src/tables-streams/rows/index.mjs": `import arc from '@architect/functions'
export async function handler ({ Records }) {
  const now = Date.now(), { seen } = await arc.tables()
  for (const { dynamodb: { NewImage } } of Records) {
    if (NewImage?.at) await seen.put({ id: NewImage.id.S, ms: now - Number(NewImage.at.N) })
  }
}`,
	"src/http/get-measure/index.mjs": `import arc from '@architect/functions'
async function median (what) {
  const took = []
  for (let n = 0; n < 200; n++) {
    const began = performance.now()
    await what(n)
    took.push(performance.now() - began)
  }
  return took.slice(100).sort((a, b) => a - b)[50]
}
export async function handler () {
  const { third } = await arc.tables()
  return { statusCode: 200, body: JSON.stringify({
    floor: await median(async () => (await fetch('http://127.0.0.1:' + JSON.parse(process.env.ARC_SANDBOX).ports._arc + '/_arc/health')).text()),
    put: await median(n => third.put({ id: String(n), text: 'some text' })),
    get: await median(n => third.get({ id: String(n) })),
  }) }
}`,
}

func (b *bencher) tablesFolder() (string, error) {
	dir := filepath.Join(b.dir, "rows")
	return dir, b.project(dir, tablesApp)
}

// tables times the start with five tables, calls of a warm handler, and the way
// of a record to its function.
func (b *bencher) tables() ([]row, error) {
	dir, err := b.tablesFolder()
	if err != nil {
		return nil, err
	}
	var starts, without durations
	var r *running
	for i := range 6 { // the first one may install the program that keeps tables
		if r != nil {
			r.stop()
		}
		var took time.Duration
		if r, took, err = b.sandboxIn(dir, ""); err != nil {
			return nil, err
		}
		if i > 0 {
			starts = append(starts, took)
			bare, took, err := b.sandbox()
			if err != nil {
				return nil, err
			}
			bare.stop()
			without = append(without, took)
		}
	}
	defer r.stop()
	var measured struct{ Floor, Put, Get float64 }
	if err := getJSON(r.url()+"measure", &measured); err != nil {
		return nil, err
	}
	const records = 50
	for n := range records + 1 { // the first one starts the function's process
		if err := put(r.url(), map[string]any{"id": fmt.Sprint(n), "at": time.Now().UnixMilli()}); err != nil {
			return nil, err
		}
		var seen []int64
		for began := time.Now(); len(seen) <= n; time.Sleep(time.Millisecond) {
			if err := getJSON(r.url()+"seen", &seen); err != nil {
				return nil, err
			}
			if time.Since(began) > 10*time.Second {
				return nil, fmt.Errorf("record %d did not reach its function", n)
			}
		}
	}
	var seen []int64
	if err := getJSON(r.url()+"seen", &seen); err != nil {
		return nil, err
	}
	var way durations
	for _, ms := range seen {
		way = append(way, time.Duration(ms)*time.Millisecond)
	}
	ms := func(f float64) string { return fmt.Sprintf("%.2f ms", f) }
	return []row{
		{"arc sandbox with 5 tables, start to first 200", starts.median(), without.median() + " (without tables)", "446 ms", "110 ms"},
		{"PutItem from a warm Node handler, p50", ms(measured.Put), ms(measured.Floor) + " (Node's fetch of nothing)", "", "1.5 ms"},
		{"GetItem from a warm Node handler, p50", ms(measured.Get), ms(measured.Floor) + " (Node's fetch of nothing)", "", "1.5 ms"},
		{"request of a write to function of the stream invoked, p50", way.median(), "", "never", "50 ms"},
	}, nil
}

// killed kills the local cloud with -9 at random moments while four clients
// write, and counts what was acknowledged and is there.
func (b *bencher) killed() ([]row, error) {
	dir, err := b.tablesFolder()
	if err != nil {
		return nil, err
	}
	const want = 10_000
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged := map[string]bool{}
	kills, next := 0, 0
	for len(acknowledged) < want {
		r, _, err := b.sandboxIn(dir, "")
		if err != nil {
			return nil, err
		}
		until := len(acknowledged) + 1 + random.IntN(want/8)
		var mu sync.Mutex
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				for {
					mu.Lock()
					next++
					id := fmt.Sprint("k", next)
					mu.Unlock()
					if put(r.url(), map[string]any{"id": id}) != nil {
						return
					}
					mu.Lock()
					acknowledged[id] = true
					if len(acknowledged) == until {
						r.cmd.Process.Kill()
					}
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		r.cmd.Process.Kill()
		r.cmd.Wait()
		kills++
	}
	r, _, err := b.sandboxIn(dir, "")
	if err != nil {
		return nil, err
	}
	defer r.stop()
	var ids []string
	if err := getJSON(r.url()+"rows", &ids); err != nil {
		return nil, err
	}
	there := 0
	for _, id := range ids {
		if acknowledged[id] {
			there++
		}
	}
	return []row{{fmt.Sprintf("acknowledged writes there after %d times kill -9", kills), fmt.Sprint(there), fmt.Sprint(len(acknowledged), " (acknowledged)"), "none kept", "all"}}, nil
}

func put(url string, item map[string]any) error {
	body, err := json.Marshal(item)
	if err != nil {
		return err
	}
	resp, err := http.Post(url+"rows", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("POST /rows: %s", resp.Status)
	}
	return nil
}

func getJSON(url string, into any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("GET %s: %s\n%s", url, resp.Status, said)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
