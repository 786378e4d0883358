package journal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain is, under a name, the program that TestKilled kills.
func TestMain(m *testing.M) {
	if name := os.Getenv("ARC_JOURNAL_WRITER"); name != "" {
		write(name)
		return
	}
	os.Exit(m.Run())
}

// write appends for ever, and prints a number once its record is acknowledged.
func write(name string) {
	l, err := Open(name)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	from := 0
	for range l.All() {
		from++
	}
	for i := from; ; i++ {
		if err := l.Put(fmt.Sprintf("key-%08d", i), strings.Repeat("x", i%300)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

// A process that is killed with -9 at any moment has lost nothing that it
// acknowledged, and the next one goes on.
func TestKilled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	acknowledged := -1
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "ARC_JOURNAL_WRITER="+name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
				t.Fatal(lines.Text())
			}
			if n == 200+round*37 {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()
	}
	l, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	records := maps.Collect(l.All())
	for i := range acknowledged + 1 {
		var value string
		if json.Unmarshal(records[fmt.Sprintf("key-%08d", i)], &value) != nil || len(value) != i%300 {
			t.Fatalf("record %d of %d acknowledged ones is lost", i, acknowledged+1)
		}
	}
	if acknowledged < 1000 {
		t.Errorf("only %d records were written", acknowledged)
	}
}

// What was being written when the process ended may stand there in part, at
// every length.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "log")
	l, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	put := func(l *Log, key string, value any) {
		t.Helper()
		if err := l.Put(key, value); err != nil {
			t.Fatal(err)
		}
	}
	put(l, "a", 1)
	put(l, "b", map[string]string{"text": "two\nlines"})
	if err := l.Delete("a"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	put(l, "c", "the last")
	l.Close()
	longer, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole); n < len(longer); n++ {
		torn := filepath.Join(dir, fmt.Sprint("torn-", n))
		if err := os.WriteFile(torn, longer[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(torn)
		if err != nil {
			t.Fatalf("%d of %d bytes: %v", n, len(longer), err)
		}
		put(l, "d", 4)
		l.Close()
		if l, err = Open(torn); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(maps.Collect(l.All())); got != fmt.Sprint(map[string]json.RawMessage{"b": json.RawMessage(`{"text":"two\nlines"}`), "d": json.RawMessage("4")}) {
			t.Errorf("%d bytes: %s", n, got)
		}
	}
	// A damaged record in the middle is the disk's doing, and is told.
	longer[len(whole)/2] ^= 1
	if err := os.WriteFile(name, longer, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(name); err == nil || !strings.Contains(err.Error(), "--fresh") {
		t.Errorf("damaged: %v", err)
	}
}

// A log does not grow for ever.
func TestRewritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 10<<10)
	for i := range 1000 {
		if err := l.Put(fmt.Sprint(i%10), text); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > 2<<20 {
		t.Errorf("%d bytes for 100 kB", info.Size())
	}
	l.Close()
	if err := l.Put("late", 1); err == nil {
		t.Error("took a record after it was closed")
	}
	if l, err = Open(name); err != nil {
		t.Fatal(err)
	}
	if n := len(maps.Collect(l.All())); n != 10 {
		t.Errorf("%d records", n)
	}
}

func TestNothingIsKept(t *testing.T) {
	var l *Log
	if l.Put("a", 1) != nil || l.Delete("a") != nil || l.Close() != nil || len(maps.Collect(l.All())) != 0 {
		t.Error("a nil log does something")
	}
}

func FuzzOpen(f *testing.F) {
	good, _ := line("key", json.RawMessage(`{"a":1}`))
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte("00000000 \n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(name)
		if err != nil {
			return
		}
		if err := l.Put("more", time.Second); err != nil {
			t.Fatal(err)
		}
		l.Close()
		if l, err = Open(name); err != nil {
			t.Fatal(err)
		}
		if string(maps.Collect(l.All())["more"]) != "1000000000" {
			t.Error("the new record is lost")
		}
	})
}
