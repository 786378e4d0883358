package lambda

// follow reads a stream to its end.
func (o *output) follow(s *stream) {
	buffer := make([]byte, len(o.buffer))
	for {
		n, err := s.read.Read(buffer)
		o.mu.Lock()
		o.feed(s, buffer[:n])
		o.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// pull does nothing: a pipe cannot be read without waiting here, so lines
// printed at the very end of an event may carry the ID of the next.
func (o *output) pull(*stream) {}

// empty is never known.
func (o *output) empty() bool { return false }
