# Drives the queues with boto3, in JSON and, by hand, in the Query protocol.
import json, time, urllib.request, urllib.parse
import boto3
from botocore.exceptions import ClientError

sqs = boto3.client('sqs')

def fails(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        got = e.response['Error']['Code']
        assert got == code, (got, code)
        return
    raise AssertionError(f'{call} did not fail with {code}')

# Standard queues
dead = sqs.create_queue(QueueName='dead')['QueueUrl']
dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
redrive = json.dumps({'deadLetterTargetArn': dead_arn, 'maxReceiveCount': 2})
jobs = sqs.create_queue(QueueName='jobs', Attributes={'RedrivePolicy': redrive, 'VisibilityTimeout': '0'}, tags={'team': 'a'})['QueueUrl']
jobs_arn = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=['All'])['Attributes']['QueueArn']
assert sqs.create_queue(QueueName='dead')['QueueUrl'] == dead
fails('QueueAlreadyExists', sqs.create_queue, QueueName='dead', Attributes={'DelaySeconds': '1'})
fails('AWS.SimpleQueueService.NonExistentQueue', sqs.get_queue_url, QueueName='none')
fails('InvalidAttributeName', sqs.create_queue, QueueName='x', Attributes={'Colour': 'red'})
fails('InvalidAttributeValue', sqs.create_queue, QueueName='x', Attributes={'DelaySeconds': '901'})
fails('InvalidParameterValue', sqs.create_queue, QueueName='x', Attributes={'RedrivePolicy': json.dumps({'deadLetterTargetArn': dead_arn + 'x', 'maxReceiveCount': 2})})
fails('InvalidParameterValue', sqs.create_queue, QueueName='x.y')
assert sqs.get_queue_url(QueueName='jobs')['QueueUrl'] == jobs
assert sqs.list_queues(QueueNamePrefix='jo')['QueueUrls'] == [jobs]
assert sqs.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls'] == [jobs]
assert sqs.list_queue_tags(QueueUrl=jobs)['Tags'] == {'team': 'a'}

# boto3 compares digests of bodies and of attributes itself.
attributes = {'s': {'DataType': 'String', 'StringValue': 'ä'}, 'n': {'DataType': 'Number.int', 'StringValue': '7'}, 'b': {'DataType': 'Binary', 'BinaryValue': b'\x00\xff'}}
first = sqs.send_message(QueueUrl=jobs, MessageBody='one', MessageAttributes=attributes)
assert first['MD5OfMessageAttributes']
for n in (1, 2):
    got = sqs.receive_message(QueueUrl=jobs, MessageAttributeNames=['All'], AttributeNames=['All'])['Messages'][0]
    assert got['MessageId'] == first['MessageId'] and got['Body'] == 'one' and got['MessageAttributes'] == attributes, got
    assert got['Attributes']['ApproximateReceiveCount'] == str(n)
# Received as often as allowed: it is a dead letter now, with its ID.
assert 'Messages' not in sqs.receive_message(QueueUrl=jobs)
got = sqs.receive_message(QueueUrl=dead, AttributeNames=['All'])['Messages'][0]
assert got['MessageId'] == first['MessageId'] and got['Attributes']['DeadLetterQueueSourceArn'] == jobs_arn, got
sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=got['ReceiptHandle'], VisibilityTimeout=0)
sqs.start_message_move_task(SourceArn=dead_arn)
for _ in range(100):
    task = sqs.list_message_move_tasks(SourceArn=dead_arn)['Results'][0]
    if task['Status'] == 'COMPLETED':
        break
    time.sleep(.01)
