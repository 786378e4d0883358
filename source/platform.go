package source

import (
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// platform is what machine a program is for, told by its first bytes.
type platform struct {
	system string // "Linux", "macOS", "Windows"; "" = it is no program
	arch   string // "arm64", "x86_64", or another one's name
}

func (p platform) String() string { return p.system + " on " + p.arch }

// platformOf reads the header of an ELF, Mach-O or PE file:
// https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html.
func platformOf(f File) (platform, error) {
	r, err := f.Open()
	if err != nil {
		return platform{}, err
	}
	defer r.Close()
	head := make([]byte, 20)
	n, err := io.ReadFull(r, head)
	if err != nil && n < 4 {
		return platform{}, nil // too short to be one
	}
	head = head[:n]
	switch {
	case string(head[:4]) == "\x7fELF" && n == 20:
		machine := binary.LittleEndian.Uint16(head[18:])
		if head[5] == 2 {
			machine = binary.BigEndian.Uint16(head[18:])
		}
		return platform{"Linux", elfMachine(machine)}, nil
	case n >= 8 && (binary.LittleEndian.Uint32(head) == 0xfeedfacf):
		arch := map[uint32]string{0x01000007: "x86_64", 0x0100000c: "arm64"}[binary.LittleEndian.Uint32(head[4:])]
		return platform{"macOS", arch}, nil
	case n >= 8 && binary.BigEndian.Uint32(head) == 0xcafebabe && binary.BigEndian.Uint32(head[4:]) < 20:
		return platform{"macOS", "several architectures"}, nil
	case string(head[:2]) == "MZ":
		return platform{"Windows", "x86_64"}, nil
	}
	return platform{}, nil
}

func elfMachine(n uint16) string {
	switch n {
	case 62:
		return "x86_64"
	case 183:
		return "arm64"
	case 40:
		return "32-bit arm"
	case 3:
		return "32-bit x86"
	}
	return fmt.Sprintf("machine %d", n)
}

// checkPlatform finds programs and native modules that Lambda could not load: a
// bootstrap of another machine, packages installed on one.
func (b *Bundle) checkPlatform(fn Function) error {
	arch := fn.Arch
	if fn.Build != nil {
		arch = fn.Build.arch(fn)
	}
	if arch == "" || fn.Build != nil && fn.Build.Host && fn.Build.system() != "linux" {
		return nil
	}
	type native struct {
		file  File
		found platform
	}
	right := map[string]bool{}
	wrong := map[string]native{}
	for _, f := range b.Files {
		bootstrap := f.Path == "bootstrap" && strings.HasPrefix(fn.Runtime, "provided")
		if bootstrap && !f.Executable {
			b.Findings = append(b.Findings, Finding{File: path.Join(fn.Dir, f.Path), Code: "bootstrap-mode", Text: "is not executable, so Lambda cannot start it", Hint: "chmod +x " + path.Join(fn.Dir, f.Path)})
		}
		if !bootstrap && !strings.HasSuffix(f.Path, ".node") && !nativeLibrary().MatchString(f.Path) {
			continue
		}
		p, err := platformOf(f)
		if err != nil {
			return err
		}
		group := packageGroup(f.Path)
		switch {
		case p.system == "":
		case p.system == "Linux" && p.arch == arch:
			right[group] = true
		default:
			if _, said := wrong[group]; !said {
				wrong[group] = native{f, p}
			}
		}
	}
	var groups []string
	for group := range wrong {
		if !right[group] { // some packages bring a module for each platform
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	for _, group := range groups {
		w := wrong[group]
		b.Findings = append(b.Findings, Finding{
			File: b.placeOf(fn, w.file), Code: "platform",
			Text: fmt.Sprintf("is native code for %s, and the function runs on Linux on %s", w.found, arch),
			Hint: platformHint(group, w.file.Path, arch),
		})
	}
	return nil
}

// nativeLibrary is a shared library: libvips-cpp.so.42, x.cpython-312-x86_64-linux-gnu.so.
var nativeLibrary = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.so(\.\d+)*$|\.dylib$|\.pyd$`) })

// platformName is the end of a package's name that tells a platform.
var platformName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[-_.](linux|linuxmusl|darwin|win32|freebsd|android)\b.*$`)
})

// packageGroup is the package, or the packages for several platforms, that a
// file belongs to.
func packageGroup(name string) string {
	at := strings.LastIndex("/"+name, "/node_modules/")
	if at < 0 {
		first, _, _ := strings.Cut(name, "/")
		return first
	}
	parts := strings.SplitN(name[at+len("node_modules/"):], "/", 3)
	pkg := parts[0]
	if strings.HasPrefix(pkg, "@") && len(parts) > 1 {
		pkg += "/" + parts[1]
	}
	return "node_modules/" + strings.TrimPrefix(platformName().ReplaceAllString(pkg, ""), "@img/")
}

// placeOf is where a file of the zip is written, as a project path.
func (b *Bundle) placeOf(fn Function, f File) string {
	if f.content != nil && f.content.path != "" && !path.IsAbs(f.content.path) {
		return f.content.path
	}
	return path.Join(fn.Dir, f.Path)
}

func platformHint(group, file, arch string) string {
	cpu := map[string]string{"arm64": "arm64", "x86_64": "x64"}[arch]
	other := map[string]string{"arm64": "x86_64", "x86_64": "arm64"}[arch]
	name, npm := strings.CutPrefix(group, "node_modules/")
	switch {
	case npm && strings.HasPrefix(name, "sharp-"):
		name = "sharp"
		fallthrough
	case npm:
		return fmt.Sprintf("npm install --os=linux --cpu=%s --libc=glibc %s, or write architecture %s", cpu, name, other)
	case file == "bootstrap":
		return "compile it for Linux on " + arch + ", or write architecture " + other
	}
	return "install it for Linux on " + arch + ", or write architecture " + other
}
