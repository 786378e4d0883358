package stack

import (
	"encoding/json"

	"arc/sandbox/journal"
)

// Remember has the engine keep, from one run to the next, which physical
// resources hold the data of which stacks' resources: a stack that is made
// again finds them (Request.Restored). It is called before any stack is made.
func (e *Engine) Remember(log *journal.Log) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memory = log
	e.remembered = map[string]string{}
	for key, value := range log.All() {
		var id string
		if json.Unmarshal(value, &id) == nil {
			e.remembered[key] = id
		}
	}
}

// recall finds what an earlier run made for a resource that is to be made; ""
// = nothing, or what is in use by another.
func (e *Engine) recall(st *state, res *resource) string {
	if !e.registration(res.kind).Keeps {
		return ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id := e.remembered[e.memoryKey(st, res)]
	if id == "" || id == res.physicalID { // it is being replaced
		return ""
	}
	for _, other := range e.all {
		for _, r := range other.resources {
			if r != res && r.kind == res.kind && r.physicalID == id {
				return ""
			}
		}
	}
	return id
}

// keepInMind notes what was made for a resource; "" = nothing any more.
func (e *Engine) keepInMind(st *state, res *resource, id string) error {
	if !e.registration(res.kind).Keeps {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	key := e.memoryKey(st, res)
	if id == "" {
		if e.remembered[key] != res.physicalID {
			return nil // another one has its place
		}
		delete(e.remembered, key)
		return e.memory.Delete(key)
	}
	if e.remembered == nil {
		e.remembered = map[string]string{}
	}
	e.remembered[key] = id
	return e.memory.Put(key, id)
}

// memoryKey names a resource among all that hold data; those of another region
// than the cloud's own say which.
func (e *Engine) memoryKey(st *state, res *resource) string {
	key := st.ref.Name + "/" + res.logicalID
	if st.ref.Region != e.options.Region {
		key = st.ref.Region + "/" + key
	}
	return key
}
