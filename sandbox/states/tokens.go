package states

import (
	"context"
	"fmt"

	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
)

// answer is what came with a task's token.
type answer struct {
	Output  string
	Failure *asl.Failure `json:",omitempty"`
}

// waiting is a task that waits for its token.
type waiting struct {
	x        *execution
	path     string
	answered chan struct{} // closed by the answer
	beat     chan struct{} // takes heartbeats
	gone     chan struct{} // closed when nothing waits for it any more
}

func newWaiting(x *execution, path string) *waiting {
	return &waiting{x: x, path: path, answered: make(chan struct{}), beat: make(chan struct{}), gone: make(chan struct{})}
}

// await has a task wait for a token.
func (f *frame) await(token string) *waiting {
	s := f.x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.tokens[token]; w != nil {
		return w // of an earlier run
	}
	w := newWaiting(f.x, f.path)
	if p, ok := f.x.position(f.path); ok && p.Answer != nil {
		close(w.answered)
		return w
	}
	s.tokens[token] = w
	return w
}

// unawait ends that: the token is not known any more.
func (s *Service) unawait(token string, w *waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
	close(w.gone)
}

// answer is SendTaskSuccess and SendTaskFailure: once it has returned, the answer is
// kept.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
func (s *Service) answer(_ context.Context, token string, a answer) error {
	if a.Failure == nil {
		if len(a.Output) > maxPayload {
			return &stack.Error{Code: "InvalidOutput", Message: fmt.Sprintf("Invalid Output: 'the output has %d bytes, of at most %d'", len(a.Output), maxPayload)}
		}
		if _, err := asl.Decode([]byte(a.Output)); err != nil {
			return &stack.Error{Code: "InvalidOutput", Message: fmt.Sprintf("Invalid Output: '%v'", err)}
		}
	}
	s.mu.Lock()
	w := s.tokens[token]
	delete(s.tokens, token)
	s.mu.Unlock()
	if w == nil {
		return noToken(token)
	}
	p, _ := w.x.position(w.path)
	p.Answer = &a
	w.x.save(w.path, p)
	close(w.answered)
	return nil
}

func (s *Service) heartbeat(token string) error {
	s.mu.Lock()
	w := s.tokens[token]
	s.mu.Unlock()
	if w == nil {
		return noToken(token)
	}
	select {
	case w.beat <- struct{}{}:
	case <-w.answered:
	case <-w.gone:
		return noToken(token)
	case <-s.ctx.Done():
	}
	return nil
}

// noToken is what AWS says of tokens that it does not know, or not any more.
func noToken(token string) error {
	if len(token) < minToken {
		return &stack.Error{Code: "InvalidToken", Message: "Invalid Token: 'Invalid token'"}
	}
	return &stack.Error{Code: "TaskTimedOut", Message: "Task Timed Out: 'Provided task does not exist anymore'"}
}

// minToken is how long ours are, at least.
const minToken = 64
