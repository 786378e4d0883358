package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
)

// cloud is CloudWatch Logs as its documentation tells of it: a search finds an
// event some time after it came, a live stream brings each second what came, at
// most 500, and ends when it likes.
type cloud struct {
	mu       sync.Mutex
	events   []arrived
	sessions []*stream
	refuse   error // of live streams
	searches int
	found    map[int][]Event // by search, for its pages
}

type arrived struct {
	Event
	came time.Time
}

const (
	indexed   = 2 * time.Second // until a search finds an event
	perSecond = 500
	pageSize  = 100
)

func (c *cloud) put(group, text string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := arrived{Event{Group: group, Stream: "s", At: at.UnixMilli(), Message: text, ID: strconv.Itoa(len(c.events))}, time.Now()}
	c.events = append(c.events, e)
	for _, s := range c.sessions {
		if slices.Contains(s.groups, group) && !s.ended {
			live := e.Event
			live.ID = ""
			s.waiting = append(s.waiting, live)
		}
	}
}

// Filter finds events; pages overlap by one, as they may.
func (c *cloud) Filter(_ context.Context, group string, from, to int64, _, token string) ([]Event, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.searches++
	if token != "" { // the same search goes on
		return c.page(token)
	}
	var all []Event
	for _, e := range c.events {
		if e.Group == group && e.At >= from && e.At <= to && time.Since(e.came) >= indexed {
			all = append(all, e.Event)
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return int(a.At - b.At) })
	if c.found == nil {
		c.found = map[int][]Event{}
	}
	c.found[c.searches] = all
	return c.page(fmt.Sprint(c.searches, " 0"))
}

func (c *cloud) page(token string) ([]Event, string, error) {
	var search, first int
	fmt.Sscan(token, &search, &first)
	all := c.found[search]
	end := min(first+pageSize, len(all))
	if end == len(all) {
		delete(c.found, search)
		return all[first:], "", nil
	}
	return all[first:end], fmt.Sprint(search, " ", end-1), nil
}

type stream struct {
	c       *cloud
	groups  []string
	waiting []Event
	ended   bool
	random  *rand.Rand
}

// Live starts a stream.
func (c *cloud) Live(_ context.Context, arns []string, _ string) (Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		return nil, c.refuse
	}
	if len(arns) > MaxLive {
		return nil, errors.New("too many groups")
	}
	s := &stream{c: c, groups: arns, random: rand.New(rand.NewPCG(1, 2))}
	c.sessions = append(c.sessions, s)
	return s, nil
}

func (s *stream) Next() (Update, error) {
	time.Sleep(time.Second)
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.ended {
		return Update{}, io.ErrUnexpectedEOF
	}
	u := Update{Events: s.waiting}
	s.waiting = nil
	if len(u.Events) > perSecond {
		s.random.Shuffle(len(u.Events), func(i, j int) { u.Events[i], u.Events[j] = u.Events[j], u.Events[i] })
		u.Events, u.Sampled = u.Events[:perSecond], true
	}
	return u, nil
}

func (s *stream) Close() error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.ended = true
	return nil
}

// cut ends all streams, as after three hours or when a connection breaks.
func (c *cloud) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		s.ended, s.waiting = true, nil
	}
}

// followed follows a cloud while do does things to it, and gives what was told
// a minute later.
func followed(t *testing.T, c *cloud, groups []string, since time.Duration, do func()) (told []Event, notes []string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &Follower{API: c, Groups: groups, ARNs: groups,
		Tell: func(events []Event) error { told = append(told, events...); return nil },
		Note: func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) },
	}
	done := make(chan error)
	go func() { done <- f.Follow(ctx, time.Now().Add(-since)) }()
	do()
	time.Sleep(time.Minute)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return told, notes
}

