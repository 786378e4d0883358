# Runs for each message published to the event "__NAME__".
def handler(event, context):
    for record in event["Records"]:
        print(record["Sns"]["Message"])
