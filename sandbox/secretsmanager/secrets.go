// Package secretsmanager is Secrets Manager on this machine: secrets with their
// versions and stages, made by clients and by AWS::SecretsManager::Secret alike.
// Values are kept as they are given: nothing leaves the machine.
package secretsmanager

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"arc/sandbox/journal"
	"arc/sandbox/stack"
	"arc/sandbox/wire"
)

// The labels that Secrets Manager itself moves.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// secret is a secret with its versions.
type secret struct {
	Name, ARN, Description, KeyID string
	Created, Changed              time.Time
	Deletes                       *time.Time // when it goes; nil = it stays
	Versions                      map[string]*version
	Tags                          map[string]string
	Policy                        string // of the secret itself, as JSON; "" = none
	Made                          string // token of the stack's resource that made it; "" = a client did
}

// version is a value of a secret.
type version struct {
	ID      string
	String  *string
	Binary  []byte
	Created time.Time
	Stages  []string // labels, sorted; without one it goes sooner or later
}

// Store keeps the secrets of one account in one region.
type Store struct {
	account, region string

	log     *journal.Log // nil = nothing outlives the process
	mu      sync.RWMutex
	secrets map[string]*secret // by name
}

// New makes an empty store.
func New(account, region string) *Store {
	return &Store{account: account, region: region, secrets: map[string]*secret{}}
}

// Endpoint is where clients find the store.
func (s *Store) Endpoint() wire.Endpoint {
	return wire.Endpoint{Service: "secretsmanager", Variable: "SECRETS_MANAGER", Targets: []string{"secretsmanager"}, Handler: wire.JSON("Secrets Manager", s)}
}

// Restore takes the secrets of an earlier run.
func (s *Store) Restore(log *journal.Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range log.All() {
		var kept secret
		if err := json.Unmarshal(value, &kept); err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
		s.secrets[name] = &kept
	}
	s.log = log
	return nil
}

// Close has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Find is the end of a secret's ARN, with the letters that Secrets Manager puts
// behind its name; "" = there is no such secret.
func (s *Store) Find(called string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found, err := s.find(called); err == nil {
		return "secret:" + found.ARN[strings.LastIndexByte(found.ARN, ':')+1:]
	}
	return ""
}

// Policies are those of a secret itself, as JSON.
func (s *Store) Policies(arn string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found, err := s.find(arn); err == nil && found.Policy != "" {
		return []string{found.Policy}
	}
	return nil
}

// Value reads a secret for a template that refers to it: the whole text, or a key
// of its JSON.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
func (s *Store) Value(called, key, stage, id string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.find(called)
	if err != nil {
		return "", err
	}
	v, err := found.version(id, stage)
	if err != nil {
		return "", err
	}
	text := ""
	if v.String != nil {
		text = *v.String
	}
	if key == "" {
		return text, nil
	}
	var object map[string]any
	value, ok := "", false
	if json.Unmarshal([]byte(text), &object) == nil {
		value, ok = stack.Text(object[key])
	}
	if !ok {
		return "", fmt.Errorf("the secret %s has no key %s", found.Name, key)
	}
	return value, nil
}

// find gives a secret by its name, its ARN, or its ARN without the letters at the
// end. The caller holds the lock.
func (s *Store) find(called string) (*secret, error) {
	name := called
	if rest, ok := strings.CutPrefix(called, "arn:"); ok {
		_, name, _ = strings.Cut(rest, ":secret:")
	}
	if found := s.secrets[name]; found != nil {
		return found, nil
	}
	if at := len(name) - suffix - 1; at > 0 && name[at] == '-' {
		if found := s.secrets[name[:at]]; found != nil && strings.HasSuffix(found.ARN, ":"+name) {
			return found, nil
		}
	}
	return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret."}
}

// alive is find for what is not on its way out.
func (s *Store) alive(called string) (*secret, error) {
	found, err := s.find(called)
	if err == nil && found.Deletes != nil {
		return nil, &stack.Error{Code: "InvalidRequestException", Message: "You can't perform this operation on the secret because it was marked for deletion."}
	}
	return found, err
}

