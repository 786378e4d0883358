package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/states/asl"
)

// position is where a branch of an execution is: at the beginning of a state, or
// waiting in one.
type position struct {
	State   string
	Input   json.RawMessage
	Vars    json.RawMessage `json:",omitempty"`
	Prev    int64           // the event before
	Before  int64           `json:",omitempty"` // the one before the state began
	Entered int64           // the event of the state's beginning; 0 = it has not begun
	At      time.Time       // of that
	Tries   []int           `json:",omitempty"` // how often each retrier had it tried again
	Until   time.Time       // how long it waits
	Token   string          `json:",omitempty"` // of a task that waits for it
	Sent    bool            `json:",omitempty"` // the task's request was answered
	Taken   bool            `json:",omitempty"` // a worker has taken the task
	Child   string          `json:",omitempty"` // ARN of the execution that it waits for
	Run     string          `json:",omitempty"` // ARN of the map run that it waits for
	Answer  *answer         `json:",omitempty"` // that came with the token
	Done    bool            `json:",omitempty"` // the branch has come to its end
	Output  json.RawMessage `json:",omitempty"` // of the branch
	Failure *asl.Failure    `json:",omitempty"` // of the branch, where failures are tolerated
	Last    *position       `json:",omitempty"` // where a branch was that has failed
}

// kept says that the execution outlives the process. The histories of EXPRESS ones
// do not on AWS either.
func (x *execution) kept() bool { return x.s.log != nil && !x.Machine.Express }

// key begins the keys of what is kept of an execution. ARNs of items of map runs have
// a slash, and no name has a bar.
func (x *execution) key() string { return "x/" + strings.ReplaceAll(x.ARN, "/", "|") + "/" }

func (x *execution) keep() error {
	if !x.kept() {
		return nil
	}
	return x.s.log.Put(x.key(), x.now())
}

// save keeps where a branch is.
func (x *execution) save(path string, p position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.positions[path]; old != nil && old.Token == p.Token && old.Answer != nil {
		p.Answer = old.Answer // that came meanwhile
	}
	x.positions[path] = &p
	if x.kept() {
		if err := x.s.log.Put(x.key()+"p/"+path, p); err != nil {
			x.s.options.Tell.Notice("%s: %v", x.Machine.called(), err)
		}
	}
}

func (x *execution) position(path string) (position, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.positions[path]; p != nil {
		return *p, true
	}
	return position{}, false
}

// dropPositions forgets where branches below a path are; "" = all of them.
func (x *execution) dropPositions(below string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for path := range x.positions {
		if below != "" && !strings.HasPrefix(path, below+"/") {
			continue
		}
		delete(x.positions, path)
		if x.kept() {
			if err := x.s.log.Delete(x.key() + "p/" + path); err != nil {
				x.s.options.Tell.Notice("%s: %v", x.Machine.called(), err)
			}
		}
	}
}

// Restore takes the machines that clients made in an earlier run, and the executions.
// Those that had not ended go on with Resume.
func (s *Service) Restore(log *journal.Log) error {
	for key, value := range log.All() {
		if arn, ok := strings.CutPrefix(key, "machine/"); ok {
			var m machine
			if err := json.Unmarshal(value, &m); err != nil {
				return fmt.Errorf("state machine %s: %w", arn, err)
			}
			if _, err := s.put(context.Background(), m, false); err != nil {
				return fmt.Errorf("state machine %s: %w", arn, err)
			}
			continue
		}
		if arn, ok := strings.CutPrefix(key, "version/"); ok {
			var v version
			err := json.Unmarshal(value, &v)
			if err == nil {
				err = s.restoreVersion(&v)
			}
			if err != nil {
				return fmt.Errorf("version of a state machine %s: %w", arn, err)
			}
			continue
		}
		if arn, ok := strings.CutPrefix(key, "run/"); ok {
			var r mapRun
			if err := json.Unmarshal(value, &r); err != nil {
				return fmt.Errorf("map run %s: %w", arn, err)
			}
			s.mapRuns[arn] = &r
			continue
		}
		if arn, ok := strings.CutPrefix(key, "activity/"); ok {
			q := activityQueue{more: make(chan struct{})}
			if err := json.Unmarshal(value, &q); err != nil {
				return fmt.Errorf("activity %s: %w", arn, err)
			}
			s.activities[arn] = &q
			continue
		}
		if arn, ok := strings.CutPrefix(key, "alias/"); ok {
			var a alias
			if err := json.Unmarshal(value, &a); err != nil {
				return fmt.Errorf("alias of a state machine %s: %w", arn, err)
			}
			s.aliases[arn] = &a
			continue
		}
		if err := s.restoreExecution(key, value); err != nil {
			return fmt.Errorf("executions of state machines: %s: %w", key, err)
		}
	}
	slices.SortStableFunc(s.order, func(a, b *execution) int { return a.Started.Compare(b.Started) })
	for _, x := range s.order {
		if x.Status != running {
			s.counts(x, 1)
		}
	}
	s.log = log
	return nil
}

