package asl

import (
	"fmt"
	"strings"
)

// check looks at where states lead: to states that there are, from states that are
// reached, to an end.
func (r *reader) check(m *Machine, at string) {
	target := func(name, where string) {
		if m.States[name] == nil {
			r.problems = append(r.problems, Problem{codeTarget, fmt.Sprintf("Missing 'Next' target: %s", name), where})
		}
	}
	target(m.StartAt, at+"/StartAt")
	ends := false
	for _, name := range sortedStates(m) {
		s, where := m.States[name], at+"/States/"+name
		ends = ends || s.terminal()
		for _, next := range s.targets() {
			target(next[0], where+next[1])
		}
	}
	if !ends {
		r.problems = append(r.problems, Problem{codeEnd, "Workflow has no terminal state", ""})
		return
	}
	reached := map[string]bool{}
	m.walk(m.StartAt, reached)
	for _, name := range sortedStates(m) {
		if !reached[name] {
			r.problems = append(r.problems, Problem{codeTarget, fmt.Sprintf("State %q is not reachable.", name), at + "/States/" + name})
		}
		s := m.States[name]
		for i, branch := range s.Branches {
			where := fmt.Sprintf("%s/States/%s/Branches[%d]", at, name, i)
			if s.Type == "Map" {
				where = at + "/States/" + name + "/ItemProcessor"
			}
			r.check(branch, where)
		}
	}
}

// targets are where a state may lead, with the field that says so.
func (s *State) targets() (list [][2]string) {
	if s.Next != "" {
		list = append(list, [2]string{s.Next, "/Next"})
	}
	for i, rule := range s.Choices {
		list = append(list, [2]string{rule.Next, fmt.Sprintf("/Choices[%d]/Next", i)})
	}
	if s.Default != "" {
		list = append(list, [2]string{s.Default, "/Default"})
	}
	for i, catcher := range s.Catch {
		list = append(list, [2]string{catcher.Next, fmt.Sprintf("/Catch[%d]/Next", i)})
	}
	return list
}

func (m *Machine) walk(from string, reached map[string]bool) {
	s := m.States[from]
	if s == nil || reached[from] {
		return
	}
	reached[from] = true
	for _, next := range s.targets() {
		m.walk(next[0], reached)
	}
}

func sortedStates(m *Machine) []string {
	names := map[string]any{}
	for name := range m.States {
		names[name] = nil
	}
	return sorted(names)
}

// express refuses what EXPRESS machines may not wait for.
// https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
func (r *reader) express(m *Machine, at string) {
	m.Each(at, func(s *State, at string) {
		for _, pattern := range []string{".waitForTaskToken", ".sync"} {
			if strings.HasSuffix(s.Resource, pattern) || pattern == ".sync" && strings.HasSuffix(s.Resource, ".sync:2") {
				r.wrong(at+"/Resource", "Express state machine does not support '%s' service integration", pattern)
			}
		}
		if strings.Contains(s.Resource, ":activity:") {
			r.wrong(at+"/Resource", "Express state machine does not support Activity ARN")
		}
		if s.Distributed {
			r.wrong(at, "Express state machine does not support Distributed Map")
		}
	})
}

// Each calls with all states, those of branches too, and where they stand.
func (m *Machine) Each(at string, call func(s *State, at string)) {
	for _, name := range sortedStates(m) {
		s, where := m.States[name], at+"/States/"+name
		call(s, where)
		for i, branch := range s.Branches {
			inner := fmt.Sprintf("%s/Branches[%d]", where, i)
			if s.Type == "Map" {
				inner = where + "/ItemProcessor"
			}
			branch.Each(inner, call)
		}
	}
}
