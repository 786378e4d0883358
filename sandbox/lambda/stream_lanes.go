package lambda

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"arc/sandbox/invoke"
)

// A mapping with a ParallelizationFactor has several batches of a shard under way at
// once, and the records of one item still in order: each item has its lane, and a lane
// has one batch at a time. What fails holds up its lane and no other.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html

// mostUndone is how many records are read ahead of the oldest that is not done. AWS
// tells none; a lane that is held up is not to fill the memory.
const mostUndone = 10_000

// lanes hands the records of a stream to followers, each with a part of the items.
type lanes struct {
	f *follower

	mu     sync.Mutex
	turn   *sync.Cond
	undone []undone          // oldest first
	queues [][]invoke.Record // those that no batch has yet, by lane
}

// undone is a record that was read, or the end of what a filter left out.
type undone struct {
	position string
	lane     int // -1 = no lane has it
	done     bool
}

// runLanes reads the stream until the mapping ends, and then waits for what is under way.
func (f *follower) runLanes() {
	l := &lanes{f: f, queues: make([][]invoke.Record, f.source.stream.parallel)}
	l.turn = sync.NewCond(&l.mu)
	context.AfterFunc(f.ctx, l.wake)
	var running sync.WaitGroup
	for i := range l.queues {
		one := *f
		one.lanes, one.lane = l, i
		running.Go(func() {
			for batch := l.take(i); batch != nil; batch = l.take(i) {
				if !one.handle(batch) {
					return
				}
			}
		})
	}
	position, said := f.at, ""
	for f.ctx.Err() == nil && l.room() {
		records, next, err := f.streams.Read(f.ctx, f.source.Source, position, len(l.queues)*f.size(), pollWait)
		if err == nil {
			said = ""
			l.put(records, next)
			position = next
		} else if f.ctx.Err() == nil && !f.unreadable(err, &said) {
			break
		}
	}
	running.Wait()
}

// wake has all that wait look again.
func (l *lanes) wake() {
	l.mu.Lock() // nobody is between looking and waiting
	defer l.mu.Unlock()
	l.turn.Broadcast()
}

// room waits until more may be read; false = the mapping ends.
func (l *lanes) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.undone) >= mostUndone && l.f.ctx.Err() == nil {
		l.turn.Wait()
	}
	return l.f.ctx.Err() == nil
}

// put gives records to their lanes; next is the position behind them.
func (l *lanes) put(records []invoke.Record, next string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		if !l.f.source.filter.matches(r.JSON) {
			l.undone = append(l.undone, undone{r.Position, -1, true})
			continue
		}
		lane := laneOf(r, len(l.queues))
		l.undone = append(l.undone, undone{r.Position, lane, false})
		l.queues[lane] = append(l.queues[lane], r)
	}
	l.undone = append(l.undone, undone{next, -1, true})
	l.advance()
	l.turn.Broadcast()
}

// laneOf is the lane of the item that a record is of.
func laneOf(r invoke.Record, of int) int {
	var record struct {
		DynamoDB struct{ Keys map[string]json.RawMessage } `json:"dynamodb"`
	}
	hash := fnv.New32a()
	if json.Unmarshal(r.JSON, &record) == nil {
		keys, err := json.Marshal(record.DynamoDB.Keys) // sorted by name
		if err == nil {
			hash.Write(keys)
		}
	}
	return int(hash.Sum32() % uint32(of))
}

// take gives a lane its next batch: what is there, or, with a window, what comes
// within it until the batch is full. nil = the mapping ends.
func (l *lanes) take(lane int) []invoke.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queues[lane]) == 0 && l.f.ctx.Err() == nil {
		l.turn.Wait()
	}
	window := time.Duration(l.f.source.BatchingWindow) * time.Second
	if window > 0 && l.f.ctx.Err() == nil && len(l.queues[lane]) < l.f.size() {
		over := false
		timer := l.f.clock.After(window)
		go func() {
			select {
			case <-timer:
			case <-l.f.ctx.Done():
			}
			l.mu.Lock()
			over = true
			l.mu.Unlock()
			l.turn.Broadcast()
		}()
		for !over && len(l.queues[lane]) < l.f.size() {
			l.turn.Wait()
		}
	}
	if l.f.ctx.Err() != nil {
		return nil
	}
	n, bytes := 0, 0
	for _, r := range l.queues[lane] {
		if n == l.f.size() || n > 0 && bytes+len(r.JSON) > batchBytes {
			break
		}
		n, bytes = n+1, bytes+len(r.JSON)+1
	}
	batch := slices.Clone(l.queues[lane][:n])
	l.queues[lane] = slices.Delete(l.queues[lane], 0, n)
	return batch
}

// done says that a lane's records are done, up to a position.
func (l *lanes) done(lane int, position string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.IndexFunc(l.undone, func(u undone) bool { return u.lane == lane && u.position == position })
	for i := range at + 1 {
		if l.undone[i].lane == lane {
			l.undone[i].done = true
		}
	}
	l.advance()
	l.turn.Broadcast()
}

// advance keeps the position behind all that is done. The caller holds the lock.
func (l *lanes) advance() {
	n := 0
	for n < len(l.undone) && l.undone[n].done {
		n++
	}
	if n == 0 {
		return
	}
	position := l.undone[n-1].position
	l.undone = slices.Delete(l.undone, 0, n)
	if position != l.f.at {
		l.f.keep(position)
	}
}
