// deno-lint-ignore no-explicit-any
type Event = any

// Runs for the WebSocket action "__NAME__".
export async function handler (event: Event) {
  const { connectionId } = event.requestContext
  console.log(connectionId, event.body ?? '')
  return { statusCode: 200 }
}
