package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"arc/sandbox/door"
)

const (
	maxFrame   = 32 << 10  // API Gateway's limit for a WebSocket frame
	maxMessage = 128 << 10 // and for a whole message
)

// frameWatch reads along what a client sends, only to see each frame's length:
// the WebSocket library joins frames, but API Gateway limits each of them. What
// it writes it does not wait for, where the system allows that.
type frameWatch struct {
	net.Conn
	rest unsent
	// tooLong is which of the client's messages, counted from 1, has the first data
	// frame that is longer than maxFrame; 0 = none yet.
	tooLong  atomic.Int64
	messages int64 // that have begun
	// closing is the code of the close frame that was written; 0 = none was.
	closing atomic.Int64

	header [14]byte // of the frame that is beginning
	have   int
	skip   uint64 // payload still to come
}

func (w *frameWatch) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.see(p[:n])
	return n, err
}

// see follows the frames through p: a header of 2 to 14 bytes (RFC 6455,
// 5.2), then as much payload as it says.
func (w *frameWatch) see(p []byte) {
	for len(p) > 0 {
		if w.skip > 0 {
			n := min(w.skip, uint64(len(p)))
			w.skip -= n
			p = p[n:]
			continue
		}
		w.header[w.have] = p[0]
		w.have++
		p = p[1:]
		if w.have < 2 {
			continue
		}
		need, length := 2, uint64(w.header[1]&0x7f)
		switch length {
		case 126:
			need += 2
		case 127:
			need += 8
		}
		lengthEnd := need
		if w.header[1]&0x80 != 0 {
			need += 4 // the mask
		}
		if w.have < need {
			continue
		}
		switch lengthEnd {
		case 4:
			length = uint64(binary.BigEndian.Uint16(w.header[2:4]))
		case 10:
			length = binary.BigEndian.Uint64(w.header[2:10])
		}
		opcode := w.header[0] & 0x0f
		if opcode == 1 || opcode == 2 {
			w.messages++
		}
		if control := opcode&0x08 != 0; !control && length > maxFrame {
			w.tooLong.CompareAndSwap(0, w.messages)
		}
		w.have, w.skip = 0, length
	}
}

// watchedWriter is a ResponseWriter whose hijacked connection is watched.
type watchedWriter struct {
	http.ResponseWriter
	watch *frameWatch
}

// Hijack is called by the WebSocket library once the connection is accepted.
func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.watch = &frameWatch{Conn: conn, rest: unsent{socket: door.Plain(conn)}}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	w.watch.see(early)
	// What has come early has to be in the reader's buffer: the library takes it
	// from there, and all that follows from the connection.
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), w.watch), max(readBuffer, len(early)))
	if _, err := reader.Peek(len(early)); err != nil {
		return nil, nil, err
	}
	return w.watch, bufio.NewReadWriter(reader, bufio.NewWriterSize(w.watch, writeBuffer)), nil
}

// Buffers of a connection. They are what an idle one costs most; the server's
// own take 4 KB each. What is longer is read and written past them.
const (
	readBuffer  = 512
	writeBuffer = 1024
)
