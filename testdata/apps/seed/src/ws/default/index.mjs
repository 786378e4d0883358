import arc from '@architect/functions'

// Sends every message back to the connection that it came from.
export async function handler (event) {
  const { text } = JSON.parse(event.body)
  await arc.ws.send({
    id: event.requestContext.connectionId,
    payload: { text: `echoing ${text}` },
  })
  return { statusCode: 200 }
}
