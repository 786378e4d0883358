// Runs for each message published to the event "__NAME__".
export async function handler (event) {
  for (const record of event.Records) {
    console.log(record.Sns.Message)
  }
}