// each checks that every event of the cloud was told, and told once.
func each(t *testing.T, c *cloud, told []Event, notBefore time.Time) {
	t.Helper()
	count := map[key]int{}
	for _, e := range c.events {
		if e.At >= notBefore.UnixMilli() {
			count[key{e.Group, e.Stream, e.At, e.Message}]++
		}
	}
	for _, e := range told {
		count[key{e.Group, e.Stream, e.At, e.Message}]--
	}
	wrong := 0
	for k, n := range count {
		if n != 0 {
			if wrong++; wrong < 5 {
				t.Errorf("%+v: %+d", k, n)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d events are lost or told twice, of %d", wrong, len(c.events))
	}
}

func TestFollow(t *testing.T) {
	two := []string{"a", "b"}
	for name, do := range map[string]func(c *cloud){
		"a calm app": func(c *cloud) {
			for i := range 100 {
				c.put(two[i%2], fmt.Sprint("line ", i), time.Now())
				time.Sleep(300 * time.Millisecond)
			}
		},
		"lines that are the same": func(c *cloud) {
			for range 50 {
				at := time.Now()
				for range 3 {
					c.put("a", "tick", at)
				}
				time.Sleep(time.Second)
			}
		},
		"more than a stream takes": func(c *cloud) {
			for i := range 20 {
				for j := range 900 {
					c.put("a", fmt.Sprint("line ", i, " ", j%300), time.Now())
				}
				time.Sleep(time.Second)
			}
		},
		"lines that are late": func(c *cloud) {
			for i := range 60 {
				c.put("a", fmt.Sprint("line ", i), time.Now().Add(-time.Duration(i)*time.Second))
				if i%20 == 10 {
					c.cut()
				}
				time.Sleep(700 * time.Millisecond)
			}
		},
		"streams that end": func(c *cloud) {
			random := rand.New(rand.NewPCG(3, 4))
			for i := range 300 {
				c.put(two[random.IntN(2)], fmt.Sprint("line ", i), time.Now().Add(-time.Duration(random.IntN(5000))*time.Millisecond))
				if random.IntN(20) == 0 {
					c.cut()
				}
				time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
			}
		},
		"streams that are refused for a while": func(c *cloud) {
			for i := range 100 {
				if i == 20 {
					c.mu.Lock()
					c.refuse = &smithy.GenericAPIError{Code: "ThrottlingException"}
					c.mu.Unlock()
					c.cut()
				}
				if i == 70 {
					c.mu.Lock()
					c.refuse = nil
					c.mu.Unlock()
				}
				c.put("b", fmt.Sprint("line ", i), time.Now())
				time.Sleep(500 * time.Millisecond)
			}
		},
		"three hours": func(c *cloud) {
			for i := range 3 * 60 {
				c.put("a", fmt.Sprint("line ", i), time.Now())
				if i == 100 {
					c.cut()
				}
				time.Sleep(time.Minute)
			}
		},
	} {
		for _, mode := range []string{"live", "searched"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &cloud{}
					if mode == "searched" {
						c.refuse = &smithy.GenericAPIError{Code: "AccessDeniedException"}
					}
					for i := range 250 { // before it began
						c.put("a", fmt.Sprint("early ", i), time.Now().Add(-time.Duration(i)*time.Second))
					}
					time.Sleep(10 * time.Second)
					start := time.Now()
					if mode == "searched" && name == "streams that are refused for a while" {
						return
					}
					told, notes := followed(t, c, two, time.Minute, func() { do(c) })
					each(t, c, told, start.Add(-time.Minute))
					if (len(notes) == 1) != (mode == "searched") {
						t.Errorf("notes %q", notes)
					}
				})
			})
		}
	}
}

// TestFollowIsLive tells an event within two seconds.
func TestFollowIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		told := time.Duration(-1)
		ctx, cancel := context.WithCancel(t.Context())
		put := time.Time{}
		f := &Follower{API: c, Groups: []string{"a"}, ARNs: []string{"a"}, Note: t.Logf, Tell: func([]Event) error { told = time.Since(put); return nil }}
		done := make(chan error)
		go func() { done <- f.Follow(ctx, time.Now()) }()
		defer func() { cancel(); <-done }()
		time.Sleep(100 * time.Second)
		put = time.Now()
		c.put("a", "hello", put)
		time.Sleep(30 * time.Second)
		if told < 0 || told > 2*time.Second {
			t.Errorf("told after %s", told)
		}
		// Where nothing is missing nothing is searched.
		before := c.searches
		time.Sleep(time.Hour)
		if c.searches != before {
			t.Errorf("%d searches in a quiet hour", c.searches-before)
		}
		if n := len(c.sessions); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestManyGroups share sessions of ten.
func TestManyGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		var groups []string
		for i := range 23 {
			groups = append(groups, fmt.Sprint("g", i))
		}
		told, _ := followed(t, c, groups, 0, func() {
			for i := range 230 {
				c.put(groups[i%23], fmt.Sprint(i), time.Now())
				time.Sleep(50 * time.Millisecond)
			}
		})
		each(t, c, told, time.Time{})
		if len(c.sessions) != 3 {
			t.Errorf("%d sessions", len(c.sessions))
		}
	})
}

