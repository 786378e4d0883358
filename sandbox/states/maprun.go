package states

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
)

// mapRun is what a distributed map runs its items in: an execution of its own for
// each of them, or for each batch.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-examine-map-run.html
type mapRun struct {
	ARN, ID, Label     string
	Execution, Machine string // ARNs of the parent and of its machine
	Started, Ended     time.Time
	Status             string
	MaxConcurrency     int
	Tolerated          int
	Percentage         float64
	Items, Executions  counts
	Redrives           int
	Redriven           time.Time
}

// counts is how many there are of each status.
type counts struct{ Pending, Running, Succeeded, Failed, TimedOut, Aborted, Written, Total int }

func (c counts) shown() map[string]any {
	return map[string]any{
		"pending": c.Pending, "running": c.Running, "succeeded": c.Succeeded, "failed": c.Failed, "timedOut": c.TimedOut, "aborted": c.Aborted,
		"resultsWritten": c.Written, "total": c.Total, "failuresNotRedrivable": 0, "pendingRedrive": 0,
	}
}

// moved counts some from one status to another; "" = from or to none.
func (c *counts) moved(from, to string, n int) {
	of := map[string]*int{"PENDING": &c.Pending, running: &c.Running, succeeded: &c.Succeeded, failed: &c.Failed, timedOut: &c.TimedOut, aborted: &c.Aborted}
	if p := of[from]; p != nil {
		*p -= n
	}
	if p := of[to]; p != nil {
		*p += n
	}
}

// newMapRun begins one.
func (x *execution) newMapRun(s *asl.State, label string, most, count int, percentage float64) *mapRun {
	id := x.UUID()
	if label == "" {
		label = x.UUID() // as AWS makes one up
	}
	r := &mapRun{
		ID: id, Label: label, Execution: x.ARN, Machine: x.Machine.ARN, Started: x.s.options.Clock.Now(), Status: running,
		MaxConcurrency: most, Tolerated: count, Percentage: percentage,
	}
	r.ARN = x.s.arn(regionOf(x.ARN), "mapRun:"+x.Machine.Name+"/"+label+":"+id)
	x.s.mu.Lock()
	x.s.mapRuns[r.ARN] = r
	x.s.mu.Unlock()
	x.s.keepMapRun(x, r)
	return r
}

func (s *Service) keepMapRun(x *execution, r *mapRun) {
	if !x.kept() {
		return
	}
	s.mu.Lock()
	is := *r
	s.mu.Unlock()
	if err := s.log.Put("run/"+r.ARN, is); err != nil {
		s.options.Tell.Notice("%s: %v", x.Machine.called(), err)
	}
}

// move counts items, and the execution that they are in, from one status to another.
func (s *Service) move(r *mapRun, from, to string, items int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Items.moved(from, to, items)
	r.Executions.moved(from, to, 1)
}

// endMapRun writes down how one has ended.
func (x *execution) endMapRun(r *mapRun, status string) {
	x.s.mu.Lock()
	r.Status, r.Ended = status, x.s.options.Clock.Now()
	for _, c := range []*counts{&r.Items, &r.Executions} {
		c.Aborted += c.Pending + c.Running
		c.Pending, c.Running = 0, 0
		if c.Written = 0; status == succeeded {
			c.Written = c.Succeeded
		}
	}
	x.s.mu.Unlock()
	x.s.keepMapRun(x, r)
}

// dropMapRuns forgets those of an execution and gives their ARNs. The lock is held.
func (s *Service) dropMapRuns(execution string) (arns []string) {
	for arn, r := range s.mapRuns {
		if r.Execution == execution {
			arns = append(arns, arn)
			delete(s.mapRuns, arn)
		}
	}
	slices.Sort(arns)
	return arns
}

