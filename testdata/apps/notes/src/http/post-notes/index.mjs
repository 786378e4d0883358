import arc from '@architect/functions'

export const handler = arc.http(async request => {
  const { notes } = await arc.tables()
  const note = await notes.put({ author: 'ann', topic: 'tables', ...request.body })
  return { status: 201, json: note }
})
