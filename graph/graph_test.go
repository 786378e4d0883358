package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"arc/graph"
	"arc/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite goldens")

// load reads the project in a txtar.
func load(t testing.TB, file string) *manifest.App {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	project := fstest.MapFS{}
	for _, f := range archive.Files {
		project[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	result := manifest.Load(project, manifest.Options{})
	if len(result.Diagnostics) > 0 {
		var text strings.Builder
		if err := result.Diagnostics.Render(&text, result.Sources); err != nil {
			t.Fatal(err)
		}
		t.Fatal(text.String())
	}
	return result.App
}

// TestGoldens draws each testdata/*.txtar as the .svg and .mmd beside it. Look
// at a changed picture in a browser before you commit it.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no apps to draw: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".txtar")
		t.Run(filepath.Base(name), func(t *testing.T) {
			app := load(t, file)
			svg, mermaid := graph.Of(app).SVG(), graph.Of(app).Mermaid()
			golden(t, name+".svg", svg)
			golden(t, name+".mmd", mermaid)
			wellFormed(t, svg)
			if again := graph.Of(app); !bytes.Equal(again.SVG(), svg) || !bytes.Equal(again.Mermaid(), mermaid) {
				t.Error("drawn again, it is another picture")
			}
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got); go test ./graph -update rewrites it\n%s", file, d)
	}
}

// wellFormed reads the SVG as XML, wants nothing in it but what the painter
// draws, and gives the text of its labels.
func wellFormed(t testing.TB, svg []byte) (text string) {
	t.Helper()
	known := map[string]bool{"svg": true, "title": true, "style": true, "rect": true, "text": true, "path": true, "g": true}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return text
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if !known[tok.Name.Local] {
				t.Fatalf("there is an element %s", tok.Name.Local)
			}
			for _, a := range tok.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Fatalf("there is an attribute %s", a.Name.Local)
				}
			}
		case xml.CharData:
			text += string(tok)
		}
	}
}

// warehouse has n routes, each with a table that it reads, and a queue.
func warehouse(n int) *manifest.App {
	app := &manifest.App{Name: "warehouse"}
	queue := &manifest.Function{Pragma: "queues", Name: "jobs", Dir: "src/queues/jobs"}
	app.Queues = []manifest.Queue{{Name: "jobs", Function: queue}}
	for i := range n {
		path := fmt.Sprintf("/things-%d/:id", i)
		fn := &manifest.Function{Pragma: "http", Name: "get " + path, Dir: fmt.Sprintf("src/http/get-things_%d-000id", i)}
		table := fmt.Sprintf("table-%d", i*7%n)
		fn.Config.Uses = []manifest.Use{{Kind: "tables", Name: table, Action: "read"}, {Kind: "queues", Name: "jobs", Action: "send"}}
		app.HTTP = append(app.HTTP, manifest.Route{Method: "get", Path: path, Function: fn})
		app.Tables = append(app.Tables, manifest.Table{Name: fmt.Sprintf("table-%d", i), PartitionKey: manifest.Key{Name: "id"}})
	}
	return app
}

// card is what the SVG says of a card's place.
type card struct {
	Class  string `xml:"class,attr"`
	X      int    `xml:"x,attr"`
	Y      int    `xml:"y,attr"`
	Width  int    `xml:"width,attr"`
	Height int    `xml:"height,attr"`
}