assert task['ApproximateNumberOfMessagesMoved'] == 1, task
got = sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=5, VisibilityTimeout=30)['Messages'][0]
assert got['Body'] == 'one'
counts = sqs.get_queue_attributes(QueueUrl=jobs, AttributeNames=['All'])['Attributes']
assert (counts['ApproximateNumberOfMessages'], counts['ApproximateNumberOfMessagesNotVisible']) == ('0', '1')
sqs.delete_message(QueueUrl=jobs, ReceiptHandle=got['ReceiptHandle'])
fails('AWS.SimpleQueueService.MessageNotInflight', sqs.change_message_visibility, QueueUrl=jobs, ReceiptHandle=got['ReceiptHandle'], VisibilityTimeout=0)
fails('ReceiptHandleIsInvalid', sqs.delete_message, QueueUrl=jobs, ReceiptHandle='nonsense')
fails('InvalidMessageContents', sqs.send_message, QueueUrl=jobs, MessageBody='\x01')
fails('InvalidParameterValue', sqs.send_message, QueueUrl=jobs, MessageBody='x' * (1 << 20) + 'y')
sqs.send_message(QueueUrl=jobs, MessageBody='x' * (1 << 20))
sqs.purge_queue(QueueUrl=jobs)
fails('AWS.SimpleQueueService.PurgeQueueInProgress', sqs.purge_queue, QueueUrl=jobs)
assert 'Messages' not in sqs.receive_message(QueueUrl=jobs)

# Delays and long polling
sqs.send_message(QueueUrl=jobs, MessageBody='late', DelaySeconds=1)
assert 'Messages' not in sqs.receive_message(QueueUrl=jobs)
began = time.time()
assert sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=20, VisibilityTimeout=30)['Messages'][0]['Body'] == 'late'
assert time.time() - began < 10

# Batches
out = sqs.send_message_batch(QueueUrl=jobs, Entries=[{'Id': 'a', 'MessageBody': 'a'}, {'Id': 'b', 'MessageBody': 'b', 'DelaySeconds': 1000}])
assert [e['Id'] for e in out['Successful']] == ['a'] and out['Failed'][0]['Code'] == 'InvalidParameterValue' and out['Failed'][0]['SenderFault']
fails('AWS.SimpleQueueService.EmptyBatchRequest', sqs.send_message_batch, QueueUrl=jobs, Entries=[])
fails('AWS.SimpleQueueService.BatchEntryIdsNotDistinct', sqs.send_message_batch, QueueUrl=jobs, Entries=[{'Id': 'a', 'MessageBody': 'a'}] * 2)
fails('AWS.SimpleQueueService.TooManyEntriesInBatchRequest', sqs.send_message_batch, QueueUrl=jobs, Entries=[{'Id': str(i), 'MessageBody': 'a'} for i in range(11)])
fails('AWS.SimpleQueueService.BatchRequestTooLong', sqs.send_message_batch, QueueUrl=jobs, Entries=[{'Id': str(i), 'MessageBody': 'x' * 600_000} for i in range(2)])
got = sqs.receive_message(QueueUrl=jobs, VisibilityTimeout=30, MaxNumberOfMessages=10)['Messages']
out = sqs.change_message_visibility_batch(QueueUrl=jobs, Entries=[{'Id': 'a', 'ReceiptHandle': got[0]['ReceiptHandle'], 'VisibilityTimeout': 60}])
assert out['Successful'] == [{'Id': 'a'}], out
out = sqs.delete_message_batch(QueueUrl=jobs, Entries=[{'Id': 'a', 'ReceiptHandle': got[0]['ReceiptHandle']}, {'Id': 'z', 'ReceiptHandle': 'x'}])
assert out['Successful'] == [{'Id': 'a'}] and out['Failed'][0]['Code'] == 'ReceiptHandleIsInvalid', out

# FIFO queues
fails('InvalidParameterValue', sqs.create_queue, QueueName='plain.fifo')
fails('InvalidParameterValue', sqs.create_queue, QueueName='plain', Attributes={'FifoQueue': 'true'})
fifo = sqs.create_queue(QueueName='orders.fifo', Attributes={'FifoQueue': 'true', 'ContentBasedDeduplication': 'true', 'VisibilityTimeout': '30'})['QueueUrl']
fails('MissingParameter', sqs.send_message, QueueUrl=fifo, MessageBody='a')
fails('InvalidParameterValue', sqs.send_message, QueueUrl=fifo, MessageBody='a', MessageGroupId='g', DelaySeconds=5)
a = sqs.send_message(QueueUrl=fifo, MessageBody='a', MessageGroupId='g')
again = sqs.send_message(QueueUrl=fifo, MessageBody='a', MessageGroupId='g')
assert (a['MessageId'], a['SequenceNumber']) == (again['MessageId'], again['SequenceNumber'])
for body in 'bcd':
    sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId='g')
