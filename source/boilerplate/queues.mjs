// Runs for each batch of messages in the queue "__NAME__".
export async function handler (event) {
  for (const record of event.Records) {
    console.log(record.body)
  }
}
