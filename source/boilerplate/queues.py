# Runs for each batch of messages in the queue "__NAME__".
def handler(event, context):
    for record in event["Records"]:
        print(record["body"])