// itemOf is the execution of an item, or of a batch: the one that an earlier run of
// the local cloud has begun, or a new one.
func (x *execution) itemOf(r *mapRun, s *asl.State, i int, input any) (*execution, *asl.Failure) {
	text := asl.Encode(input)
	if len(text) > maxPayload {
		return nil, &asl.Failure{Name: asl.ErrTooLarge, Cause: fmt.Sprintf("The input of an item of the map '%s' exceeds the maximum number of bytes service limit.", s.Name)}
	}
	m := x.Machine
	m.ARN, m.Definition, m.Express, m.parsed = r.Machine+"/"+r.Label, s.Processor, s.Express, s.Branches[0]
	name := itemName(r.ID, i)
	item := &execution{s: x.s, done: make(chan struct{}), positions: map[string]*position{}}
	item.summary = summary{Name: name, Input: text, Machine: m, MapRun: r.ARN, Label: r.Label, Started: x.s.options.Clock.Now(), Status: running}
	kind := "execution:"
	if s.Express {
		kind = "express:"
	}
	item.ARN = x.s.arn(regionOf(x.ARN), kind+m.Name+"/"+r.Label+":"+name)
	if s.Express {
		item.ARN += ":" + name
	}
	x.s.mu.Lock()
	old := x.s.executions[item.ARN]
	x.s.mu.Unlock()
	if old != nil {
		// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
		is := old.now()
		x.s.mu.Lock()
		redriven := r.Redrives > 0 && !is.Ended.After(r.Redriven)
		x.s.mu.Unlock()
		// What has failed since the map run was begun or redriven has failed, whether or
		// not the local cloud has been started anew meanwhile.
		if is.Status == running || is.Status == succeeded || !redriven || !s.Express && old.redrive("") {
			return old, nil
		}
		x.s.forget(old) // EXPRESS ones are started again
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	if x.s.closed {
		return nil, cut
	}
	if err := item.keep(); err != nil {
		return nil, &asl.Failure{Name: asl.ErrRuntime, Cause: err.Error()}
	}
	x.s.executions[item.ARN] = item
	x.s.order = append(x.s.order, item)
	item.add(0, "ExecutionStarted", "executionStarted", map[string]any{"input": item.Input, "inputDetails": whole(), "roleArn": m.Role})
	item.run()
	return item, nil
}

// itemName is the name of the execution of an item: the same in each run of the
// local cloud.
func itemName(run string, i int) string { return fmt.Sprintf("%s%012x", run[:24], i) }

func (s *Service) ofMapRuns(operation string, in input) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if operation == "DescribeMapRun" {
		r := s.mapRuns[in.MapRunArn]
		if r == nil {
			return nil, &stack.Error{Code: "ResourceNotFound", Message: fmt.Sprintf("Resource not found: '%s'", in.MapRunArn)}
		}
		out := map[string]any{
			"mapRunArn": r.ARN, "executionArn": r.Execution, "status": r.Status, "startDate": seconds(r.Started), "maxConcurrency": r.MaxConcurrency,
			"toleratedFailureCount": r.Tolerated, "toleratedFailurePercentage": r.Percentage, "itemCounts": r.Items.shown(), "executionCounts": r.Executions.shown(), "redriveCount": r.Redrives,
		}
		if r.Redrives > 0 {
			out["redriveDate"] = seconds(r.Redriven)
		}
		if r.Status != running {
			out["stopDate"] = seconds(r.Ended)
		}
		return out, nil
	}
	if !strings.Contains(in.ExecutionArn, ":execution:") {
		return nil, &stack.Error{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: '%s'", in.ExecutionArn)}
	}
	if s.executions[in.ExecutionArn] == nil {
		return nil, &stack.Error{Code: "ExecutionDoesNotExist", Message: fmt.Sprintf("Execution Does Not Exist: '%s'", in.ExecutionArn)}
	}
	var runs []*mapRun
	for _, r := range s.mapRuns {
		if r.Execution == in.ExecutionArn {
			runs = append(runs, r)
		}
	}
	slices.SortFunc(runs, func(a, b *mapRun) int { // the last one first
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ARN, b.ARN)
	})
	list := []any{}
	for _, r := range runs {
		one := map[string]any{"mapRunArn": r.ARN, "executionArn": r.Execution, "stateMachineArn": r.Machine + "/" + r.Label, "startDate": seconds(r.Started)}
		if r.Status != running {
			one["stopDate"] = seconds(r.Ended)
		}
		list = append(list, one)
	}
	return paged("mapRuns", list, in)
}