// keep writes a secret down. The caller holds the lock.
func (s *Store) keep(name string) error {
	if found := s.secrets[name]; found != nil {
		return s.log.Put(name, found)
	}
	return s.log.Delete(name)
}

// suffix is how many letters Secrets Manager puts behind a name in an ARN.
const suffix = 6

// create makes a secret without a version. The caller holds the lock.
func (s *Store) create(name string) (*secret, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if there := s.secrets[name]; there != nil {
		if there.Deletes != nil {
			return nil, &stack.Error{Code: "InvalidRequestException", Message: "You can't create this secret because a secret with this name is already scheduled for deletion."}
		}
		return nil, &stack.Error{Code: "ResourceExistsException", Message: "The operation failed because the secret " + name + " already exists."}
	}
	now := time.Now().UTC()
	made := &secret{
		Name: name, ARN: stack.ARN(s.region, "secretsmanager", s.region, s.account, "secret:"+name+"-"+rand.Text()[:suffix]),
		Created: now, Changed: now, Versions: map[string]*version{}, Tags: map[string]string{},
	}
	s.secrets[name] = made
	return made, nil
}

// checkName refuses what Secrets Manager takes for no name.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
func checkName(name string) error {
	if name == "" || len(name) > 512 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_+=.@-", r))
	}) {
		return &stack.Error{Code: "ValidationException", Message: "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"}
	}
	return nil
}

// maxValue is how many bytes a value may have.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const maxValue = 65_536

// put adds a version with labels. The one that has them loses them, and what was
// current becomes the previous one. The same version may come twice.
func (sec *secret) put(id string, text *string, binary []byte, stages []string) (*version, error) {
	if text == nil && binary == nil {
		return nil, &stack.Error{Code: "InvalidParameterException", Message: "You must provide either SecretString or SecretBinary."}
	}
	if text != nil && binary != nil {
		return nil, &stack.Error{Code: "InvalidParameterException", Message: "You can't specify both a binary secret value and a string secret value in the same secret."}
	}
	if len(binary) > maxValue || text != nil && len(*text) > maxValue {
		return nil, &stack.Error{Code: "ValidationException", Message: fmt.Sprintf("a secret's value has at most %d bytes", maxValue)}
	}
	if id == "" {
		id = wire.NewRequestID()
	}
	if there := sec.Versions[id]; there != nil {
		if (there.String == nil) == (text == nil) && (text == nil || *there.String == *text) && slices.Equal(there.Binary, binary) {
			return there, nil
		}
		return nil, &stack.Error{Code: "ResourceExistsException", Message: "You can't use ClientRequestToken " + id + " because that value is already in use for a version of secret " + sec.ARN + "."}
	}
	v := &version{ID: id, String: text, Binary: binary, Created: time.Now().UTC()}
	sec.Versions[id] = v
	if len(stages) == 0 {
		stages = []string{current}
	}
	for _, stage := range stages {
		sec.label(stage, v)
	}
	sec.Changed = v.Created
	return v, nil
}

// label moves a label to a version; nil takes it away.
func (sec *secret) label(stage string, to *version) {
	for _, v := range sec.Versions {
		if v == to || !slices.Contains(v.Stages, stage) {
			continue
		}
		v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
		if stage == current && to != nil {
			sec.label(previous, v)
		}
	}
	if to != nil && !slices.Contains(to.Stages, stage) {
		to.Stages = append(to.Stages, stage)
		slices.Sort(to.Stages)
		if stage == current { // one version is not both
			to.Stages = slices.DeleteFunc(to.Stages, func(s string) bool { return s == previous })
		}
	}
}

// version finds one by its ID, its label, or both, which must fit.
func (sec *secret) version(id, stage string) (*version, error) {
	if id == "" {
		stage = cmp.Or(stage, current)
	}
	for _, name := range slices.Sorted(maps.Keys(sec.Versions)) {
		v := sec.Versions[name]
		if (id == "" || v.ID == id) && (stage == "" || slices.Contains(v.Stages, stage)) {
			return v, nil
		}
	}
	what := "VersionId: " + id
	if id == "" {
		what = "staging label: " + stage
	}
	return nil, &stack.Error{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret value for " + what, Status: http.StatusBadRequest}
}
