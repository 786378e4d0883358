require "aws-sdk-apigatewaymanagementapi"

# Answers go to the address that clients connect to, over HTTP. Lambda has the
# SDK; nothing is to be installed for it.
CLIENT = Aws::ApiGatewayManagementApi::Client.new(endpoint: ENV.fetch("ARC_WSS_URL").sub("ws", "http"))

# Runs for messages that no other action takes: each goes back to where it came from.
def handler(event:, context:)
  connection = event["requestContext"]["connectionId"]
  CLIENT.post_to_connection(connection_id: connection, data: event["body"].to_s)
  { statusCode: 200 }
end
