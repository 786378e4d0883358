package lambda

import (
	"math"
	"strconv"
	"time"
)

// What Lambda itself writes into a function's log around each invocation: not the
// function's words, so that the terminal does not have them, and who reads the
// log finds them where they are on AWS.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html

// keep writes a line of Lambda's own to the worker's log stream.
func (w *worker) keep(line string) { w.service.options.Keep(w.fn.Logs(), w.logStream, line) }

// startLine stands before what an invocation prints.
func startLine(id string) string { return "START RequestId: " + id + " Version: $LATEST\n" }

// finished writes the two lines that stand behind what an invocation printed:
// that it is over, and what it took. status is "" when the function answered, be
// it with an error of its own.
func (w *worker) finished(inv *invocation, status string) {
	w.service.mu.Lock()
	defer w.service.mu.Unlock()
	w.report(inv, status)
}

// report does what finished does. The caller holds the lock.
func (w *worker) report(inv *invocation, status string) {
	used := int(max(0, w.memory) >> 20)
	if w.fn.MemoryMB > 0 {
		used = min(used, w.fn.MemoryMB) // as on AWS
	}
	w.keep("END RequestId: " + inv.id + "\n")
	w.keep(reportLine(inv.id, time.Since(inv.delivered), inv.init, w.fn.MemoryMB, used, status))
}

// reportLine is Lambda's REPORT. The time that the worker took to start is billed
// as well, by the millisecond.
// https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
func reportLine(id string, took, init time.Duration, size, used int, status string) string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	line := make([]byte, 0, 256) // by hand: each invocation has one
	line = append(append(line, "REPORT RequestId: "...), id...)
	line = strconv.AppendFloat(append(line, "\tDuration: "...), ms(took), 'f', 2, 64)
	line = strconv.AppendInt(append(line, " ms\tBilled Duration: "...), int64(math.Ceil(ms(took+init))), 10)
	line = strconv.AppendInt(append(line, " ms\tMemory Size: "...), int64(size), 10)
	line = strconv.AppendInt(append(line, " MB\tMax Memory Used: "...), int64(used), 10)
	line = append(line, " MB\t"...)
	if init > 0 {
		line = append(strconv.AppendFloat(append(line, "Init Duration: "...), ms(init), 'f', 2, 64), " ms\t"...)
	}
	if status != "" {
		line = append(append(line, "Status: "...), status...)
	}
	return string(append(line, '\n'))
}
