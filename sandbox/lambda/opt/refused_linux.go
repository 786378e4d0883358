package opt

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// facts are what a kernel tells of itself.
type facts struct {
	release string // "6.8.0-41-generic"
	sysctl  func(name string) string
}

func kernel() facts {
	var name unix.Utsname
	release := ""
	if unix.Uname(&name) == nil {
		release = unix.ByteSliceToString(name.Release[:])
	}
	return facts{release, func(name string) string {
		data, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
		if err != nil {
			return "" // this kernel has none of that name
		}
		return strings.TrimSpace(string(data))
	}}
}

// switches are the settings by which machines keep users from namespaces, and the
// values that do not.
// https://ubuntu.com/blog/ubuntu-23-10-restricted-unprivileged-user-namespaces
// https://docs.kernel.org/admin-guide/sysctl/user.html
var switches = []struct{ name, off, on, who string }{
	{"kernel.apparmor_restrict_unprivileged_userns", "1", "0", "AppArmor keeps"},
	{"kernel.unprivileged_userns_clone", "0", "1", "the kernel keeps"},
	{"user.max_user_namespaces", "0", "15000", "the kernel keeps"},
}

// refused says why nothing could be mounted, and what helps.
func refused(why error, root bool, machine facts) *Refused {
	if !root {
		for _, s := range switches {
			if machine.sysctl(s.name) == s.off {
				return &Refused{
					fmt.Errorf("%s users from namespaces of their own by %s=%s: %w", s.who, s.name, s.off, why),
					fmt.Sprintf("sudo sysctl -w %s=%s lets them", s.name, s.on),
				}
			}
		}
		var major, minor int
		if n, _ := fmt.Sscanf(machine.release, "%d.%d", &major, &minor); n == 2 && (major < 5 || major == 5 && minor < 11) {
			return &Refused{fmt.Errorf("Linux %d.%d lets only root mount them: %w", major, minor, why), "5.11 and later let every user"}
		}
	}
	return &Refused{why, "in a container, docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined lets root"}
}
