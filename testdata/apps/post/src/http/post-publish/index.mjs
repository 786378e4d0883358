import arc from '@architect/functions'

// Publishes what the body says by arc.events or arc.queues, and tells what came
// of it.
export const handler = arc.http(async request => {
  const { to, ...message } = request.body
  try {
    await arc[to].publish(message)
    return { json: { ok: true } }
  } catch (error) {
    return { json: { error: error.message } }
  }
})
