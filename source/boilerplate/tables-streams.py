import json


# Runs when items of the table "__NAME__" change.
def handler(event, context):
    for record in event["Records"]:
        print(record["eventName"], json.dumps(record["dynamodb"]))
