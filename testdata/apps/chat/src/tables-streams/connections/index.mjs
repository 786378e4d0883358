import arc from '@architect/functions'

// Somebody came or went: all who are there are told who is here now.
export async function handler () {
  const { connections } = await arc.tables()
  const { Items } = await connections.scan({})
  const here = Items.map(one => one.name).sort()
  await Promise.all(Items.map(async ({ id }) => {
    try {
      await arc.ws.send({ id, payload: { here } })
    }
    catch (err) {
      if (err.name !== 'GoneException' && err.statusCode !== 410) throw err
      await connections.delete({ id }) // which comes here again
    }
  }))
}
