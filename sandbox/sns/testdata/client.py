# Drives topics with boto3. The first argument is a server that tells at /came
# what came to it and to the queues and functions of the test since the last time.
import json, sys, time, urllib.request, urllib.error
import boto3
from botocore.exceptions import ClientError

sns = boto3.client('sns')
server = sys.argv[1]

def came(n):
    got = []
    for _ in range(500):
        got += json.load(urllib.request.urlopen(server + '/came'))
        if len(got) >= n:
            break
        time.sleep(.01)
    assert len(got) == n, (n, got)
    return got

def fails(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response['Error']['Code']
        assert got == code, (got, e)
        return
    raise AssertionError(f'{call} did not fail with {code}')

queue = 'arn:aws:sqs:us-west-2:123456789012:'
function = 'arn:aws:lambda:us-west-2:123456789012:function:'
news = sns.create_topic(Name='news', Attributes={'DisplayName': 'News'}, Tags=[{'Key': 'team', 'Value': 'a'}])['TopicArn']
assert news == 'arn:aws:sns:us-west-2:123456789012:news'
assert sns.create_topic(Name='news')['TopicArn'] == news
fails('InvalidParameter', sns.create_topic, Name='no.dots')
fails('InvalidParameter', sns.create_topic, Name='x', Attributes={'FifoTopic': 'true'})
fails('NotFound', sns.publish, TopicArn=news + 'x', Message='m')
assert sns.list_topics()['Topics'] == [{'TopicArn': news}]
assert sns.get_topic_attributes(TopicArn=news)['Attributes']['DisplayName'] == 'News'
assert sns.list_tags_for_resource(ResourceArn=news)['Tags'] == [{'Key': 'team', 'Value': 'a'}]

plain = sns.subscribe(TopicArn=news, Protocol='sqs', Endpoint=queue + 'plain')['SubscriptionArn']
assert sns.subscribe(TopicArn=news, Protocol='sqs', Endpoint=queue + 'plain')['SubscriptionArn'] == plain
raw = sns.subscribe(TopicArn=news, Protocol='sqs', Endpoint=queue + 'raw', Attributes={'RawMessageDelivery': 'true'})['SubscriptionArn']
sns.subscribe(TopicArn=news, Protocol='lambda', Endpoint=function + 'hello')
fails('InvalidParameter', sns.subscribe, TopicArn=news, Protocol='sqs', Endpoint=queue + 'x.fifo')
fails('InvalidParameter', sns.subscribe, TopicArn=news, Protocol='pigeon', Endpoint='coo')
assert len(sns.list_subscriptions_by_topic(TopicArn=news)['Subscriptions']) == 3

attributes = {'s': {'DataType': 'String', 'StringValue': 'ä'}, 'n': {'DataType': 'Number', 'StringValue': '7'}, 'b': {'DataType': 'Binary', 'BinaryValue': b'\x00ab'}}
sent = sns.publish(TopicArn=news, Message='hello', Subject='greeting', MessageAttributes=attributes)
got = {m['to']: m for m in came(3)}
body = json.loads(got['plain']['body'])
assert (body['Type'], body['MessageId'], body['TopicArn'], body['Subject'], body['Message']) == ('Notification', sent['MessageId'], news, 'greeting', 'hello'), body
assert body['MessageAttributes'] == {'s': {'Type': 'String', 'Value': 'ä'}, 'n': {'Type': 'Number', 'Value': '7'}, 'b': {'Type': 'Binary', 'Value': 'AGFi'}}, body
assert got['raw']['body'] == 'hello' and got['raw']['attributes'] == {'s': 'String=ä', 'n': 'Number=7', 'b': 'Binary=\x00ab'}, got
record = json.loads(got['hello']['body'])['Records'][0]
assert record['EventSource'] == 'aws:sns' and record['Sns']['Message'] == 'hello' and record['Sns']['MessageAttributes']['n'] == {'Type': 'Number', 'Value': '7'}, record

# Each protocol its own text
sns.publish(TopicArn=news, Message=json.dumps({'default': 'd', 'sqs': 'q'}), MessageStructure='json')
got = {m['to']: m for m in came(3)}
assert got['raw']['body'] == 'q' and json.loads(got['hello']['body'])['Records'][0]['Sns']['Message'] == 'd', got
fails('InvalidParameter', sns.publish, TopicArn=news, Message='{}', MessageStructure='json')
fails('InvalidParameter', sns.publish, TopicArn=news, Message='x' * (256 * 1024 + 1))
fails('InvalidParameter', sns.publish, TopicArn=news, Message='')
fails('ParameterValueInvalid', sns.publish, TopicArn=news, Message='m', MessageAttributes={'x': {'DataType': 'Date', 'StringValue': 'y'}})

# Batches
out = sns.publish_batch(TopicArn=news, PublishBatchRequestEntries=[{'Id': 'a', 'Message': '1'}, {'Id': 'b', 'Message': '2', 'MessageStructure': 'json'}])
assert [e['Id'] for e in out['Successful']] == ['a'] and out['Failed'][0]['Id'] == 'b' and out['Failed'][0]['SenderFault'], out
came(3)
fails('EmptyBatchRequest', sns.publish_batch, TopicArn=news, PublishBatchRequestEntries=[])
fails('BatchEntryIdsNotDistinct', sns.publish_batch, TopicArn=news, PublishBatchRequestEntries=[{'Id': 'a', 'Message': '1'}] * 2)

# Filters on attributes and on the body
sns.unsubscribe(SubscriptionArn=plain)
def only(policy, scope='MessageAttributes'):
    sns.set_subscription_attributes(SubscriptionArn=raw, AttributeName='FilterPolicyScope', AttributeValue=scope)
    sns.set_subscription_attributes(SubscriptionArn=raw, AttributeName='FilterPolicy', AttributeValue=json.dumps(policy))
def reaches(n, message='m', **attributes):
    sns.publish(TopicArn=news, Message=message, MessageAttributes=attributes)
    assert sorted(m['to'] for m in came(1 + n)) == ['hello', 'raw'][:1 + n]
string = lambda s: {'DataType': 'String', 'StringValue': s}
only({'store': ['shop', {'prefix': 'sh'}], 'price': [{'numeric': ['>=', 100, '<', 200]}]})
reaches(1, store=string('shed'), price={'DataType': 'Number', 'StringValue': '150'})
reaches(0, store=string('shed'), price={'DataType': 'Number', 'StringValue': '200'})
reaches(0, store=string('shed'))
only({'likes': [{'anything-but': ['rugby', 'tennis']}]})
reaches(1, likes={'DataType': 'String.Array', 'StringValue': '["rugby", "baseball"]'})
reaches(0, likes={'DataType': 'String.Array', 'StringValue': '["rugby"]'})
only({'store': [{'exists': False}]})
reaches(1, other=string('x'))
reaches(0, store=string('x'))
reaches(0)
only({'order': {'kind': [{'suffix': 'book'}], '$or': [{'paid': [True]}, {'vip': [{'exists': True}]}]}}, 'MessageBody')
reaches(1, json.dumps({'order': {'kind': 'e-book', 'paid': True}}))
reaches(1, json.dumps({'order': {'kind': 'book', 'paid': False, 'vip': 'x'}}))
reaches(0, json.dumps({'order': {'kind': 'book', 'paid': False}}))
reaches(0, 'no JSON')
fails('InvalidParameter', sns.set_subscription_attributes, SubscriptionArn=raw, AttributeName='FilterPolicy', AttributeValue='{"a": 1}')
fails('InvalidParameter', sns.set_subscription_attributes, SubscriptionArn=raw, AttributeName='FilterPolicyScope', AttributeValue='Elsewhere')

# What cannot be delivered goes to the subscription's dead letters.
broken = sns.create_topic(Name='broken')['TopicArn']
dead = {'RedrivePolicy': json.dumps({'deadLetterTargetArn': queue + 'dead'})}
sns.subscribe(TopicArn=broken, Protocol='lambda', Endpoint=function + 'forbidden', Attributes=dead)
sns.subscribe(TopicArn=broken, Protocol='sqs', Endpoint=queue + 'missing', Attributes=dead)
sns.publish(TopicArn=broken, Message='lost')
assert [(m['to'], json.loads(m['body'])['Message']) for m in came(2)] == [('dead', 'lost')] * 2

# HTTP servers confirm first, with the secret that they are sent.
web = sns.create_topic(Name='web')['TopicArn']
pending = sns.subscribe(TopicArn=web, Protocol='http', Endpoint=server + '/hook')
assert pending['SubscriptionArn'] == 'pending confirmation', pending
asked = json.loads(came(1)[0]['body'])
assert asked['Type'] == 'SubscriptionConfirmation', asked
sns.publish(TopicArn=web, Message='too early')
came(0)
fails('InvalidParameter', sns.confirm_subscription, TopicArn=web, Token='x')
assert urllib.request.urlopen(asked['SubscribeURL']).status == 200
try:
    urllib.request.urlopen(asked['SubscribeURL'].split('?')[0] + '?Action=Publish&Message=x&TopicArn=' + web)
    raise AssertionError('published without a signature')
except urllib.error.HTTPError as e:
    assert e.code == 400, e
sns.publish(TopicArn=web, Message='now')
got = came(1)[0]
assert got['type'] == 'Notification' and json.loads(got['body'])['Message'] == 'now', got
gone = sns.create_topic(Name='gone')['TopicArn']
sns.subscribe(TopicArn=gone, Protocol='http', Endpoint=server + '/gone', Attributes={**dead, 'RawMessageDelivery': 'true'})
sns.confirm_subscription(TopicArn=gone, Token=json.loads(came(1)[0]['body'])['Token'])
sns.publish(TopicArn=gone, Message='bye')
got = came(2)
assert (got[0]['body'], got[0]['raw'], got[1]['to']) == ('bye', 'true', 'dead'), got

# FIFO topics: to queues only, each message once and in order.
fifo = sns.create_topic(Name='orders.fifo', Attributes={'FifoTopic': 'true', 'ContentBasedDeduplication': 'true'})['TopicArn']
fails('InvalidParameter', sns.subscribe, TopicArn=fifo, Protocol='lambda', Endpoint=function + 'hello')
sns.subscribe(TopicArn=fifo, Protocol='sqs', Endpoint=queue + 'orders.fifo', Attributes={'RawMessageDelivery': 'true'})
fails('InvalidParameter', sns.publish, TopicArn=fifo, Message='1')
first = sns.publish(TopicArn=fifo, Message='1', MessageGroupId='g')
assert sns.publish(TopicArn=fifo, Message='1', MessageGroupId='g')['SequenceNumber'] == first['SequenceNumber']
sns.publish(TopicArn=fifo, Message='2', MessageGroupId='g', MessageDeduplicationId='two')
got = came(2)
assert [(m['body'], m['group']) for m in got] == [('1', 'g'), ('2', 'g')] and got[1]['dedup'] == 'two', got
sns.delete_topic(TopicArn=fifo)
fails('NotFound', sns.publish, TopicArn=fifo, Message='1', MessageGroupId='g')
print('ok')
