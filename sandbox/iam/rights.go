package iam

import (
	"maps"
	"slices"
	"strings"

	"arc/cfn/iam"
	"arc/sandbox/rights"
)

// change takes the lock for something that is going to be different; what it
// returns gives it back.
func (s *Store) change() (unlock func()) {
	s.mu.Lock()
	s.compiled = nil
	return s.mu.Unlock
}

// Rights is what a role may do; false = it is not one of the store.
func (s *Store) Rights(arn string) (rights.Role, bool) {
	s.mu.RLock()
	r, ok := s.compiled[arn]
	s.mu.RUnlock()
	if ok {
		return r, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.roles[arn[strings.LastIndexByte(arn, '/')+1:]]
	if of == nil || of.arn != arn {
		return rights.Role{}, false
	}
	r.ID = of.id
	for _, name := range slices.Sorted(maps.Keys(of.inline)) {
		r.Identity = append(r.Identity, iam.Read(of.inline[name]))
	}
	for _, managed := range of.attached {
		r.Identity = append(r.Identity, s.managed(managed))
	}
	r.Identity = []iam.Policy{iam.Together(r.Identity...)}
	if of.boundary != "" {
		boundary := s.managed(of.boundary)
		r.Boundary = &boundary
	}
	trust := iam.Read(of.trust)
	r.Trust = &trust
	if s.compiled == nil {
		s.compiled = map[string]rights.Role{}
	}
	s.compiled[arn] = r
	return r, true
}

// managed is a policy by its ARN. The caller holds the lock.
func (s *Store) managed(arn string) iam.Policy {
	if p := s.policies[arn]; p != nil {
		return iam.Read(p.document)
	}
	return iam.Managed(arn)
}

// Find is the end of a role's ARN, with its path; "" = there is none.
func (s *Store) Find(role string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.roles[role]; r != nil {
		_, end, _ := strings.Cut(r.arn, ":role")
		return "role" + end
	}
	return ""
}
