package door

import (
	"crypto/rand"
	"net"
)

// Hidden is a free address for a program that guards its port by itself badly or
// not at all: on one of the sixteen million addresses of loopback, drawn at
// random, where a page that tries all ports of this machine does not find it. Only
// 127.0.0.1 is left where the system has no others (macOS).
// https://www.rfc-editor.org/rfc/rfc1122#section-3.2.1.3
func Hidden() (host string, port int, err error) {
	var b [3]byte
	rand.Read(b[:]) // never fails
	for _, ip := range []net.IP{net.IPv4(127, 1+b[0]%254, b[1], 1+b[2]%254), net.IPv4(127, 0, 0, 1)} {
		var l net.Listener
		if l, err = net.Listen("tcp4", net.JoinHostPort(ip.String(), "0")); err == nil {
			host, port = ip.String(), l.Addr().(*net.TCPAddr).Port
			return host, port, l.Close()
		}
	}
	return "", 0, err
}
