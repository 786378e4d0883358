import arc from '@architect/functions'

const room = 'lobby'

// A page says who it is, is told what was said before, and then says what is
// typed into it. Everybody hears of that by an event, and of who is here through
// the table's stream.
export async function handler (event) {
  const { connections, messages } = await arc.tables()
  const id = event.requestContext.connectionId
  const said = JSON.parse(event.body)
  if (typeof said.name === 'string') {
    await connections.put({ id, name: said.name.slice(0, 40) })
    const { Items } = await messages.query({
      KeyConditionExpression: 'room = :room',
      ExpressionAttributeValues: { ':room': room },
      ScanIndexForward: false,
      Limit: 50,
    })
    await arc.ws.send({ id, payload: { history: Items.reverse() } })
  }
  if (typeof said.text === 'string') {
    const { name } = await connections.get({ id })
    const message = { room, sent: `${new Date().toISOString()} ${event.requestContext.requestId}`, from: name, text: said.text.slice(0, 1000) }
    await messages.put(message)
    await arc.events.publish({ name: 'said', payload: message })
  }
  return { statusCode: 200 }
}
