package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"strings"
)

// envCompared is a variable with the stages and stacks that have it. Those of
// one group have the same value.
type envCompared struct {
	Name   string     `json:"name"`
	Groups [][]string `json:"groups"`
	Lack   []string   `json:"lack,omitempty"`
}

// envDiff prints which variables the stages have, and which of them have the
// same value. Values are compared by a hash with a salt that nobody ever sees.
func (s *session) envDiff(kept []envSetting, asJSON bool) error {
	all := compareEnv(kept)
	if asJSON {
		if all == nil {
			all = []envCompared{}
		}
		return s.printJSON(all)
	}
	places := envPlaces(kept)
	if len(all) == 0 {
		s.note("there are no variables")
		return nil
	}
	t := table{header: append([]string{"VARIABLE"}, places...)}
	for _, v := range all {
		row := []string{v.Name}
		for _, place := range places {
			row = append(row, v.sign(place))
		}
		t.add(row...)
	}
	if err := t.print(s.stdout, func(line string) string { return s.paint(bold, line) }); err != nil {
		return err
	}
	s.note("the same letter in a line: the same value; -: there is none")
	return nil
}

// sign is a letter for the value that a place has.
func (v envCompared) sign(place string) string {
	for i, group := range v.Groups {
		if slices.Contains(group, place) {
			return string(rune('A' + i%26))
		}
	}
	return "-"
}

// envPlaces are the stages and stacks that have variables, and always the two
// that every app has.
func envPlaces(kept []envSetting) []string {
	var places []string
	for _, stage := range envStages() {
		if stage == "staging" || stage == "production" {
			places = append(places, stage)
		}
		for _, e := range kept {
			if e.Stage == stage && !slices.Contains(places, e.place()) {
				places = append(places, e.place())
			}
		}
	}
	return places
}

// compareEnv groups the places of each variable by its value.
func compareEnv(kept []envSetting) []envCompared {
	salt := rand.Text()
	hash := func(value string) string {
		mac := hmac.New(sha256.New, []byte(salt))
		mac.Write([]byte(value))
		return string(mac.Sum(nil))
	}
	byName := map[string]*envCompared{}
	group := map[string]int{} // name, NUL, hash
	for _, e := range kept {
		v := byName[e.Name]
		if v == nil {
			v = &envCompared{Name: e.Name}
			byName[e.Name] = v
		}
		key := e.Name + "\x00" + hash(*e.Value)
		at, ok := group[key]
		if !ok {
			at = len(v.Groups)
			group[key] = at
			v.Groups = append(v.Groups, nil)
		}
		v.Groups[at] = append(v.Groups[at], e.place())
	}
	places := envPlaces(kept)
	var all []envCompared
	for _, v := range byName {
		for _, place := range places {
			stage, stack, _ := strings.Cut(place, " ")
			// A further stack has its stage's.
			if v.sign(place) == "-" && (stack == "" || v.sign(stage) == "-") {
				v.Lack = append(v.Lack, place)
			}
		}
		all = append(all, *v)
	}
	slices.SortFunc(all, func(a, b envCompared) int { return strings.Compare(a.Name, b.Name) })
	return all
}
