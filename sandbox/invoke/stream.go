package invoke

import "context"

// Stream takes the response of a function while it is being made, if the function
// streams it. Begin comes first, with what the function says of the content's
// type; an error of Write ends the response. The two are called one at a time.
type Stream struct {
	Begin func(contentType string)
	Write func(chunk []byte) error
}

type streamKey struct{}

// WithStream has an invocation's response come as a stream, where the function
// makes one. The result has no payload then.
func WithStream(ctx context.Context, stream *Stream) context.Context {
	return context.WithValue(ctx, streamKey{}, stream)
}

// StreamOf is who takes the response as a stream; nil = nobody does.
func StreamOf(ctx context.Context) *Stream {
	stream, _ := ctx.Value(streamKey{}).(*Stream)
	return stream
}
