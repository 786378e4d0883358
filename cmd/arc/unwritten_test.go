package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"arc/manifest"
)

// emptied has files that somebody empties, and writes after they were read once or
// more often.
type emptied struct {
	fstest.MapFS
	after map[string]int // reads
}

func (e emptied) ReadFile(name string) ([]byte, error) {
	text, err := e.MapFS.ReadFile(name)
	if e.after[name] > 0 {
		e.after[name]--
		return nil, err
	}
	return text, err
}

// TestReadsWhatIsBeingWritten: a manifest, and what is read like one, that is empty
// because somebody is writing it, is read when it is written.
func TestReadsWhatIsBeingWritten(t *testing.T) {
	for _, test := range []struct {
		name  string
		file  string
		reads int           // that find it empty
		old   time.Duration // since it was emptied
		want  string        // what is wrong
		took  time.Duration
	}{
		{"manifest", "app.arc", 3, 0, "", time.Second / 10},
		{"config", "src/http/get-index/config.arc", 3, 0, "", time.Second / 10},
		{"preferences", "preferences.arc", 3, 0, "", time.Second / 10},
		{"stays empty", "app.arc", 1 << 20, 0, "app.arc:1:1: the file is empty", time.Second / 2},
		{"was empty before", "app.arc", 1 << 20, time.Minute, "app.arc:1:1: the file is empty", 0},
		{"emptied in the future", "app.arc", 1 << 20, -time.Hour, "app.arc:1:1: the file is empty", time.Second / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				files := fstest.MapFS{
					"app.arc":                       {Data: []byte("@app\nwritten\n@http\nget /\n")},
					"src/http/get-index/index.mjs":  {Data: []byte("export const handler = async () => 1")},
					"src/http/get-index/config.arc": {Data: []byte("@aws\nmemory 512\n")},
					"preferences.arc":               {Data: []byte("@env\ntesting\n  NAME value\n")},
				}
				files[test.file].ModTime = time.Now().Add(-test.old)
				start := time.Now()
				result := manifest.Load(awaiting{emptied{files, map[string]int{test.file: test.reads}}}, manifest.Options{})
				var said []string
				for _, d := range result.Diagnostics {
					said = append(said, d.Pos.String()+": "+d.Message)
				}
				if got := strings.Join(said, "\n"); got != test.want {
					t.Errorf("wrong is %q, want %q", got, test.want)
				}
				if took := time.Since(start); took > test.took {
					t.Errorf("it took %v, and may take %v", took, test.took)
				}
			})
		})
	}
	for _, name := range []string{"arc.json", "arc.yaml", ".arc", "src/ws/connect/arc.yml", "package.json", "prefs.arc", "src/http/get-index/.arc-config", "arc-config.yml", "config.yaml"} {
		if !readAsManifest(name) {
			t.Errorf("%s is not waited for", name)
		}
	}
	for _, name := range []string{".env", "index.mjs", "data.json"} {
		if readAsManifest(name) {
			t.Errorf("%s is waited for", name)
		}
	}
	p := &project{}
	if dir, err := projectDir(); err != nil {
		t.Fatal(err)
	} else if p.root, err = os.OpenRoot(dir); err != nil {
		t.Fatal(err)
	}
	defer p.root.Close()
	if _, waits := p.files().(awaiting); !waits {
		t.Error("a project's files are not waited for")
	}
	if _, err := fs.Stat(p.files(), "unwritten.go"); err != nil {
		t.Error(err)
	}
}
