package rights

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Caller is who asks: a role's session, or somebody who was made up for a try.
type Caller struct {
	ARN      string // "arn:aws:sts::…:assumed-role/ROLE/SESSION"
	ID       string // "AROA…:SESSION"
	Role     string // ARN of the role; "" = Policies are all there is
	Function string // ARN of the function whose session it is; "" = none
	Name     string // in the words of the manifest, "@http get /"; "" = the ARN
	// Policies are those of a caller without a role, as JSON.
	Policies []string
	// Session are those that the session was begun with, as JSON.
	Session []string
	Until   time.Time // when its keys end; zero = never
}

// Called is how people know the caller.
func (c Caller) Called() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ARN
}

// Credentials are what requests are signed with.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Keys tell callers by the keys that they sign with. A signature is not checked:
// whoever is told a key may use it. Keys that are not here are the
// administrator's. The zero value is ready to use.
type Keys struct {
	mu     sync.RWMutex
	issued map[string]key         // by access key
	of     map[string]Credentials // by caller's ARN, of those that are made once
}

// key is whose a key is, and the secret that goes with it.
type key struct {
	caller Caller
	secret string
}

// For gives a caller keys, the same whenever it is asked; what is known of the
// caller is brought up to date.
func (k *Keys) For(c Caller) Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[string]Credentials{}
	}
	keys, ok := k.of[c.ARN]
	if !ok {
		keys = newCredentials()
		k.of[c.ARN] = keys
	}
	k.put(keys.AccessKeyID, key{c, keys.SecretAccessKey})
	return keys
}

// New gives a caller keys of its own.
func (k *Keys) New(c Caller) Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := newCredentials()
	k.put(keys.AccessKeyID, key{c, keys.SecretAccessKey})
	return keys
}

// Know gives a caller a key that somebody else has made up; its secret is "local".
func (k *Keys) Know(id string, c Caller) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(id, key{c, "local"})
}

func (k *Keys) put(id string, of key) {
	if k.issued == nil {
		k.issued = map[string]key{}
	}
	k.issued[id] = of
}

// Caller is who has the key.
func (k *Keys) Caller(id string) (c Caller, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	of, ok := k.issued[id]
	return of.caller, ok
}

// Secret is the secret that goes with a key.
func (k *Keys) Secret(id string) (secret string, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	of, ok := k.issued[id]
	return of.secret, ok
}

// newCredentials makes temporary keys as STS does: an ID that begins with ASIA.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func newCredentials() Credentials {
	return Credentials{"ASIA" + rand.Text()[:16], rand.Text() + rand.Text()[:14], "local" + rand.Text()}
}

type callerKey struct{}

// With is a context that knows who asks.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Of is who asks in a context; false = the administrator, or nobody is known.
func Of(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
