package source

import "sync"

// memo remembers the answer for each key; concurrent askers of one key wait
// for one computation.
type memo[K comparable, V any] struct{ entries sync.Map }

type answer[V any] struct {
	once  sync.Once
	value V
	err   error
}

// each calls f with all keys that were asked for.
func (m *memo[K, V]) each(f func(key K)) {
	m.entries.Range(func(key, _ any) bool {
		f(key.(K))
		return true
	})
}

func (m *memo[K, V]) get(key K, compute func() (V, error)) (V, error) {
	e, ok := m.entries.Load(key)
	if !ok {
		e, _ = m.entries.LoadOrStore(key, new(answer[V]))
	}
	a := e.(*answer[V])
	a.once.Do(func() { a.value, a.err = compute() })
	return a.value, a.err
}
