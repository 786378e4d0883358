package states

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"arc/sandbox/stack"
)

// version is a state machine as it was when it was published.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
type version struct {
	ARN, Description string
	Machine          machine
	Created          time.Time
}

// alias leads to one version or two.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-alias.html
type alias struct {
	ARN, Name, Description string
	Routes                 []route
	Created, Updated       time.Time
}

// route is how much of what comes to an alias goes to a version.
type route struct {
	Version string `json:"stateMachineVersionArn"`
	Weight  int    `json:"weight"`
}

// target is what an ARN names: a machine, or what a version made of it.
type target struct {
	*machine
	version, alias string // ARNs; "" = none
	description    string
}

// unqualified is the ARN of the machine that a version's or an alias's is of.
func unqualified(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) == 8 {
		return strings.Join(parts[:7], ":")
	}
	return arn
}

// target is what an ARN names; an alias chooses a version by its weights.
func (s *Service) target(arn string) (target, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":stateMachine:") {
		return target{}, &stack.Error{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: 'Invalid ARN prefix: %s'", arn)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.machines[arn]; m != nil {
		return target{machine: m}, nil
	}
	to, by := arn, ""
	if a := s.aliases[arn]; a != nil {
		to, by = a.Routes[0].Version, arn
		if rand.IntN(100) >= a.Routes[0].Weight {
			to = a.Routes[len(a.Routes)-1].Version
		}
	}
	if v := s.versions[to]; v != nil && s.machines[unqualified(to)] != nil {
		return target{&v.Machine, to, by, v.Description}, nil
	}
	return target{}, noMachine(arn)
}

func noMachine(arn string) error {
	return &stack.Error{Code: "StateMachineDoesNotExist", Message: fmt.Sprintf("State Machine Does Not Exist: '%s'", arn)}
}

