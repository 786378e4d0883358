// Package logs is CloudWatch Logs on this machine: log groups made by stacks or
// by functions at their first line, and the last lines of each, to be read
// through the API.
package logs

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// What a group keeps; older lines go. The bytes bound the memory that a chatty
// function takes, whatever its lines are like; those of all groups together are
// bounded as well.
const (
	keep      = 10_000  // lines of a group
	keepBytes = 2 << 20 // of a group, as they are kept, beside one line at least
	keepAll   = 8 << 20
	lineBytes = 96 // what an open line takes beside its text
)

// Store keeps the log groups of one account in one region, in memory.
type Store struct {
	account, region string

	mu     sync.RWMutex
	groups map[string]*group
	bytes  int // of all lines
	tails  map[*tail]bool
	sealer sealer

	queries []result // of Logs Insights, newest last
}

type group struct {
	created   time.Time
	retention int  // days; 0 = for ever. Shown, not kept: lines go by number.
	byLine    bool // a line made it, not a stack or a client
	streams   map[string]*stream
	sealed    []block // oldest first
	lines     []line  // those after them
	bytes     int     // that both take
	open      int     // of them, that lines take
	last      time.Time
	next      int // number of the next line
}

type stream struct {
	created, first, last time.Time
}

type line struct {
	number  int
	stream  string
	at      time.Time
	message string
}

func (l line) bytes() int { return len(l.message) + lineBytes }

// New makes an empty store.
func New(account, region string) *Store {
	return &Store{account: account, region: region, groups: map[string]*group{}, tails: map[*tail]bool{}}
}

// Append adds a line to a stream of a group. Both are made when they are new.
func (s *Store) Append(groupName, streamName, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[groupName]
	if g == nil {
		g = newGroup(0)
		g.byLine = true
		s.groups[groupName] = g
	}
	s.append(g, streamName, time.Now().UTC(), message)
}

func newGroup(retention int) *group {
	return &group{created: time.Now().UTC(), retention: retention, streams: map[string]*stream{}}
}

// append adds a line, and lets older ones go. The caller holds the lock.
func (s *Store) append(g *group, name string, at time.Time, message string) {
	st := g.streams[name]
	if st == nil {
		st = &stream{created: time.Now().UTC()}
		g.streams[name] = st
	}
	if st.first.IsZero() {
		st.first = at
	}
	st.last = at
	added := line{g.next, name, at, message}
	g.next++
	g.last = at
	for t := range s.tails {
		t.add(g, added)
	}
	s.put(g, added)
	for s.bytes > keepAll {
		quiet := s.quietest()
		if quiet == nil {
			break // every group has one line only
		}
		s.trim(quiet, keep, 0)
	}
}

// put adds a line behind a group's others.
func (s *Store) put(g *group, l line) {
	g.lines = append(g.lines, l)
	g.open += l.bytes()
	s.count(g, l.bytes())
	if len(g.lines) > 1 && g.open > sealBytes {
		s.seal(g)
		s.trim(g, keep, keepBytes)
	}
}

// seal packs all open lines of a group but the last.
func (s *Store) seal(g *group) {
	last := len(g.lines) - 1
	packed := s.sealer.seal(g.lines[:last])
	g.sealed = append(g.sealed, packed)
	s.count(g, packed.bytes())
	s.leaveLast(g)
}

// leaveLast lets all open lines go but the last.
func (s *Store) leaveLast(g *group) {
	last := g.lines[len(g.lines)-1]
	s.count(g, last.bytes()-g.open)
	g.lines, g.open = []line{last}, last.bytes()
}

// count adds to what a group takes, and to what all take.
func (s *Store) count(g *group, bytes int) {
	g.bytes += bytes
	s.bytes += bytes
}

