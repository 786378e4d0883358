// deno-lint-ignore no-explicit-any
type Event = any

// Runs on the schedule "__NAME__".
export async function handler (event: Event) {
  console.log(JSON.stringify(event))
}
