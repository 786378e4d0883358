package door

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Authority signs the certificates of one local cloud, for this machine and for
// the hosts of AWS whose calls are led here. It is made at start, its key never
// leaves the memory, and by its own words it can speak for no other name: only
// the cloud's functions are told to trust it.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey // of the authority
	leafKey     *ecdsa.PrivateKey // of all certificates that it signs
	pem         []byte

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

// awsDomains are what AWS's public endpoints end with.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
var awsDomains = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws"}

// IsAWS reports whether a host is an endpoint of AWS.
func IsAWS(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, domain := range awsDomains {
		if strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// lifetime is longer than any local cloud runs, and short for a certificate.
const lifetime = 90 * 24 * time.Hour

// NewAuthority makes an authority that is valid from a little before now.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the local cloud: %w", err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the local cloud: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "arc local cloud"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         append([]string{"localhost"}, awsDomains...),
		PermittedIPRanges:           []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the local cloud: %w", err)
	}
	a := &Authority{key: key, leafKey: leafKey, leaves: map[string]*tls.Certificate{}, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("certificate of the local cloud: %w", err)
	}
	return a, nil
}

func serial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return new(big.Int).SetBytes(b[:])
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return a.pem }

// config answers for this machine's names and AWS's.
func (a *Authority) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name := hello.ServerName
		if name == "" {
			name = "localhost" // asked for by its address
		}
		if !loopbackName(name) && !IsAWS(name) {
			return nil, fmt.Errorf("the local cloud does not speak for %q", name)
		}
		return a.leaf(name)
	}}
}

func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if made := a.leaves[name]; made != nil {
		return made, nil
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{"arc local cloud"}},
		NotBefore: a.certificate.NotBefore, NotAfter: a.certificate.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &a.leafKey.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %s: %w", name, err)
	}
	made := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leafKey}
	a.leaves[name] = made
	return made, nil
}

// Secure makes a port speak TLS as well, before Serve: the first byte that a
// client sends tells whether it wants to.
func (p *Port) Secure(a *Authority) {
	config := a.config()
	for i, l := range p.listeners {
		p.listeners[i] = bothListener{l, config}
	}
}

type bothListener struct {
	net.Listener
	config *tls.Config
}

// Accept waits for a client, not for its first byte.
func (l bothListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &bothConn{Conn: raw, config: l.config}, nil
}

// bothConn is a connection whose first byte tells how it is to be read.
type bothConn struct {
	net.Conn // the raw one, until the first byte
	config   *tls.Config
	once     sync.Once
	inner    net.Conn
	err      error
	ahead    []byte // what was read and given back
}

// NetConn is the connection below.
func (c *bothConn) NetConn() net.Conn { return c.Conn }

// Plain is the socket of a connection that speaks no TLS, so that what is written
// to it goes out as it is; nil for any other.
func Plain(conn net.Conn) syscall.RawConn {
	if both, ok := conn.(*bothConn); ok {
		if both.inner != both.Conn {
			return nil
		}
		conn = both.Conn
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// handshake is the type of the record that every TLS connection begins with.
const handshake = 22

func (c *bothConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	first := 0
	c.once.Do(func() {
		if first, c.err = c.Conn.Read(b); c.err != nil {
			return
		}
		if c.inner = c.Conn; b[0] == handshake {
			c.inner = tls.Server(&begunConn{c.Conn, bytes.Clone(b[:first])}, c.config)
			first = 0
		}
	})
	if c.err != nil || first > 0 {
		return first, c.err
	}
	return c.inner.Read(b)
}

// Write answers; nobody is answered who has said nothing.
func (c *bothConn) Write(b []byte) (int, error) {
	if c.inner == nil {
		return c.Conn.Write(b)
	}
	return c.inner.Write(b)
}

// begunConn gives back what was read ahead.
type begunConn struct {
	net.Conn
	first []byte
}

func (c *begunConn) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
