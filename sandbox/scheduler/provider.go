package scheduler

import (
	"context"
	"fmt"
	"strings"

	"arc/sandbox/stack"
)

// Registrations are the resource types that the service provides.
func (s *Service) Registrations() map[string]stack.Registration {
	return map[string]stack.Registration{
		"AWS::Scheduler::Schedule":      {Provider: stack.Steps{OnCreate: s.createSchedule, OnUpdate: s.updateSchedule, OnDelete: s.deleteSchedule}},
		"AWS::Scheduler::ScheduleGroup": {Provider: stack.Steps{OnCreate: s.createGroup, Attributes: s.groupAttributes, OnDelete: s.deleteGroup}},
	}
}

func (s *Service) createSchedule(ctx context.Context, req stack.Request) (stack.Resource, error) {
	name, _ := stack.Text(req.Properties["Name"])
	if name == "" {
		name = req.Name(64)
	}
	key := keyOf(name, req.Properties)
	s.mu.Lock()
	taken := s.schedules[key] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("Schedule %s already exists.", name) //nolint:staticcheck // Scheduler's words
	}
	return s.made(ctx, key, req)
}

func (s *Service) updateSchedule(ctx context.Context, req stack.Request) (stack.Resource, error) {
	return s.made(ctx, keyOf(req.PhysicalID, req.Properties), req)
}

func (s *Service) made(ctx context.Context, key string, req stack.Request) (stack.Resource, error) {
	i, err := s.put(ctx, key, req.Properties, false)
	if err != nil {
		return stack.Resource{}, err
	}
	if group, changed := stack.Text(req.Old["GroupName"]); changed && group != i.group { // its group is part of what it is
		s.remove(keyOf(i.Name, req.Old))
	}
	return stack.Resource{PhysicalID: i.Name, Attributes: map[string]any{"Arn": i.arn}, Note: strings.Join(i.notes, "; ")}, nil
}

func (s *Service) deleteSchedule(ctx context.Context, req stack.Request) error {
	_, err := s.remove(keyOf(req.PhysicalID, req.Properties))
	return err
}

// keyOf is the group and the name of a schedule.
func keyOf(name string, properties map[string]any) string {
	group, _ := stack.Text(properties["GroupName"])
	if group == "" {
		group = "default"
	}
	return group + "/" + name
}

func (s *Service) createGroup(ctx context.Context, req stack.Request) (stack.Resource, error) {
	var p struct{ Name string }
	if err := stack.Read(req.Properties, &p, "Tags"); err != nil {
		return stack.Resource{}, err
	}
	if p.Name == "" {
		p.Name = req.Name(64)
	}
	s.mu.Lock()
	taken := s.groups[p.Name] != nil
	s.mu.Unlock()
	if taken {
		return stack.Resource{}, fmt.Errorf("Schedule group %s already exists.", p.Name) //nolint:staticcheck // Scheduler's words
	}
	s.putGroup(ctx, p.Name)
	req.PhysicalID = p.Name
	return stack.Resource{PhysicalID: p.Name, Attributes: s.groupAttributes(req)}, nil
}

func (s *Service) groupAttributes(req stack.Request) map[string]any {
	region := req.Stack.Region
	return map[string]any{"Arn": stack.ARN(region, "scheduler", region, s.options.Account, "schedule-group/"+req.PhysicalID), "State": "ACTIVE"}
}

// deleteGroup deletes a group with its schedules.
func (s *Service) deleteGroup(ctx context.Context, req stack.Request) error {
	s.mu.Lock()
	var keys []string
	for key, i := range s.schedules {
		if i.group == req.PhysicalID {
			keys = append(keys, key)
		}
	}
	delete(s.groups, req.PhysicalID)
	s.mu.Unlock()
	for _, key := range keys {
		if _, err := s.remove(key); err != nil {
			return err
		}
	}
	return nil
}
