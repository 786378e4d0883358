package source

import (
	"strings"
	"testing"
)

// TestPlatforms holds headers of programs and native modules, as compilers write
// them, to what a function's zip may hold.
func TestPlatforms(t *testing.T) {
	elf := func(machine byte) string {
		return "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00" + string([]byte{machine, 0})
	}
	const mac = "\xcf\xfa\xed\xfe\x0c\x00\x00\x01 and so on, further"
	for _, c := range []struct {
		name, runtime string
		files         map[string]string
		want          string // in what is found; "" = nothing
	}{
		{"right", "nodejs22.x", map[string]string{"node_modules/bcrypt/build/Release/b.node": elf(183)}, ""},
		{"wrong", "nodejs22.x", map[string]string{"node_modules/bcrypt/build/Release/b.node": elf(62)},
			"is native code for Linux on x86_64, and the function runs on Linux on arm64: npm install --os=linux --cpu=arm64 --libc=glibc bcrypt"},
		{"macOS", "nodejs22.x", map[string]string{"node_modules/a/node_modules/bcrypt/b.node": mac}, "is native code for macOS on arm64"},
		{"prebuilt for each", "nodejs22.x", map[string]string{"node_modules/x/prebuilds/darwin-arm64/x.node": mac, "node_modules/x/prebuilds/linux-arm64/x.node": elf(183)}, ""},
		{"sharp for each", "nodejs22.x", map[string]string{"node_modules/@img/sharp-darwin-arm64/lib/s.node": mac, "node_modules/@img/sharp-linux-arm64/lib/s.node": elf(183)}, ""},
		{"sharp for macOS", "nodejs22.x", map[string]string{"node_modules/@img/sharp-darwin-arm64/lib/s.node": mac}, "--cpu=arm64 --libc=glibc sharp"},
		{"Python", "python3.12", map[string]string{"numpy/core.cpython-312-x86_64-linux-gnu.so": elf(62)}, "is native code for Linux on x86_64"},
		{"bootstrap", "provided.al2023", map[string]string{"bootstrap": elf(62)}, "compile it for Linux on arm64, or write architecture x86_64"},
		{"script", "provided.al2023", map[string]string{"bootstrap": "#!/bin/sh\n"}, ""},
		{"empty", "provided.al2023", map[string]string{"bootstrap": ""}, ""},
		{"Windows", "provided.al2023", map[string]string{"bootstrap": "MZ and so on, further on"}, "is native code for Windows"},
		{"not native", "nodejs22.x", map[string]string{"words.so": "so it is a text, and no library"}, ""},
	} {
		b := &Bundle{}
		for name, text := range c.files {
			f := inMemory(name, []byte(text))
			f.Executable = true
			b.Files = append(b.Files, f)
		}
		if err := b.checkPlatform(Function{Dir: "src/fn", Runtime: c.runtime, Arch: "arm64"}); err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, f := range b.Findings {
			said = append(said, f.String())
		}
		got := strings.Join(said, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
}
