// Runs for each message published to the event "__NAME__".
exports.handler = async function handler (event) {
  for (const record of event.Records) {
    console.log(record.Sns.Message)
  }
}
