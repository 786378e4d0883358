// Every method that arc.tables() gives, each once; the answer says what came of it.
import arc from '@architect/functions'

export const handler = arc.http(async () => {
  const data = await arc.tables()
  const { notes } = data
  const key = { author: 'bob', id: '1' }
  const ways = {}
  await notes.put({ ...key, topic: 'ways', n: 1 })
  ways.get = (await notes.get(key)).n
  await notes.update({
    Key: key, UpdateExpression: 'SET n = n + :one', ExpressionAttributeValues: { ':one': 1 }
  })
  ways.update = (await notes.get(key)).n
  ways.query = (await notes.query({
    KeyConditionExpression: 'author = :a', ExpressionAttributeValues: { ':a': 'bob' }
  })).Count
  ways.index = (await notes.query({
    IndexName: 'byTopic', KeyConditionExpression: 'topic = :t', ExpressionAttributeValues: { ':t': 'ways' }
  })).Count
  ways.scan = (await notes.scan({
    FilterExpression: 'topic = :t', ExpressionAttributeValues: { ':t': 'ways' }
  })).Count
  ways.scanAll = (await notes.scanAll({
    FilterExpression: 'topic = :t', ExpressionAttributeValues: { ':t': 'ways' }
  })).length
  const TableName = data.name('notes')
  ways.arn = (await data._client.DescribeTable({ TableName })).Table.TableArn.replace(/T?-?[A-Z0-9]{12}$/, '')
  ways.backups = (await data._client.DescribeContinuousBackups({ TableName }))
    .ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus
  ways.ttl = (await data._client.DescribeTimeToLive({ TableName })).TimeToLiveDescription.AttributeName
  await notes.delete(key)
  ways.deleted = await notes.get(key) === undefined
  return { json: ways }
})
