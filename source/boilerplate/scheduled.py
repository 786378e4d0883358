import json


# Runs on the schedule "__NAME__".
def handler(event, context):
    print(json.dumps(event))
