import arc from '@architect/functions'

// Somebody said something: all who are there are told. SNS may bring an event
// twice, and so the page shows a message once.
export async function handler ({ Records }) {
  const { connections } = await arc.tables()
  for (const { Sns } of Records) {
    const message = JSON.parse(Sns.Message)
    const { Items } = await connections.scan({})
    await Promise.all(Items.map(async ({ id }) => {
      try {
        await arc.ws.send({ id, payload: { message } })
      }
      catch (err) {
        if (err.name !== 'GoneException' && err.statusCode !== 410) throw err
        await connections.delete({ id }) // its $disconnect may never have come
      }
    }))
  }
}
