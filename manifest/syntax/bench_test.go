package syntax

import (
	"fmt"
	"strings"
	"testing"
)

// bigManifest has 1,000 routes, half of them with a block, and 200 tables.
func bigManifest() []byte {
	var b strings.Builder
	b.WriteString("@app\nbig\n\n@http\n")
	for i := range 1000 {
		if i%2 == 0 {
			fmt.Fprintf(&b, "get /api/v1/resource-%d/:id\n", i)
			continue
		}
		fmt.Fprintf(&b, "/api/v1/resource-%d # a comment\n  method post\n  src src/routes/resource-%d\n", i, i)
	}
	b.WriteString("\n@tables\n")
	for i := range 200 {
		fmt.Fprintf(&b, "table-%d\n  id *String\n  created **Number\n  stream true\n", i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	src := bigManifest()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ds := Parse("app.arc", src); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}

func BenchmarkFormat(b *testing.B) {
	file, _ := Parse("app.arc", bigManifest())
	b.ReportAllocs()
	for b.Loop() {
		Format(file)
	}
}

// bigObject is the same size in JSON, which is YAML too.
func bigObject() []byte {
	var b strings.Builder
	b.WriteString("{\"app\": \"big\", \"http\": [\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "{\"/api/v1/resource-%d\": {\"method\": \"post\", \"src\": \"src/routes/resource-%d\"}},\n", i, i)
	}
	b.WriteString("[\"get\", \"/\"]]}\n")
	return []byte(b.String())
}

func BenchmarkParseJSON(b *testing.B) { benchmarkSpelling(b, ParseJSON) }
func BenchmarkParseYAML(b *testing.B) { benchmarkSpelling(b, ParseYAML) }

func benchmarkSpelling(b *testing.B, parse func(string, []byte) (*File, Diagnostics)) {
	src := bigObject()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ds := parse("arc.json", src); len(ds) > 0 {
			b.Fatal(ds)
		}
	}
}
