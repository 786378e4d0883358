package stack

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"arc/cfn"
)

// Stacks are kept between runs as two kinds of records, each written when what
// it describes has changed: one a stack, and one a resource. What they do not
// hold ends with the process: events, change sets, and deleted stacks.

const (
	stackRecord    = "stack "    // and its ARN
	resourceRecord = "resource " // and its stack's ARN, a space and its logical ID
)

// keptTemplate is a template with the values that its parameters have, those of
// the parameter store as they were read.
type keptTemplate struct {
	Body string
	// Processed is what transforms made of it.
	Processed string `json:",omitempty"`
	Given     map[string]string
	Values    map[string]any
	NoEcho    []string `json:",omitempty"`
}

// keptStack is a stack as it is kept.
type keptStack struct {
	Name, ID, Parent string // Parent is the ARN of the stack that it is nested in
	Status, Reason   string
	Created          time.Time
	Updated          *time.Time `json:",omitempty"`
	Template         *keptTemplate
	// Before is what Template is about to replace, while an update runs.
	Before          *keptTemplate `json:",omitempty"`
	Outputs         []Output      `json:",omitempty"`
	Imports         []string      `json:",omitempty"`
	Tags            []Tag         `json:",omitempty"`
	Capabilities    []string      `json:",omitempty"`
	Notifications   []string      `json:",omitempty"`
	Role            string        `json:",omitempty"`
	OnFailure       string        `json:",omitempty"`
	Policy          string        `json:",omitempty"`
	Executed        string        `json:",omitempty"`
	DisableRollback bool          `json:",omitempty"`
	Protected       bool          `json:",omitempty"`
	Timeout         int           `json:",omitempty"`
}

// keptResource is a resource as it is kept. Token is what the random part of
// its name was made of.
type keptResource struct {
	Kind, PhysicalID, Token       string
	Status, Reason                string
	Updated                       time.Time
	Properties, Shown             map[string]any
	Attributes                    map[string]any
	Deps                          []string       `json:",omitempty"`
	Metadata                      map[string]any `json:",omitempty"`
	DeletionPolicy, ReplacePolicy string         `json:",omitempty"`
	NoEcho                        bool           `json:",omitempty"`
	Object                        string         `json:",omitempty"`
}

// keeps reports whether a stack outlives the process: the live app's is made
// from its source at each start. The caller holds the lock.
func (e *Engine) keeps(st *state) bool {
	return e.memory != nil && !e.restoring && !e.setAside(st)
}

// keep writes a stack down as it is now, and one of its resources, if r is not
// nil. The caller holds the lock.
func (e *Engine) keep(st *state, r *resource) {
	if !e.keeps(st) {
		return
	}
	if r != nil {
		e.keepResource(st, r.logicalID)
		return
	}
	key := stackRecord + st.ref.ID
	if st.status == DeleteComplete {
		e.drop(st.ref.ID)
		return
	}
	k := keptStack{
		Name: st.ref.Name, ID: st.ref.ID, Status: st.status, Reason: st.reason, Created: st.created, Updated: st.updated,
		Template: st.current.kept(), Outputs: st.outputs, Imports: st.imports, Tags: st.tags, Capabilities: st.capabilities,
		Notifications: st.notifications, Role: st.role, OnFailure: st.onFailure, Policy: st.policy, Executed: st.executed,
		DisableRollback: st.disableRollback, Protected: st.protected, Timeout: st.timeout,
	}
	if st.parent != nil {
		k.Parent = st.parent.ref.ID
	}
	if st.status == UpdateInProgress {
		k.Before = st.previous.kept()
	}
	e.unkept(e.memory.Put(key, k))
}

// keepResource writes a resource down, or that the stack has it no longer. While
// it is being replaced, what is kept is the one that it is to replace, and so it is
// of a custom resource that is being changed: the next update asks again. The
// caller holds the lock.
func (e *Engine) keepResource(st *state, logicalID string) {
	if !e.keeps(st) {
		return
	}
	key := resourceRecord + st.ref.ID + " " + logicalID
	r := st.resources[logicalID]
	if r == nil {
		e.unkept(e.memory.Delete(key))
		return
	}
	if r.replaces != nil {
		r = r.replaces
	}
	e.unkept(e.memory.Put(key, keptResource{
		Kind: r.kind, PhysicalID: r.physicalID, Token: r.token, Status: r.status, Reason: r.reason, Updated: r.updated,
		Properties: r.properties, Shown: r.shown, Attributes: r.attributes, Deps: r.deps, Metadata: r.metadata,
		DeletionPolicy: r.deletionPolicy, ReplacePolicy: r.replacePolicy, NoEcho: r.noEcho, Object: r.object,
	}))
}

// drop forgets what is kept of a stack.
func (e *Engine) drop(id string) {
	for key := range e.memory.All() {
		if key == stackRecord+id || strings.HasPrefix(key, resourceRecord+id+" ") {
			e.unkept(e.memory.Delete(key))
		}
	}
}

// unkept tells, once, that stacks cannot be kept. The caller holds the lock.
func (e *Engine) unkept(err error) {
	if err != nil && !e.said && e.options.Warn != nil {
		e.said = true
		e.options.Warn("stacks are not kept for the next run: " + err.Error())
	}
}

func (t *template) kept() *keptTemplate {
	if t == nil {
		return nil
	}
	return &keptTemplate{Body: string(t.body), Processed: string(t.processed), Given: t.params.given, Values: t.params.values, NoEcho: slices.Sorted(maps.Keys(t.params.noEcho))}
}

// restore reads a template that passed every check when it was kept.
func (k *keptTemplate) restore(ref Ref) (*template, error) {
	if k == nil {
		return nil, nil
	}
	doc, err := cfn.Parse([]byte(cmp.Or(k.Processed, k.Body)))
	if err != nil {
		return nil, err
	}
	var processed []byte
	if k.Processed != "" {
		processed = []byte(k.Processed)
	}
	t := &template{body: []byte(k.Body), processed: processed, doc: doc, params: parameters{given: k.Given, values: k.Values, noEcho: map[string]bool{}}}
	if t.params.given == nil {
		t.params.given = map[string]string{}
	}
	if t.params.values == nil {
		t.params.values = map[string]any{}
	}
	for _, name := range k.NoEcho {
		t.params.noEcho[name] = true
	}
	return t, t.connect(ref)
}

// decode reads a record; numbers stay as they are spelled.
func decode(text json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
