package scheduler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// maxBody bounds a request; an input may have 256 KB.
const maxBody = 1 << 20

// ServeHTTP answers the operations on schedules and groups.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, name, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	out, err := s.answer(r, kind, name)
	if err != nil {
		wire.WriteJSONError(w, err)
		return
	}
	wire.WriteJSON(w, http.StatusOK, out)
}

func (s *Service) answer(r *http.Request, kind, name string) (any, error) {
	group := cmp.Or(r.URL.Query().Get("groupName"), "default")
	switch kind + " " + r.Method {
	case "schedules GET":
		if name == "" {
			return s.list(r), nil
		}
		return s.get(group, name)
	case "schedules POST", "schedules PUT":
		return s.write(r, name)
	case "schedules DELETE":
		there, err := s.remove(group + "/" + name)
		if !there {
			err = missing("Schedule", name)
		}
		return struct{}{}, err
	case "schedule-groups GET":
		return s.getGroups(name)
	case "schedule-groups POST":
		s.mu.Lock()
		taken := s.groups[name] != nil
		s.mu.Unlock()
		if taken {
			return nil, &stack.Error{Code: "ConflictException", Message: "Schedule group " + name + " already exists.", Status: http.StatusConflict}
		}
		s.putGroup(r.Context(), name)
		return map[string]string{"ScheduleGroupArn": s.arn(r.Context(), "schedule-group/"+name)}, nil
	case "schedule-groups DELETE":
		return struct{}{}, s.deleteGroup(r.Context(), stack.Request{PhysicalID: name})
	}
	return nil, &stack.Error{
		Code: "UnknownOperationException", Status: http.StatusNotImplemented,
		Message: fmt.Sprintf("the local cloud's EventBridge Scheduler does not run %s %s", r.Method, r.URL.Path),
	}
}

func missing(what, name string) error {
	return &stack.Error{Code: "ResourceNotFoundException", Message: what + " " + name + " does not exist.", Status: http.StatusNotFound}
}

// write is CreateSchedule and UpdateSchedule, which replaces all of it.
func (s *Service) write(r *http.Request, name string) (any, error) {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, &stack.Error{Code: "ValidationException", Message: "the request is no JSON: " + err.Error()}
	}
	key := keyOf(name, raw)
	s.mu.Lock()
	taken := s.schedules[key] != nil
	s.mu.Unlock()
	switch {
	case taken && r.Method == http.MethodPost:
		return nil, &stack.Error{Code: "ConflictException", Message: "Schedule " + name + " already exists.", Status: http.StatusConflict}
	case !taken && r.Method == http.MethodPut:
		return nil, missing("Schedule", name)
	}
	i, err := s.put(r.Context(), key, raw, true)
	if api, ok := err.(*stack.Error); ok {
		return nil, api
	}
	if err != nil {
		return nil, &stack.Error{Code: "ValidationException", Message: err.Error()}
	}
	return map[string]string{"ScheduleArn": i.arn}, nil
}

func (s *Service) get(group, name string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.schedules[group+"/"+name]
	if i == nil {
		return nil, missing("Schedule", name)
	}
	out := maps.Clone(i.raw)
	maps.DeleteFunc(out, func(name string, _ any) bool { return name == "Tags" || name == "ClientToken" })
	for name, value := range i.shown() {
		out[name] = value
	}
	out["ActionAfterCompletion"] = cmp.Or(i.ActionAfterCompletion, "NONE")
	out["ScheduleExpressionTimezone"] = cmp.Or(i.ScheduleExpressionTimezone, "UTC")
	for _, name := range []string{"StartDate", "EndDate"} {
		if text, _ := stack.Text(out[name]); text != "" {
			if t, err := date(name, text); err == nil {
				out[name] = seconds(t)
			}
		}
	}
	delete(out, "Target")
	out["Target"] = i.raw["Target"]
	return out, nil
}

// shown is what a list tells of a schedule.
func (i *item) shown() map[string]any {
	return map[string]any{
		"Arn": i.arn, "Name": i.Name, "GroupName": i.group, "State": cmp.Or(i.State, "ENABLED"),
		"CreationDate": seconds(i.created), "LastModificationDate": seconds(i.changed), "Target": map[string]string{"Arn": i.Target.Arn},
	}
}

func (s *Service) list(r *http.Request) any {
	query := r.URL.Query()
	group, prefix, state := query.Get("ScheduleGroup"), query.Get("NamePrefix"), query.Get("State")
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []any{}
	for _, key := range slices.Sorted(maps.Keys(s.schedules)) {
		i := s.schedules[key]
		if (group == "" || group == i.group) && strings.HasPrefix(i.Name, prefix) && (state == "" || state == cmp.Or(i.State, "ENABLED")) {
			list = append(list, i.shown())
		}
	}
	return map[string]any{"Schedules": list}
}

func (s *Service) getGroups(name string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" {
		if s.groups[name] == nil {
			return nil, missing("Schedule group", name)
		}
		return s.groups[name], nil
	}
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		list = append(list, s.groups[name])
	}
	return map[string]any{"ScheduleGroups": list}, nil
}
