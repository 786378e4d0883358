# The usual calls that read, service by service, against a stack that has one of
# each thing. Each line: service, operation, request, and an expression over the
# answer r that holds. What fails is printed; the end says how many there were.
import sys, boto3, botocore
endpoint, stack = sys.argv[1:3]
clients = {}
def client(name):
    if name not in clients:
        clients[name] = boto3.client(name, endpoint_url=endpoint, region_name='us-west-2', aws_access_key_id='k', aws_secret_access_key='s',
            config=botocore.config.Config(retries={'max_attempts': 1}))
    return clients[name]

cf = client('cloudformation')
out = {o['OutputKey']: o['OutputValue'] for o in cf.describe_stacks(StackName=stack)['Stacks'][0]['Outputs']}
fn, table, queue, topic, bucket, api = (out[n] for n in ('Function', 'Table', 'Queue', 'Topic', 'Bucket', 'Api'))
client('s3').put_object(Bucket=bucket, Key='a/b.txt', Body=b'hello', ChecksumAlgorithm='SHA256')
client('ssm').put_parameter(Name='/reads/one', Value='1', Type='String', Overwrite=True)
client('dynamodb').put_item(TableName=table, Item={'id': {'S': '1'}, 'sort': {'S': 'a'}})
client('lambda').invoke(FunctionName=fn)
group = '/aws/lambda/' + fn

calls = []
def read(service, operation, holds, **request): calls.append((service, operation, request, holds))
exec(open(sys.argv[3]).read())

bad = 0
for service, operation, request, holds in calls:
    try:
        r = getattr(client(service), operation)(**{k: v() if callable(v) else v for k, v in request.items()})
        if not eval(holds, {**globals(), 'r': r}):
            raise AssertionError('%s does not hold of %r' % (holds, {k: v for k, v in r.items() if k != 'ResponseMetadata'}))
    except Exception as e:
        named = len(getattr(e, 'response', {}).get('Error', {}).get('Message', '')) > 15
        if holds.startswith('refused ') and (type(e).__name__ == holds[8:] and (holds[8:] != 'ClientError' or named)):
            continue
        bad += 1
        print('%s.%s(%s): %s: %s' % (service, operation, ', '.join('%s=%r' % p for p in request.items()), type(e).__name__, e))
print(len(calls), 'calls,', bad, 'bad')
