package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLoad reads projects of many routes from the disk, each route with
// a handler and every tenth with a config file.
func BenchmarkLoad(b *testing.B) {
	for _, routes := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(routes), func(b *testing.B) {
			dir := b.TempDir()
			writeLargeProject(b, dir, routes)
			root, err := os.OpenRoot(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer root.Close()
			b.ReportAllocs()
			for b.Loop() {
				r := Load(root.FS(), Options{})
				if r.Diagnostics.HasErrors() || len(r.App.HTTP) != routes {
					b.Fatalf("%d routes, %v", len(r.App.HTTP), r.Diagnostics)
				}
			}
		})
	}
}

func writeLargeProject(b *testing.B, dir string, routes int) {
	var text strings.Builder
	text.WriteString("@app\nlarge\n\n@http\nget /\n")
	write := func(name, body string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	for i := 1; i < routes; i++ {
		fmt.Fprintf(&text, "get /part%d/:id/item%d\n", i%50, i)
		folder := fmt.Sprintf("src/http/get-part%d-000id-item%d", i%50, i)
		write(folder+"/index.mjs", "export const handler = () => 'ok'\n")
		if i%10 == 0 {
			write(folder+"/config.arc", "@aws\nmemory 256\n")
		}
	}
	write("app.arc", text.String())
}
