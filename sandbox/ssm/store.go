// Package ssm is the Parameter Store on this machine: its values come from
// AWS::SSM::Parameter resources and from PutParameter alike, and functions and
// deployers read them through the same API.
package ssm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
)

// Parameter is a parameter of the store.
type Parameter struct {
	Name        string
	Type        string // "String", "StringList", "SecureString"
	Value       string
	Version     int64
	Modified    time.Time
	Description string
	Tier        string
	DataType    string
	KeyID       string
	Pattern     string
	ofStack     bool // a resource of a stack
}

// Store keeps the parameters of one account in one region, in memory.
// SecureString values are kept as they are given: nothing leaves the machine.
type Store struct {
	account, region string

	app        func() (stackName, ports string) // see Discover; nil = none runs
	log        *journal.Log                     // nil = nothing outlives the process
	mu         sync.RWMutex
	parameters map[string]*Parameter
	history    map[string][]Parameter // earlier versions, oldest first
	tags       map[string]map[string]string
}

// New makes an empty store.
func New(account, region string) *Store {
	return &Store{
		account: account, region: region,
		parameters: map[string]*Parameter{}, history: map[string][]Parameter{}, tags: map[string]map[string]string{},
	}
}

// maxValue is the size limit of a standard parameter; advanced ones have twice that.
const maxValue = 4096

// Put writes a parameter and returns its new version. Without overwrite, a
// parameter that exists is left alone and the error says so.
func (s *Store) Put(p Parameter, overwrite bool) (int64, error) {
	if err := checkName(p.Name); err != nil {
		return 0, err
	}
	limit := maxValue
	if p.Tier == "Advanced" || p.Tier == "Intelligent-Tiering" {
		limit *= 2
	}
	if p.Value == "" || len(p.Value) > limit {
		return 0, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("parameter %s: the value must have between 1 and %d characters", p.Name, limit)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Version, p.Modified = 1, time.Now().UTC()
	if there := s.parameters[p.Name]; there != nil {
		if !overwrite {
			return 0, &stack.Error{Code: "ParameterAlreadyExists", Message: "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."}
		}
		if p.Type == "" {
			p.Type = there.Type
		}
		p.Version = there.Version + 1
		s.history[p.Name] = append(s.history[p.Name], *there)
	}
	switch p.Type {
	case "String", "StringList", "SecureString":
	default:
		return 0, &stack.Error{Code: "UnsupportedParameterType", Message: fmt.Sprintf("parameter %s: type %q is none of String, StringList and SecureString", p.Name, p.Type)}
	}
	p.Tier, p.DataType = cmp.Or(p.Tier, "Standard"), cmp.Or(p.DataType, "text")
	if p.Type == "SecureString" {
		p.KeyID = cmp.Or(p.KeyID, "alias/aws/ssm")
	}
	there, history := s.parameters[p.Name], s.history[p.Name]
	s.parameters[p.Name] = &p
	if err := s.keep(p.Name); err != nil {
		s.parameters[p.Name], s.history[p.Name] = there, history
		if there == nil {
			delete(s.parameters, p.Name)
		}
		return 0, err
	}
	return p.Version, nil
}

// Get reads a parameter by its name, its ARN, or its name with a version
// ("/a/b:3").
func (s *Store) Get(name string) (Parameter, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	missing := &stack.Error{Code: "ParameterNotFound", Message: ""}
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		_, name, _ = strings.Cut(rest, ":parameter")
		if strings.Count(name, "/") == 1 && s.parameters[name] == nil {
			name = strings.TrimPrefix(name, "/") // the ARN of a plain name has a slash too
		}
	}
	name, version, versioned := strings.Cut(name, ":")
	p := s.parameters[name]
	if p == nil {
		return Parameter{}, missing
	}
	if !versioned || version == fmt.Sprint(p.Version) {
		return *p, nil
	}
	for _, old := range s.history[name] {
		if fmt.Sprint(old.Version) == version {
			return old, nil
		}
	}
	return Parameter{}, &stack.Error{Code: "ParameterVersionNotFound", Message: "Systems Manager could not find version " + version + " of " + name + ". Verify the version and try again."}
}

// ByPath lists the parameters below a path ("/app"), sorted by name: those
// directly below, or with recursive all of them.
func (s *Store) ByPath(path string, recursive bool) []Parameter {
	prefix := strings.TrimSuffix(path, "/") + "/"
	return s.list(func(name string) bool {
		rest, ok := strings.CutPrefix(name, prefix)
		return ok && (recursive || !strings.Contains(rest, "/"))
	})
}

func (s *Store) list(match func(name string) bool) []Parameter {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Parameter
	for name, p := range s.parameters {
		if match(name) {
			out = append(out, *p)
		}
	}
	slices.SortFunc(out, func(a, b Parameter) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Delete removes a parameter and reports whether there was one.
func (s *Store) Delete(name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.parameters[name]
	delete(s.parameters, name)
	delete(s.history, name)
	delete(s.tags, name)
	return there, s.keep(name)
}

func (s *Store) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.parameters[name] != nil
}

// arn is a parameter's ARN.
func (s *Store) arn(name string) string {
	return stack.ARN(s.region, "ssm", s.region, s.account, "parameter/"+strings.TrimPrefix(name, "/"))
}

// checkName refuses names that AWS would not take.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
func checkName(name string) error {
	wrong := &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("Parameter name %q: use letters, digits and ._-/ only, at most 15 levels, no trailing slash and not aws or ssm in front", name)}
	if name == "" || len(name) > 1011 || strings.HasSuffix(name, "/") || strings.Contains(name, "//") || strings.Count(name, "/") > 15 {
		return wrong
	}
	if strings.Contains(name, "/") && !strings.HasPrefix(name, "/") {
		return &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("Parameter name %q: a name with levels must start with a slash", name)}
	}
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	if strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm") {
		return wrong
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-/", c) {
			return wrong
		}
	}
	return nil
}
