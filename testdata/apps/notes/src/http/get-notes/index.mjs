import arc from '@architect/functions'

export const handler = arc.http(async () => {
  const { notes } = await arc.tables()
  const { Items } = await notes.query({
    KeyConditionExpression: 'author = :author',
    ExpressionAttributeValues: { ':author': 'ann' }
  })
  return { json: Items }
})
