// Package iam keeps roles and policies, so that what refers to them finds them,
// they can be read back, and requests are decided by them.
package iam

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"arc/sandbox/rights"
	"arc/sandbox/stack"
)

// Store keeps the identities of one account, in memory.
type Store struct {
	account, region string

	mu       sync.RWMutex
	roles    map[string]*role   // by name
	policies map[string]*policy // managed ones, by ARN
	// compiled is what roles may do, by ARN; nil when something has changed since.
	compiled map[string]rights.Role
}

type role struct {
	name, path, id, arn string
	description         string
	created             time.Time
	trust               string            // JSON
	inline              map[string]string // JSON by policy name
	attached            []string          // ARNs of managed policies
	maxSession          int
	boundary            string // ARN of a policy
}

type policy struct {
	name, path, id, arn string
	created             time.Time
	document            string // JSON
}

// New makes an empty store.
func New(account, region string) *Store {
	return &Store{account: account, region: region, roles: map[string]*role{}, policies: map[string]*policy{}}
}

func (s *Store) arn(kind, path, name string) string {
	return stack.ARN(s.region, "iam", "", s.account, kind+cmp.Or(path, "/")+name)
}

// newID makes an identifier as IAM does: "AROA" and 17 characters.
func newID(prefix string) string { return prefix + rand.Text()[:17] }

// jsonText is a policy document as text; templates may hold it as an object
// or as a string.
func jsonText(document any) string {
	if s, ok := document.(string); ok {
		return s
	}
	b, err := json.Marshal(document)
	if err != nil {
		return ""
	}
	return string(b)
}

// attach adds a policy to roles, or takes it away.
func (s *Store) attach(arn string, roles []string, yes bool) {
	for _, name := range roles {
		r := s.roles[name]
		if r == nil {
			continue
		}
		r.attached = slices.DeleteFunc(r.attached, func(a string) bool { return a == arn })
		if yes {
			r.attached = append(r.attached, arn)
		}
	}
}
