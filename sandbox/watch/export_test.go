package watch

// NewMarked is New with the notifier of systems that have no inotify.
func NewMarked(options Options) *Watcher { return start(options, beginMarked) }
