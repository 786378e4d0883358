//go:build !linux

package watch

func begin(w *Watcher) (notifier, error) { return beginMarked(w) }
