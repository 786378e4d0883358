package states

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"arc/sandbox/invoke"
	"arc/sandbox/stack"
	"arc/sandbox/states/asl"
)

// principal is what the service is to those it calls.
const principal = "states.amazonaws.com"

// machine is a state machine as it is now. It is not changed: an update makes
// another, and executions go on with the one that they began with.
type machine struct {
	Name, ARN, Role, Definition string
	Express                     bool
	Logging, Tracing            any // as they were given; nil = not
	Tags                        []any
	Created                     time.Time
	Revision                    string
	Updated                     bool `json:",omitempty"` // since it was made

	parsed *asl.Machine
}

// called is how people know a machine.
func (m *machine) called() string { return "state machine " + m.Name }

// kind is the machine's type.
func (m *machine) kind() string {
	if m.Express {
		return "EXPRESS"
	}
	return "STANDARD"
}

// nameForm is what names of machines and executions may not have.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html#StepFunctions-CreateStateMachine-request-name
var nameForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("^[^\\s<>{}\\[\\]?*\"#%\\\\^|~`$&,;:/\\x00-\\x1f\\x7f-\\x9f\ufffe\uffff]{1,80}$")
})

// parse reads a definition and refuses it in AWS's words, or in ours where AWS would
// take what does not run here.
func (s *Service) parse(definition string, express bool) (*asl.Machine, error) {
	if n := len(definition); n > 1<<20 {
		return nil, &stack.Error{Code: "InvalidDefinition", Message: fmt.Sprintf("Invalid State Machine Definition: 'the definition has %d bytes, of at most 1048576'", n)}
	}
	m, problems := asl.Parse([]byte(definition), express)
	if len(problems) == 0 {
		problems = s.lacks(m)
	}
	if len(problems) == 0 {
		return m, nil
	}
	var words []string
	for _, p := range problems {
		words = append(words, p.String())
	}
	return nil, &stack.Error{Code: "InvalidDefinition", Message: "Invalid State Machine Definition: '" + strings.Join(words, ", ") + "'"}
}

// lacks is what of a definition the local cloud does not run.
func (s *Service) lacks(m *asl.Machine) (problems []asl.Problem) {
	m.Each("", func(state *asl.State, at string) {
		say := func(format string, args ...any) {
			problems = append(problems, asl.Problem{Code: asl.Unsupported, Message: fmt.Sprintf(format, args...), Location: at})
		}
		for _, field := range state.Unsupported {
			say("the local cloud does not run %s of the state %q", field, state.Name)
		}
		if state.Type == "Task" {
			if err := s.runs(state.Resource); err != nil {
				say("the state %q: %v", state.Name, err)
			}
		}
	})
	return problems
}

// put makes or changes a machine. keep writes it down: those of stacks come back with
// them.
func (s *Service) put(ctx context.Context, m machine, keep bool) (*machine, error) {
	if !nameForm().MatchString(m.Name) {
		return nil, &stack.Error{Code: "InvalidName", Message: fmt.Sprintf("Invalid Name: '%s'", m.Name)}
	}
	parsed, err := s.parse(m.Definition, m.Express)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(m.Role, "arn:") {
		return nil, &stack.Error{Code: "InvalidArn", Message: fmt.Sprintf("Invalid Arn: '%s'", m.Role)}
	}
	// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
	if err := s.options.Permit.Ask(ctx, invoke.Errand{Service: principal, Role: m.Role, Session: m.Name, For: m.ARN, Called: m.called()}); err != nil {
		return nil, &stack.Error{Code: "AccessDeniedException", Message: "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role."}
	}
	m.parsed = parsed
	sum := sha256.Sum256([]byte(m.Definition + "\x00" + m.Role))
	h := hex.EncodeToString(sum[:16])
	m.Revision = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.machines[m.ARN]; old != nil {
		m.Created = old.Created
		m.Updated = old.Updated || m.Revision != old.Revision
	} else {
		m.Created = s.options.Clock.Now()
	}
	if keep {
		if err := s.log.Put("machine/"+m.ARN, m); err != nil {
			return nil, err
		}
	}
	s.machines[m.ARN] = &m
	for _, note := range m.notes() {
		s.options.Tell.Notice("%s: %s", m.called(), note)
	}
	return &m, nil
}

// notes is what of a machine does nothing here, or otherwise than on AWS.
func (m *machine) notes() (list []string) {
	if logging, ok := m.Logging.(map[string]any); ok && logging["Level"] != nil && logging["Level"] != "OFF" {
		list = append(list, "its LoggingConfiguration is recorded only: executions are told of here, and get-execution-history has their events")
	}
	if tracing, ok := m.Tracing.(map[string]any); ok && fmt.Sprint(tracing["Enabled"]) == "true" {
		list = append(list, "its TracingConfiguration is recorded only: the local cloud has no X-Ray")
	}
	return list
}

// remove forgets a machine with its executions; those that run are stopped.
func (s *Service) remove(arn string) error {
	s.mu.Lock()
	if s.machines[arn] == nil {
		s.mu.Unlock()
		return nil
	}
	delete(s.machines, arn)
	var stopped []*execution
	for _, x := range s.order {
		if x.Machine.ARN == arn || strings.HasPrefix(x.Machine.ARN, arn+"/") {
			stopped = append(stopped, x)
		}
	}
	s.mu.Unlock()
	for _, x := range stopped {
		x.stop(errStopped)
		<-x.over()
		s.forget(x)
	}
	if err := s.dropPublished(arn); err != nil {
		return err
	}
	return s.log.Delete("machine/" + arn)
}

// machine is the one with an ARN, which names no version and no alias.
func (s *Service) machine(arn string) (*machine, error) {
	t, err := s.target(arn)
	if err == nil && t.version != "" {
		return nil, noMachine(arn)
	}
	return t.machine, err
}

// Why an execution's context ends.
var (
	errClosing  = errors.New("the local cloud is stopping")
	errStopped  = errors.New("the execution is stopped")
	errTimedOut = errors.New("the execution has timed out")
	errSibling  = errors.New("another branch has failed")
)
