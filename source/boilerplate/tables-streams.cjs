// Runs when items of the table "__NAME__" change.
exports.handler = async function handler (event) {
  for (const record of event.Records) {
    console.log(record.eventName, JSON.stringify(record.dynamodb))
  }
}
