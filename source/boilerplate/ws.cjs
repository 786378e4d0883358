// Runs for the WebSocket action "__NAME__".
exports.handler = async function handler (event) {
  const { connectionId } = event.requestContext
  console.log(connectionId, event.body ?? '')
  return { statusCode: 200 }
}
