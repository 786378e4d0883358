// deno-lint-ignore no-explicit-any
type Event = any

// Runs when items of the table "__NAME__" change.
export async function handler (event: Event) {
  for (const record of event.Records) {
    console.log(record.eventName, JSON.stringify(record.dynamodb))
  }
}
