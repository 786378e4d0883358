const { ApiGatewayManagementApiClient, PostToConnectionCommand } = require('@aws-sdk/client-apigatewaymanagementapi')

// Answers go to the address that clients connect to, over HTTP. Lambda has the
// SDK; nothing is to be installed for it.
const client = new ApiGatewayManagementApiClient({ endpoint: process.env.ARC_WSS_URL.replace('ws', 'http') })

// Runs for messages that no other action takes: each goes back to where it came from.
exports.handler = async function handler (event) {
  const { connectionId } = event.requestContext
  await client.send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: event.body ?? '' }))
  return { statusCode: 200 }
}
