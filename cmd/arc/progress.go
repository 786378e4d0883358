package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/cfn/registry"
	"arc/deploy"
	"arc/deploy/why"
)

const (
	slowResource = 3 * time.Second // from when on it is said how long one took
	statusPace   = time.Second     // between two status lines on a terminal
	plainPace    = time.Minute     // the same where there is no terminal
)

// view shows the steps of a deploy as one list on stderr: what is done, a line a
// resource. Below it, on a terminal, stands how long it has been, how long the
// last deploy took, and what is at work; without a terminal that is a line a
// minute. With --json each step is an event on stdout.
type view struct {
	s         *session
	mu        sync.Mutex
	began     time.Time
	expected  time.Duration   // 0 = not known
	todo      map[string]bool // what a change set is about; empty = there is none, as in a deletion
	done      map[string]bool
	working   []string
	phase     string
	explained bool
	stop      chan struct{}
	ended     chan struct{}
}

// follow begins to show steps. Whoever calls it closes the view before anything
// else is printed.
func (s *session) follow() *view {
	v := &view{s: s, began: time.Now(), todo: map[string]bool{}, done: map[string]bool{}, stop: make(chan struct{}), ended: make(chan struct{})}
	go v.tick()
	return v
}

func (v *view) close() {
	close(v.stop)
	<-v.ended
	v.s.live.set(v.s.stderr, "")
}

func (v *view) tick() {
	defer close(v.ended)
	pace := plainPace
	if v.s.live != nil {
		pace = statusPace
	}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-ticker.C:
			v.mu.Lock()
			v.show()
			v.mu.Unlock()
		}
	}
}

// show prints where things are. The caller holds the lock.
func (v *view) show() {
	switch {
	case v.s.muted || v.s.events != nil:
	case v.s.live != nil:
		v.s.live.set(v.s.stderr, "  "+v.status())
	default:
		v.s.note("  %s", v.status())
	}
}

// status is "0:42 of about 1:30, 5 of 12 done, at work: HTTP, GetIndexHTTPLambda".
func (v *view) status() string {
	gone := time.Since(v.began)
	text := clock(gone)
	switch {
	case v.expected > 0 && gone <= v.expected:
		text += " of about " + clock(v.expected)
	case v.expected > 0:
		text += ", longer than the " + clock(v.expected) + " of last time"
	}
	switch done := len(v.done); {
	case len(v.todo) > 0:
		text += fmt.Sprintf(", %d of %d done", done, len(v.todo))
	case done > 0:
		text += fmt.Sprintf(", %d done", done)
	}
	if v.phase != "" {
		text += ", " + v.phase
	}
	if len(v.working) > 0 {
		text += ", at work: " + strings.Join(v.working, ", ")
	}
	return text
}

// step takes what a deployer tells.
func (v *view) step(step deploy.Step) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.s.events != nil {
		v.s.emitStep(step)
		return
	}
	switch step.Kind {
	case "event":
		v.event(step)
	case "change-set":
		v.todo[step.LogicalID] = true
		// What is added or changed has a line of its own once it is; what goes or is
		// made anew is worth a word before.
		if step.Status != "Add" && step.Status != "Modify" {
			v.s.note("  %s", step.Message)
		}
	case "expected":
		if step.Took < slowResource {
			return
		}
		v.expected = step.Took
		if v.s.live == nil {
			v.s.note("  CloudFormation is at work; the last deploy took %s", span(step.Took))
		}
	default:
		v.s.note("  %s", step.Message)
	}
	if v.s.live != nil && time.Since(v.began) >= statusPace { // what is quick has no time to be read
		v.show()
	}
}

// event takes what CloudFormation tells of a resource. The ends are printed and the
// beginnings left out.
func (v *view) event(step deploy.Step) {
	v.working = slices.DeleteFunc(v.working, func(id string) bool { return id == step.LogicalID })
	rollback, began := strings.Contains(step.Status, "ROLLBACK"), strings.HasSuffix(step.Status, "_IN_PROGRESS")
	if rollback {
		v.phase = "going back to what was before"
	}
	switch own := step.Type == registry.CloudFormationStack && !v.todo[step.LogicalID]; {
	case own: // the stack itself
	case began:
		v.working = append(v.working, step.LogicalID)
	case !strings.HasSuffix(step.Status, "_FAILED") && (len(v.todo) == 0 || v.todo[step.LogicalID]):
		v.done[step.LogicalID] = true
	}
	if began && !rollback {
		return
	}
	v.s.note("  %s", v.s.eventLine(step))
	v.explain(step)
}

// explain says at once, in plain words, what the first failure means: the stack
// may take long to turn back.
func (v *view) explain(step deploy.Step) {
	if v.explained || !strings.HasSuffix(step.Status, "_FAILED") || strings.Contains(step.Reason, "cancelled") || step.Reason == "" {
		return
	}
	if code, says, _ := why.Recognise(step.Type, step.Status, step.Reason); code != "" {
		v.explained = true
		v.s.note("    %s", says)
	}
}

// recordedOnly begins the reason that the local cloud gives for resources which
// it keeps but does not run.
const recordedOnly = "recorded only"

// eventLine is one line: what happened to which resource, why if it is said, and
// how long it took if that was long.
func (s *session) eventLine(step deploy.Step) string {
	line := fmt.Sprintf("%-8s %s", eventWord(step.Status), step.LogicalID)
	color := ""
	if note, only := strings.CutPrefix(step.Reason, recordedOnly); only {
		line += " (" + recordedOnly + note + ")"
	}
	if step.Took >= slowResource {
		line += "  " + span(step.Took)
	}
	if strings.Contains(step.Status, "FAILED") || strings.Contains(step.Status, "ROLLBACK") {
		color = red
		if step.Reason != "" {
			line += ": " + step.Reason
		}
	}
	if color == "" {
		return line
	}
	return s.paint(color, line)
}

// eventWord is CloudFormation's status as one says it; one that is not known as
// it is.
func eventWord(status string) string {
	switch {
	case strings.HasSuffix(status, "_FAILED"):
		return "failed"
	case status == "DELETE_SKIPPED":
		return "kept"
	case strings.Contains(status, "ROLLBACK_IN_PROGRESS"):
		return "undoing"
	case strings.Contains(status, "ROLLBACK_COMPLETE"):
		return "undone"
	}
	switch status {
	case "CREATE_COMPLETE":
		return "created"
	case "UPDATE_COMPLETE":
		return "changed"
	case "DELETE_COMPLETE":
		return "deleted"
	case "IMPORT_COMPLETE":
		return "imported"
	}
	return status
}

// clock is a span of time as a clock shows it: 0:07, 1:05, 1:02:03.
func clock(d time.Duration) string {
	n := int(d.Seconds())
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

// span is a span of time in words: 4 s, 1 min 5 s.
func span(d time.Duration) string {
	n := int(d.Round(time.Second).Seconds())
	if n < 60 {
		return fmt.Sprintf("%d s", n)
	}
	return fmt.Sprintf("%d min %d s", n/60, n%60)
}