// restoreExecution takes one record: the execution itself comes before its events and
// positions.
func (s *Service) restoreExecution(key string, value json.RawMessage) error {
	arn, rest, _ := strings.Cut(strings.TrimPrefix(key, "x/"), "/")
	arn = strings.ReplaceAll(arn, "|", "/")
	x := s.executions[arn]
	if rest == "" {
		x = &execution{s: s, done: make(chan struct{}), positions: map[string]*position{}}
		if err := json.Unmarshal(value, &x.summary); err != nil {
			return err
		}
		var problems []asl.Problem
		if x.Machine.parsed, problems = asl.Parse([]byte(x.Machine.Definition), x.Machine.Express); len(problems) > 0 {
			return errors.New(problems[0].String())
		}
		if x.Status != running {
			close(x.done)
		}
		s.executions[arn] = x
		s.order = append(s.order, x)
		return nil
	}
	if x == nil {
		return nil // it was being forgotten
	}
	if path, ok := strings.CutPrefix(rest, "p/"); ok {
		var p position
		err := json.Unmarshal(value, &p)
		x.positions[path] = &p
		return err
	}
	x.events = append(x.events, value)
	x.size += int64(len(value))
	return nil
}

// Resume goes on with the executions of an earlier run.
func (s *Service) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.order {
		if x.Status != running {
			continue
		}
		for path, p := range x.positions {
			if p.Token != "" && p.Answer == nil {
				s.tokens[p.Token] = newWaiting(x, path)
			}
		}
		if x.MapRun == "" { // else its parent's line counts it
			going := 0
			for _, item := range s.itemsOf(x) {
				if item.Status == running {
					going++
				}
			}
			with := ""
			if going > 0 {
				with = fmt.Sprintf(", with %d of its map runs' items", going)
			}
			x.say("goes on where an earlier run of the local cloud ended%s", with)
		}
		x.run()
	}
}

// counts has an execution count among those that have ended, or with -1 no longer.
// Items of map runs count by their histories alone. The lock is held.
func (s *Service) counts(x *execution, n int) {
	s.ended += int64(n) * x.size
	if x.MapRun == "" {
		s.endedCount += n
	}
}

// bound counts an execution that has ended, and forgets those that ended first when
// there are too many: one that has lasted long is there for who waits for it. Items of map runs go with their parents: without them a map run
// that goes on, or is redriven, would run them again.
func (s *Service) bound(x *execution) {
	s.mu.Lock()
	s.counts(x, 1)
	count, size := s.endedCount, s.ended
	var ended, gone []*execution
	if count > maxEnded || size > maxEndedBytes {
		ended = s.endedFirst()
	}
	for _, x := range ended {
		if count <= maxEnded && size <= maxEndedBytes {
			break
		}
		for _, x := range append(s.itemsOf(x), x) {
			gone = append(gone, x)
			if size -= x.size; x.MapRun == "" {
				count--
			}
		}
	}
	first := len(gone) > 0 && !s.forgot
	s.forgot = s.forgot || len(gone) > 0
	s.mu.Unlock()
	if first {
		s.options.Tell.Notice("the oldest executions of state machines are forgotten: %d that have ended, or %d MB of their histories, are kept here", maxEnded, maxEndedBytes>>20)
	}
	for _, x := range gone {
		s.forget(x)
	}
}

// endedFirst are the executions that have ended, and are no items of one that is there,
// as they ended. The lock is held.
func (s *Service) endedFirst() (list []*execution) {
	at := map[*execution]time.Time{}
	for _, x := range s.order {
		if is := x.now(); is.Status != running && s.parent(x) == nil {
			list, at[x] = append(list, x), is.Ended
		}
	}
	slices.SortStableFunc(list, func(a, b *execution) int { return at[a].Compare(at[b]) })
	return list
}

// parent is the execution whose item of a map run this one is; nil = of none that is
// known. The lock is held.
func (s *Service) parent(x *execution) *execution {
	if r := s.mapRuns[x.MapRun]; r != nil {
		return s.executions[r.Execution]
	}
	return nil
}

// itemsOf are the executions of all items of an execution's map runs, and of theirs.
// The lock is held.
func (s *Service) itemsOf(parent *execution) (items []*execution) {
	runs := false
	for _, r := range s.mapRuns {
		runs = runs || r.Execution == parent.ARN
	}
	if !runs {
		return nil
	}
	for _, x := range s.order {
		if s.parent(x) == parent {
			items = append(append(items, s.itemsOf(x)...), x)
		}
	}
	return items
}

// forget drops an execution that has ended.
func (s *Service) forget(x *execution) {
	s.mu.Lock()
	if s.executions[x.ARN] != x {
		s.mu.Unlock()
		return
	}
	delete(s.executions, x.ARN)
	s.order = slices.DeleteFunc(s.order, func(other *execution) bool { return other == x })
	s.counts(x, -1)
	runs := s.dropMapRuns(x.ARN)
	s.mu.Unlock()
	for _, arn := range runs {
		if x.kept() && s.log.Delete("run/"+arn) != nil {
			return // the log says itself why it keeps nothing
		}
	}
	if !x.kept() {
		return
	}
	x.dropPositions("")
	for i := range x.events {
		if err := s.log.Delete(fmt.Sprintf("%se/%06d", x.key(), i+1)); err != nil {
			return // the log says itself why it keeps nothing
		}
	}
	s.log.Delete(x.key()) // as above
}
