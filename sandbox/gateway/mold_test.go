package gateway

import (
	"testing"
	"time"

	"arc/sandbox/ingress"
)

// BenchmarkMessageEvent: the event of a message of a socket's, as it is made, beside the
// same encoded whole.
func BenchmarkMessageEvent(b *testing.B) {
	body := `{"action":"echo","text":"hello"}`
	live := &liveStage{name: "staging"}
	c := &connection{api: &api{id: "a1b2c3"}, id: "i=", domain: "localhost:3333", userAgent: "node", connected: time.Unix(1, 2e6)}
	b.Run("mold", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.messageEvent(live, "$default", "r=", body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			if _, err := ingress.Encode(socketEvent{RequestContext: c.messageContext(live, "$default", "r="), Body: &body}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
