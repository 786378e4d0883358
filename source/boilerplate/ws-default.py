import os

import boto3

# Answers go to the address that clients connect to, over HTTP. Lambda has boto3;
# nothing is to be installed for it.
client = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["ARC_WSS_URL"].replace("ws", "http", 1))


# Runs for messages that no other action takes: each goes back to where it came from.
def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    client.post_to_connection(ConnectionId=connection, Data=event.get("body") or "")
    return {"statusCode": 200}
