// Package documented plays what AWS documents of API Gateway against any URL: the
// tables of docs/http.md and docs/websockets.md, a row a behaviour. A row says in
// code spans what is sent and what must come back; both pages tell how they read.
package documented

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Case is a row of a table.
type Case struct {
	Line  int    // of the file
	Says  string // the behaviour
	Page  string // where AWS says so: a URL
	steps []string
}

var (
	spans = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("`([^`]+)`") })
	links = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\]\((https://[^)]+)\)`) })
	times = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{(.)\*(\d+)\}`) })
)

// Read takes the cases out of a page: the rows of tables of three columns whose
// second has code in it and whose third has a link.
func Read(file string) ([]Case, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var cases []Case
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 3 {
			continue
		}
		page := links().FindStringSubmatch(cells[2])
		if page == nil {
			continue
		}
		c := Case{Line: number, Says: strings.TrimSpace(cells[0]), Page: page[1]}
		for _, m := range spans().FindAllStringSubmatch(cells[1], -1) {
			c.steps = append(c.steps, times().ReplaceAllStringFunc(m[1], func(found string) string {
				m := times().FindStringSubmatch(found)
				n, _ := strconv.Atoi(m[2])
				return strings.Repeat(m[1], n)
			}))
		}
		if len(c.steps) < 2 {
			return nil, fmt.Errorf("%s:%d: nothing is sent, or nothing expected", file, number)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
