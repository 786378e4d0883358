import arc from '@architect/functions'

export async function handler (event) {
  const { connections } = await arc.tables()
  await connections.delete({ id: event.requestContext.connectionId })
  return { statusCode: 200 }
}
