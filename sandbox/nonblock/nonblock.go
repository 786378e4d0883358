// Package nonblock makes system calls that return at once, whatever they find: on
// descriptors that do not block, and on files that this machine has the answer of at hand.
// Go prepares for a call that takes long, since it cannot know: another thread may take
// over what this one was to do next, and the one that watches over such calls is woken
// up, looks around for a while and goes back to sleep. Of a message to a function that
// was more than half of all switches between threads. Only Linux has calls without it.
package nonblock
