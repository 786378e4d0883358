const { DynamoDBClient, PutItemCommand, ScanCommand } = require('@aws-sdk/client-dynamodb')
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs')
const table = new DynamoDBClient(), queue = new SQSClient()
const keep = (id, how) => table.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { id: { S: id }, how: { S: how } } }))

exports.api = async ({ body, requestContext }) => {
  if (requestContext.http.method === 'POST') {
    await queue.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: body }))
    return { statusCode: 202 }
  }
  const { Items } = await table.send(new ScanCommand({ TableName: process.env.TABLE }))
  return { notes: Items.map(({ id, how }) => `${id.S} ${how.S}`).sort() }
}
exports.socket = async ({ body }) => ({ statusCode: 200, body: `heard ${body}` })
exports.worker = async ({ Records }) => { for (const { body } of Records) await keep(body, 'queued') }
exports.tick = async () => keep('tick', 'scheduled')
exports.change = async ({ Records }) => { for (const { dynamodb } of Records) console.log(`changed ${dynamodb.Keys.id.S}`) }
exports.rest = async event => event.httpMethod ? { statusCode: 200, body: `rest ${event.pathParameters.id}` } : `${event.id} ${event.told}`