// TestNothingOverlaps reads the cards of pictures of every size: none touches
// another, and none leaves the picture.
func TestNothingOverlaps(t *testing.T) {
	apps := []*manifest.App{load(t, "testdata/shop.txtar"), load(t, "testdata/everything.txtar"), load(t, "testdata/warehouse.txtar")}
	for _, n := range []int{0, 1, 3, 60, 300} {
		apps = append(apps, warehouse(n))
	}
	for _, app := range apps {
		t.Run(fmt.Sprintf("%s %d", app.Name, len(app.HTTP)), func(t *testing.T) {
			var svg struct {
				Width  int `xml:"width,attr"`
				Height int `xml:"height,attr"`
				Groups []struct {
					Rects []card `xml:"rect"`
				} `xml:"g"`
			}
			g := graph.Of(app)
			if err := xml.Unmarshal(g.SVG(), &svg); err != nil {
				t.Fatal(err)
			}
			if len(svg.Groups) != len(g.Nodes) {
				t.Fatalf("%d cards for %d nodes", len(svg.Groups), len(g.Nodes))
			}
			for i, group := range svg.Groups {
				a := group.Rects[0]
				if a.X < 0 || a.Y < 0 || a.X+a.Width > svg.Width || a.Y+a.Height > svg.Height {
					t.Errorf("card %d leaves the picture: %+v", i, a)
				}
				for _, other := range svg.Groups[:i] {
					b := other.Rects[0]
					if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
						t.Errorf("two cards overlap: %+v and %+v", a, b)
					}
				}
			}
		})
	}
}

// named is an app in which everything that can be called name is.
func named(name string) *manifest.App {
	fn := func(pragma string) *manifest.Function {
		return &manifest.Function{Pragma: pragma, Name: name, Dir: name, Config: manifest.Config{
			Runtime: name, Uses: []manifest.Use{{Kind: "tables", Name: name, Action: "read"}, {Kind: "ws", Action: "send"}},
		}}
	}
	return &manifest.App{
		Name:      name,
		HTTP:      []manifest.Route{{Method: name, Path: name, Function: fn("http")}},
		WS:        []manifest.Action{{Name: name, Function: fn("ws")}},
		Events:    []manifest.Event{{Name: name, Function: fn("events")}},
		Queues:    []manifest.Queue{{Name: name, Function: fn("queues")}},
		Schedules: []manifest.Schedule{{Name: name, Expression: name, Timezone: name, Function: fn("scheduled")}},
		Tables:    []manifest.Table{{Name: name, PartitionKey: manifest.Key{Name: name}}},
		Streams:   []manifest.Stream{{Name: name, Table: name, Function: fn("tables-streams")}},
		Static:    &manifest.Static{Folder: name},
		Proxy:     &manifest.Proxy{Production: name, Staging: "https://editor:letmein@example.com"},
		CDN:       &manifest.CDN{Enabled: true},
	}
}

// FuzzNames draws apps with any name: it never leaves the text it stands in.
func FuzzNames(f *testing.F) {
	for _, name := range []string{
		"orders", "", `"]; click n1 "javascript:alert(1)"`, "</text><script>alert(1)</script>", "]]>", "a\x00b\x1b[31m", "\xff\xfe", "end",
		"`**bold**`", "#35;&lt;", "%% comment", strings.Repeat("long/", 40), "漢字-käse",
	} {
		f.Add(name)
	}
	plain := string(graph.Of(named("plain")).Mermaid())
	f.Fuzz(func(t *testing.T, name string) {
		g := graph.Of(named(name))
		if text := wellFormed(t, g.SVG()); strings.Contains(text, "letmein") {
			t.Error("the picture shows a password")
		}
		mermaid := string(g.Mermaid())
		if got, want := strings.Count(mermaid, "\n"), strings.Count(plain, "\n"); got != want && name != "" {
			t.Errorf("%d lines instead of %d:\n%s", got, want, mermaid)
		}
		if got, want := strings.Count(mermaid, `"`), strings.Count(plain, `"`); got != want {
			t.Errorf("%d quotes instead of %d:\n%s", got, want, mermaid)
		}
		if strings.ContainsAny(mermaid, "`\x00\x1b") || strings.Contains(mermaid, "<script") {
			t.Errorf("what Mermaid could act on:\n%s", mermaid)
		}
	})
}

func BenchmarkThousandRoutes(b *testing.B) {
	app := warehouse(1000)
	b.Run("svg", func(b *testing.B) {
		for b.Loop() {
			graph.Of(app).SVG()
		}
	})
	b.Run("mermaid", func(b *testing.B) {
		for b.Loop() {
			graph.Of(app).Mermaid()
		}
	})
}
