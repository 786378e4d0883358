// One function for all: it counts its visits in the table, and talks back.
const { DynamoDBClient, UpdateItemCommand } = require('@aws-sdk/client-dynamodb')
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs')
const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require('@aws-sdk/client-apigatewaymanagementapi')

exports.handler = async (event) => {
  const context = event.requestContext
  if (context?.connectionId) {
    if (context.routeKey === '$default') {
      const client = new ApiGatewayManagementApiClient({ endpoint: `https://${context.domainName}/${context.stage}` })
      await client.send(new PostToConnectionCommand({ ConnectionId: context.connectionId, Data: 'heard ' + event.body }))
    }
    return { statusCode: 200 }
  }
  if (event.Records) return
  const { Attributes } = await new DynamoDBClient().send(new UpdateItemCommand({
    TableName: process.env.TABLE, Key: { id: { S: 'visits' } }, ReturnValues: 'ALL_NEW',
    UpdateExpression: 'ADD #n :one', ExpressionAttributeNames: { '#n': 'count' }, ExpressionAttributeValues: { ':one': { N: '1' } },
  }))
  await new SQSClient().send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: 'visited' }))
  return { statusCode: 200, body: `${process.env.MARK ?? ''}notes: ${Attributes.count.N} in ${process.env.AWS_REGION}` }
}