// trim lets a group's oldest lines go until it has no more than so many, of so
// many bytes; its last line stays. Streams without a line that have long ended go
// with them.
func (s *Store) trim(g *group, lines, bytes int) {
	size := g.size()
	drop := 0
	for ; drop < len(g.sealed) && (size > lines || g.bytes > bytes); drop++ {
		size -= g.sealed[drop].lines
		s.count(g, -g.sealed[drop].bytes())
	}
	g.sealed = append([]block(nil), g.sealed[drop:]...)
	if len(g.lines) > 1 && g.bytes > bytes {
		s.leaveLast(g)
	}
	live := map[string]bool{}
	for _, b := range g.sealed {
		for name := range b.owned {
			live[name] = true
		}
	}
	for _, l := range g.lines {
		live[l.stream] = true
	}
	for name, st := range g.streams {
		if !live[name] && !st.last.IsZero() {
			delete(g.streams, name)
		}
	}
}

// forget removes a group. The caller holds the lock.
func (s *Store) forget(name string) {
	if g := s.groups[name]; g != nil {
		s.bytes -= g.bytes
		delete(s.groups, name)
	}
}

// quietest is the group with more than one line that has had none for longest;
// nil when there is none.
func (s *Store) quietest() *group {
	var found *group
	for _, g := range s.groups {
		if len(g.sealed)+len(g.lines) > 1 && (found == nil || g.last.Before(found.last)) {
			found = g
		}
	}
	return found
}

func (s *Store) arn(region, name string) string {
	return stack.ARN(region, "logs", region, s.account, "log-group:"+name)
}

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "logs", Variable: "CLOUDWATCH_LOGS", Targets: []string{"Logs_20140328"}, Handler: s.handler()}
}

// Restore has nothing to do: lines end with the process, and groups come back
// with their stacks.
func (s *Store) Restore(*journal.Log) error { return nil }

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Tail is what a group has of a request, a line each, at most its last limit
// bytes; "" when there is no such group.
func (s *Store) Tail(groupName, requestID string, limit int) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g := s.groups[groupName]
	if g == nil {
		return ""
	}
	var text strings.Builder
	for l := range g.all() {
		if strings.Contains(l.message, requestID) {
			text.WriteString(strings.TrimSuffix(l.message, "\n") + "\n")
		}
	}
	return text.String()[max(0, text.Len()-limit):]
}

// Registrations are the resource types that the store provides.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
func (s *Store) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::Logs::LogGroup": {Provider: stack.Steps{OnCreate: s.create, OnUpdate: s.update, OnDelete: s.remove}},
	}
}

// properties are those of a log group that make a difference here.
type properties struct {
	LogGroupName    string
	RetentionInDays int
}

func read(req stack.Request) (p properties, err error) {
	return p, stack.Read(req.Properties, &p, "BearerTokenAuthenticationEnabled", "DataProtectionPolicy", "DeletionProtectionEnabled",
		"FieldIndexPolicies", "KmsKeyId", "LogGroupClass", "ResourcePolicyDocument", "Tags")
}

func (s *Store) create(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := read(req)
	if err != nil {
		return stack.Resource{}, err
	}
	name := p.LogGroupName
	if name == "" {
		name = req.Name(512)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A function that was still at work when its stack was deleted may have left
	// a group behind; on AWS too, but there it is rare.
	if g := s.groups[name]; g != nil && !g.byLine {
		return stack.Resource{}, fmt.Errorf("Resource of type 'AWS::Logs::LogGroup' with identifier '%s' already exists.", name) //nolint:staticcheck // CloudFormation's words
	}
	s.forget(name)
	s.groups[name] = newGroup(p.RetentionInDays)
	return s.resource(ctx, name), nil
}

func (s *Store) update(ctx context.Context, req stack.Request) (stack.Resource, error) {
	p, err := read(req)
	if err != nil {
		return stack.Resource{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[req.PhysicalID]
	if g == nil {
		return stack.Resource{}, fmt.Errorf("the log group %s does not exist any more", req.PhysicalID)
	}
	g.retention = p.RetentionInDays
	return s.resource(ctx, req.PhysicalID), nil
}

func (s *Store) remove(_ context.Context, req stack.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(req.PhysicalID)
	return nil
}

func (s *Store) resource(ctx context.Context, name string) stack.Resource {
	return stack.Resource{PhysicalID: name, Attributes: map[string]any{"Arn": s.arn(stack.RegionIn(ctx, s.region), name) + ":*"}}
}
