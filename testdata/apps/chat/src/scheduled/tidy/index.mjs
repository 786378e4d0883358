import arc from '@architect/functions'

const week = 7 * 24 * 60 * 60 * 1000

// Forgets connections that are gone without a $disconnect, and what was said a
// week ago.
export async function handler () {
  const { connections, messages } = await arc.tables()
  const forgotten = { connections: 0, messages: 0 }
  for (const { id } of (await connections.scan({})).Items) {
    try {
      await arc.ws.info({ id })
    }
    catch (err) {
      if (err.name !== 'GoneException' && err.statusCode !== 410) throw err
      await connections.delete({ id })
      forgotten.connections++
    }
  }
  const { Items } = await messages.query({
    KeyConditionExpression: 'room = :room AND sent < :then',
    ExpressionAttributeValues: { ':room': 'lobby', ':then': new Date(Date.now() - week).toISOString() },
  })
  for (const { room, sent } of Items) await messages.delete({ room, sent })
  forgotten.messages = Items.length
  return forgotten
}