// versionsOf are the numbers of a machine's versions, the newest first. The caller
// holds the lock.
func (s *Service) versionsOf(arn string) []int {
	var numbers []int
	for of := range s.versions {
		if number, ok := strings.CutPrefix(of, arn+":"); ok {
			if n, err := strconv.Atoi(number); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	slices.Reverse(numbers)
	return numbers
}

// publish makes a version of a machine as it is now, unless the last one is that.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
func (s *Service) publish(arn, revision, description string) (*version, error) {
	m, err := s.machine(arn)
	if err != nil {
		return nil, err
	}
	if is := m.revision(); revision != "" && revision != is && revision != m.Revision {
		return nil, conflict("Failed to publish the State Machine version for revision %s. The current State Machine revision is %s.", revision, is)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if numbers := s.versionsOf(arn); len(numbers) > 0 {
		if last := s.versions[arn+":"+strconv.Itoa(numbers[0])]; last.Machine.same(m) {
			return last, nil
		}
	}
	s.numbers[arn]++
	v := &version{ARN: arn + ":" + strconv.Itoa(s.numbers[arn]), Description: description, Machine: *m, Created: s.options.Clock.Now()}
	if err := s.log.Put("version/"+v.ARN, v); err != nil {
		return nil, err
	}
	s.versions[v.ARN] = v
	return v, nil
}

// same reports whether two revisions of a machine are.
func (m *machine) same(other *machine) bool { return m.Revision == other.Revision }

// revision is how AWS names the present one: that of a machine that was never changed
// has no ID of its own.
func (m *machine) revision() string {
	if !m.Updated {
		return "INITIAL"
	}
	return m.Revision
}

func conflict(format string, args ...any) error {
	return &stack.Error{Code: "ConflictException", Message: fmt.Sprintf(format, args...)}
}

// unpublish removes a version; what is not there is removed, too.
func (s *Service) unpublish(arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var users []string
	for _, of := range slices.Sorted(maps.Keys(s.aliases)) {
		if a := s.aliases[of]; slices.ContainsFunc(a.Routes, func(r route) bool { return r.Version == arn }) {
			users = append(users, a.Name)
		}
	}
	if len(users) > 0 {
		return conflict("Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [%s]", strings.Join(users, ", "))
	}
	delete(s.versions, arn)
	return s.log.Delete("version/" + arn)
}

// routed looks at where an alias leads, and gives the machine's ARN.
func (s *Service) routed(routes []route) (string, error) {
	invalid := func(format string, args ...any) (string, error) {
		return "", &stack.Error{Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
	}
	var arns, weights []string
	sum := 0
	for i, r := range routes {
		if r.Weight > 100 || r.Weight < 0 {
			return invalid("1 validation error detected: Value '%d' at 'routingConfiguration.%d.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100", r.Weight, i+1)
		}
		arns, weights = append(arns, r.Version), append(weights, strconv.Itoa(r.Weight))
		sum += r.Weight
	}
	if len(routes) == 0 || len(routes) > 2 {
		return invalid("1 validation error detected: Value '[%s]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2", strings.Join(arns, ", "))
	}
	of := unqualified(arns[0])
	for _, arn := range arns {
		if _, err := strconv.Atoi(strings.TrimPrefix(arn, unqualified(arn)+":")); err != nil || unqualified(arn) == arn {
			return invalid("Routing configuration must contain state machine version ARNs. Received: [%s]", strings.Join(arns, ", "))
		}
		if unqualified(arn) != of {
			return invalid("Routing configuration must contain versions of the same state machine. Received: [%s]", strings.Join(arns, ", "))
		}
	}
	switch {
	case len(arns) == 2 && arns[0] == arns[1]:
		return invalid("Routing configuration must contain distinct state machine version ARNs. Received: [%s]", strings.Join(arns, ", "))
	case sum != 100:
		return invalid("Sum of routing configuration weights must equal 100. Received: [%s]", strings.Join(weights, ", "))
	}
	for _, arn := range arns {
		if s.versions[arn] == nil {
			return "", &stack.Error{Code: "ResourceNotFound", Message: "Request references a resource that does not exist."}
		}
	}
	return of, nil
}

// putAlias makes an alias. One with the same name must lead to the same.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
func (s *Service) putAlias(name, description string, routes []route) (*alias, error) {
	if err := aliasName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of, err := s.routed(routes)
	if err != nil {
		return nil, err
	}
	now := s.options.Clock.Now()
	a := &alias{ARN: of + ":" + name, Name: name, Description: description, Routes: routes, Created: now, Updated: now}
	if old := s.aliases[a.ARN]; old != nil {
		if old.Description == description && slices.Equal(old.Routes, routes) {
			return old, nil
		}
		return nil, conflict("Failed to create alias because an alias with the same name and a different routing configuration already exists.")
	}
	return a, s.keepAlias(a)
}

// keepAlias writes one down. The caller holds the lock.
func (s *Service) keepAlias(a *alias) error {
	if err := s.log.Put("alias/"+a.ARN, a); err != nil {
		return err
	}
	s.aliases[a.ARN] = a
	return nil
}

// aliasLetters are those that names of aliases have, beside digits.
const aliasLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-."

func aliasName(name string) error {
	why := ""
	if !strings.ContainsAny(name, aliasLetters) || strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(aliasLetters+"0123456789", r) }) {
		why = `satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$`
	}
	if len(name) > 80 {
		why = "have length less than or equal to 80"
	}
	if why == "" {
		return nil
	}
	return &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must %s", name, why)}
}

// changeAlias changes what is given of an alias.
func (s *Service) changeAlias(arn string, description *string, routes []route) (*alias, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.aliases[arn]
	if old == nil {
		return nil, &stack.Error{Code: "ResourceNotFound", Message: "Request references a resource that does not exist."}
	}
	a := *old
	a.Updated = s.options.Clock.Now()
	if description != nil {
		a.Description = *description
	}
	if routes != nil {
		of, err := s.routed(routes)
		if err == nil && of != unqualified(arn) {
			err = &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("Routing configuration must contain versions of the same state machine. Received: [%s]", routes[0].Version)}
		}
		if err != nil {
			return nil, err
		}
		a.Routes = routes
	}
	return &a, s.keepAlias(&a)
}

func (s *Service) dropAlias(arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.aliases, arn)
	return s.log.Delete("alias/" + arn)
}

// dropPublished removes what a machine has published, with it.
func (s *Service) dropPublished(arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of := range s.aliases {
		if unqualified(of) == arn {
			delete(s.aliases, of)
			if err := s.log.Delete("alias/" + of); err != nil {
				return err
			}
		}
	}
	for of := range s.versions {
		if unqualified(of) == arn {
			delete(s.versions, of)
			if err := s.log.Delete("version/" + of); err != nil {
				return err
			}
		}
	}
	delete(s.numbers, arn)
	return nil
}
