// deno-lint-ignore no-explicit-any
type Event = any

// Runs for each batch of messages in the queue "__NAME__".
export async function handler (event: Event) {
  for (const record of event.Records) {
    console.log(record.body)
  }
}