sqs.send_message(QueueUrl=fifo, MessageBody='x', MessageGroupId='h', MessageDeduplicationId='1')
got = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=2, AttributeNames=['All'])['Messages']
assert [m['Body'] for m in got] == ['a', 'b'] and got[0]['Attributes']['MessageGroupId'] == 'g', got
# The group is taken: only the other one has something.
other = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)['Messages']
assert [m['Body'] for m in other] == ['x'], other
sqs.delete_message(QueueUrl=fifo, ReceiptHandle=got[0]['ReceiptHandle'])
sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=got[1]['ReceiptHandle'], VisibilityTimeout=0)
got = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10)['Messages']
assert [m['Body'] for m in got] == ['b', 'c', 'd'], got

# The Query protocol, as older clients and @architect/functions send it
def query(path, **form):
    request = urllib.request.Request(sqs.meta.endpoint_url + path, urllib.parse.urlencode(form).encode(), {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Authorization': 'AWS4-HMAC-SHA256 Credential=local/20260101/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=0'})
    try:
        return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as e:
        return e.read().decode()
plain = query('/', **{'Action': 'CreateQueue', 'QueueName': 'old', 'Attribute.1.Name': 'DelaySeconds', 'Attribute.1.Value': '0', 'Tag.1.Key': 'k', 'Tag.1.Value': 'v'})
assert f'<CreateQueueResult><QueueUrl>{sqs.meta.endpoint_url}/123456789012/old</QueueUrl></CreateQueueResult>' in plain, plain
sent = query('/123456789012/old', **{'Action': 'SendMessage', 'MessageBody': 'a<b', 'MessageAttribute.1.Name': 'colour', 'MessageAttribute.1.Value.DataType': 'String', 'MessageAttribute.1.Value.StringValue': 'red'})
assert '<MD5OfMessageBody>' in sent and '<MD5OfMessageAttributes>' in sent, sent
sent = query('/123456789012/old', **{'Action': 'SendMessageBatch', 'SendMessageBatchRequestEntry.1.Id': 'one', 'SendMessageBatchRequestEntry.1.MessageBody': 'second', 'SendMessageBatchRequestEntry.2.Id': 'two', 'SendMessageBatchRequestEntry.2.MessageBody': ''})
assert '<SendMessageBatchResultEntry><Id>one</Id>' in sent and '<BatchResultErrorEntry><Code>MissingParameter</Code><Id>two</Id>' in sent, sent
got = query('/123456789012/old', **{'Action': 'ReceiveMessage', 'MaxNumberOfMessages': '10', 'AttributeName.1': 'All', 'MessageAttributeName.1': 'All', 'VisibilityTimeout': '0'})
assert '<Body>a&lt;b</Body>' in got and '<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>' in got, got
assert '<MessageAttribute><Name>colour</Name><Value><DataType>String</DataType><StringValue>red</StringValue></Value></MessageAttribute>' in got, got
assert '<Code>AWS.SimpleQueueService.NonExistentQueue</Code>' in query('/123456789012/none', Action='ReceiveMessage')
assert '<Tag><Key>k</Key><Value>v</Value></Tag>' in query('/123456789012/old', Action='ListQueueTags')
assert '<Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>' in query('/123456789012/old', **{'Action': 'GetQueueAttributes', 'AttributeName.1': 'All'})
assert '<Code>InvalidParameterValue</Code>' in query('/123456789012/old', Action='ReceiveMessage', MaxNumberOfMessages='x')
sqs.delete_queue(QueueUrl=jobs)
fails('AWS.SimpleQueueService.NonExistentQueue', sqs.send_message, QueueUrl=jobs, MessageBody='x')
print('ok')
