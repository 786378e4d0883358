# Runs for the WebSocket action "__NAME__".
def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    print(connection, event.get("body") or "")
    return {"statusCode": 200}
