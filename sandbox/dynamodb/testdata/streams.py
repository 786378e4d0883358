# Reads a table's stream with boto3, which checks what it sends: names of
# shards under 28 characters and sequence numbers under 21 never leave it.
import re
import boto3
from botocore.exceptions import ClientError

db, streams = boto3.client('dynamodb'), boto3.client('dynamodbstreams')

def fails(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response['Error']['Code']
        assert got == code, (got, code)
        return
    raise AssertionError(f'{call} did not fail with {code}')

def make(name, view='NEW_AND_OLD_IMAGES'):
    table = db.create_table(TableName=name, BillingMode='PAY_PER_REQUEST', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
        AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], StreamSpecification={'StreamEnabled': True, 'StreamViewType': view})['TableDescription']
    db.get_waiter('table_exists').wait(TableName=name, WaiterConfig={'Delay': 1})
    return table

long = 'a-table-with-a-name.that-is-longer_than-the-65-characters-a-shard-may-have'
table = make(long)
arn, label = table['LatestStreamArn'], table['LatestStreamLabel']
assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}', label), label
assert arn == table['TableArn'] + '/stream/' + label, arn
assert db.describe_table(TableName=long)['Table']['LatestStreamArn'] == arn
other = make('other', 'KEYS_ONLY')['LatestStreamArn']

listed = streams.list_streams(TableName=long)['Streams']
assert listed == [{'StreamArn': arn, 'TableName': long, 'StreamLabel': label}], listed
first = streams.list_streams(Limit=1)
second = streams.list_streams(Limit=1, ExclusiveStartStreamArn=first['LastEvaluatedStreamArn'])
assert {first['Streams'][0]['StreamArn'], second['Streams'][0]['StreamArn']} == {arn, other}
assert 'LastEvaluatedStreamArn' not in second

def describe():
    return streams.describe_stream(StreamArn=arn)['StreamDescription']
described = describe()
assert described['StreamStatus'] == 'ENABLED' and described['StreamViewType'] == 'NEW_AND_OLD_IMAGES' and described['StreamLabel'] == label
assert described['KeySchema'] == [{'AttributeName': 'id', 'KeyType': 'HASH'}]
shard = described['Shards'][0]['ShardId']
assert 28 <= len(shard) <= 65 and re.fullmatch(r'shardId-\d{20}-[0-9a-f]{8}', shard), shard
assert streams.describe_stream(StreamArn=arn, ExclusiveStartShardId=shard)['StreamDescription']['Shards'] == []

def iterator(kind, **more):
    return streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)['ShardIterator']
assert iterator('TRIM_HORIZON').startswith(arn + '|')
db.put_item(TableName=long, Item={'id': {'S': '1'}, 'b': {'B': b'\x00\xff'}})
db.put_item(TableName=long, Item={'id': {'S': '1'}, 'b': {'B': b'\x00\xff'}})  # changes nothing: no record
latest = iterator('LATEST')
db.update_item(TableName=long, Key={'id': {'S': '1'}}, UpdateExpression='SET n = :n', ExpressionAttributeValues={':n': {'N': '7'}})
db.delete_item(TableName=long, Key={'id': {'S': '1'}})
got = streams.get_records(ShardIterator=iterator('TRIM_HORIZON'))
records = got['Records']
assert [r['eventName'] for r in records] == ['INSERT', 'MODIFY', 'REMOVE'], records
r = records[1]
assert r['awsRegion'] == 'eu-west-1' and r['eventSource'] == 'aws:dynamodb' and len(r['eventID']) == 32 and 'eventSourceARN' not in r
assert r['dynamodb']['Keys'] == {'id': {'S': '1'}} and r['dynamodb']['NewImage']['n'] == {'N': '7'} and 'n' not in r['dynamodb']['OldImage']
assert r['dynamodb']['OldImage']['b'] == {'B': b'\x00\xff'}
numbers = [r['dynamodb']['SequenceNumber'] for r in records]
assert numbers == sorted(numbers) and all(re.fullmatch(r'[1-9]\d{20,39}', n) for n in numbers), numbers
start = describe()['Shards'][0]['SequenceNumberRange']
assert start['StartingSequenceNumber'] == numbers[0] and 'EndingSequenceNumber' not in start, start

def names(iterator, **more):
    return [r['eventName'] for r in streams.get_records(ShardIterator=iterator, **more)['Records']]
assert names(got['NextShardIterator']) == []
assert names(latest) == ['MODIFY', 'REMOVE']
assert names(iterator('AFTER_SEQUENCE_NUMBER', SequenceNumber=numbers[0])) == ['MODIFY', 'REMOVE']
assert names(iterator('AT_SEQUENCE_NUMBER', SequenceNumber=numbers[2])) == ['REMOVE']
assert names(iterator('TRIM_HORIZON'), Limit=1) == ['INSERT']

fails('ResourceNotFoundException', streams.get_shard_iterator, StreamArn=arn, ShardId=shard[:-1] + 'x', ShardIteratorType='LATEST')
fails('ResourceNotFoundException', streams.describe_stream, StreamArn=arn[:-3] + '999' if not arn.endswith('999') else arn[:-3] + '000')
fails('ValidationException', streams.get_records, ShardIterator='none')
before = iterator('TRIM_HORIZON')
db.update_table(TableName=long, StreamSpecification={'StreamEnabled': False})
fails('ResourceNotFoundException', streams.get_records, ShardIterator=before)
again = db.update_table(TableName=long, StreamSpecification={'StreamEnabled': True, 'StreamViewType': 'KEYS_ONLY'})['TableDescription']
assert again['LatestStreamArn'] != arn
print('ok')