// TestFollowEnds with an error that no other try mends, and when nobody listens.
func TestFollowEnds(t *testing.T) {
	for name, want := range map[string]error{
		"expired":  &smithy.GenericAPIError{Code: "ExpiredTokenException", Fault: smithy.FaultClient},
		"a closed": io.ErrClosedPipe,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cloud{}
				f := &Follower{API: c, Groups: []string{"a"}, ARNs: []string{"a"}, Note: t.Logf, Tell: func([]Event) error { return want }}
				if name == "expired" {
					c.refuse = want
				}
				c.put("a", "x", time.Now())
				time.Sleep(time.Minute)
				if err := f.Follow(t.Context(), time.Now().Add(-time.Hour)); !errors.Is(err, want) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestRead merges groups by time, through pages.
func TestRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		random := rand.New(rand.NewPCG(5, 6))
		for i := range 500 {
			c.put([]string{"a", "b", "c"}[random.IntN(3)], fmt.Sprint(i), time.Now().Add(-time.Duration(random.IntN(60_000))*time.Millisecond))
		}
		time.Sleep(time.Minute)
		seen, last := map[string]bool{}, int64(0)
		for e, err := range Read(t.Context(), c, []string{"a", "b", "c"}, 0, time.Now().UnixMilli(), "") {
			if err != nil || e.At < last {
				t.Fatalf("%+v %v", e, err)
			}
			last, seen[e.ID] = e.At, true
		}
		if len(seen) != 500 {
			t.Errorf("%d events", len(seen))
		}
	})
}

// TestFloodEnds: a flood goes on while something comes, and is over, for good, when
// nothing came after the last question, or when it is as long as one may be.
func TestFloodEnds(t *testing.T) {
	begin := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	f := &flood{from: begin, to: begin.Add(time.Second)}
	if to, over := f.end(begin); over || !to.Equal(begin.Add(time.Second)) || !f.goesOn(begin.Add(2*time.Second)) {
		t.Errorf("it ends at %s, over %t, while more comes", to, over)
	}
	if _, over := f.end(begin.Add(2 * time.Second)); !over || f.goesOn(begin.Add(3*time.Second)) {
		t.Error("nothing came, and it goes on")
	}
	long := &flood{from: begin, to: begin.Add(longestFlood)}
	if _, over := long.end(begin); !over || long.goesOn(begin.Add(2*longestFlood)) {
		t.Error("it is longer than one may be")
	}
	if (*flood)(nil).goesOn(begin) {
		t.Error("none goes on")
	}
}

// TestGroupName: what a live stream calls a group.
func TestGroupName(t *testing.T) {
	for identifier, want := range map[string]string{
		"/aws/lambda/f":              "/aws/lambda/f",
		"111122223333:/aws/lambda/f": "/aws/lambda/f",
		"arn:aws:logs:us-west-2:111122223333:log-group:/aws/lambda/f":   "/aws/lambda/f",
		"arn:aws:logs:us-west-2:111122223333:log-group:/aws/lambda/f:*": "/aws/lambda/f",
	} {
		if got := groupName(identifier); got != want {
			t.Errorf("%s: %s", identifier, got)
		}
	}
}

// TestNoLive: where there can be no live stream, searches alone follow, and say so
// once; what may pass is tried again.
func TestNoLive(t *testing.T) {
	for code, searched := range map[string]bool{
		"AccessDeniedException": true, "InvalidOperationException": true, "LimitExceededException": true, "ResourceNotFoundException": true,
		"UnknownOperationException": true, "UnknownOperation": true, "NotImplemented": true, "Not Implemented": true,
		"ThrottlingException": false, "InternalFailure": false,
	} {
		if got := noLive(&smithy.GenericAPIError{Code: code}); got != searched {
			t.Errorf("%s: %v", code, got)
		}
	}
	if noLive(io.ErrUnexpectedEOF) {
		t.Error("a connection that broke is no reason to do without")
	}
}

// TestFollowFinds: nothing from before the beginning is told, and a search that
// no other try would mend ends it with that error.
func TestFollowFinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{refuse: &smithy.GenericAPIError{Code: "AccessDeniedException"}}
		for i := range 100 {
			c.put("a", fmt.Sprint("line ", i), time.Now().Add(-time.Duration(i)*time.Second))
		}
		time.Sleep(10 * time.Second)
		start := time.Now().Add(-30 * time.Second)
		told, _ := followed(t, c, []string{"a"}, 30*time.Second, func() {})
		for _, e := range told {
			if e.At < start.UnixMilli() {
				t.Errorf("%+v is from before the beginning", e)
			}
		}
		if len(told) == 0 {
			t.Error("nothing was told")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		gone := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
		f := &Follower{API: failing{&cloud{refuse: gone}, gone}, Groups: []string{"a"}, ARNs: []string{"a"}, Note: t.Logf, Tell: func([]Event) error { return nil }}
		if err := f.Follow(t.Context(), time.Now()); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
}

// failing is a cloud whose searches are refused.
type failing struct {
	*cloud
	err error
}

func (f failing) Filter(context.Context, string, int64, int64, string, string) ([]Event, string, error) {
	return nil, "", f.err
}
