# Drives EventBridge and its Scheduler with boto3: rules, custom buses, targets,
# schedules and groups. What comes to targets is received from queues.
import json, time
from datetime import datetime, timedelta, timezone
import boto3
from botocore.exceptions import ClientError

events, scheduler, sqs = boto3.client('events'), boto3.client('scheduler'), boto3.client('sqs')

def fails(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        assert e.response['Error']['Code'] == code, e
        return
    raise AssertionError(f'{call} did not fail with {code}')

def queue(name):
    url = sqs.create_queue(QueueName=name)['QueueUrl']
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Statement': [{
        'Effect': 'Allow', 'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn}]})})
    return url, arn

def comes(url):
    got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)['Messages']
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]['ReceiptHandle'])
    return json.loads(got[0]['Body'])

def nothing(url):
    assert 'Messages' not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)

orders, paid = queue('orders'), queue('paid')

# A bus of one's own, with two rules of patterns, and a target that is given
# something else than the event.
bus = events.create_event_bus(Name='shop')['EventBusArn']
assert bus == 'arn:aws:events:us-west-2:000000000000:event-bus/shop', bus
fails('ResourceAlreadyExistsException', events.create_event_bus, Name='shop')
rule = events.put_rule(Name='all', EventBusName='shop', EventPattern=json.dumps({'source': [{'prefix': 'shop'}]}))['RuleArn']
assert rule == 'arn:aws:events:us-west-2:000000000000:rule/shop/all', rule
assert events.put_targets(Rule='all', EventBusName='shop', Targets=[{'Id': '1', 'Arn': orders[1]}])['FailedEntryCount'] == 0
events.put_rule(Name='paid', EventBusName='shop', EventPattern=json.dumps({'detail': {'total': [{'numeric': ['>', 10]}], 'state': ['paid']}}))
events.put_targets(Rule='paid', EventBusName='shop', Targets=[{'Id': 'q', 'Arn': paid[1], 'InputTransformer': {
    'InputPathsMap': {'who': '$.detail.who', 'total': '$.detail.total'}, 'InputTemplate': '{"message": "<who> paid <total>", "rule": <aws.events.rule-name>}'}}])
assert sorted(r['Name'] for r in events.list_rules(EventBusName='shop')['Rules']) == ['all', 'paid']
assert events.list_rules()['Rules'] == []
assert [t['Id'] for t in events.list_targets_by_rule(Rule='paid', EventBusName='shop')['Targets']] == ['q']
fails('InvalidEventPatternException', events.put_rule, Name='bad', EventPattern='{"source": "x"}')
assert events.test_event_pattern(EventPattern='{"source": ["a"]}', Event=json.dumps({'id': 'x', 'source': 'a', 'detail-type': 't', 'account': '1', 'time': '2026-01-01T00:00:00Z', 'region': 'r', 'resources': []}))['Result']

def put(detail, source='shop.web', on='shop'):
    return events.put_events(Entries=[{'EventBusName': on, 'Source': source, 'DetailType': 'order', 'Detail': json.dumps(detail)}])

sent = put({'who': 'ada', 'total': 12, 'state': 'paid'})
assert sent['FailedEntryCount'] == 0
event = comes(orders[0])
assert event['id'] == sent['Entries'][0]['EventId'] and event['source'] == 'shop.web' and event['detail-type'] == 'order' and event['detail']['who'] == 'ada', event
assert comes(paid[0]) == {'message': 'ada paid 12', 'rule': 'paid'}
put({'who': 'bob', 'total': 9, 'state': 'paid'}, on=bus) # by the bus's ARN
assert comes(orders[0])['detail']['who'] == 'bob'
put({'who': 'cai', 'total': 99, 'state': 'paid'}, on='default') # another bus
events.disable_rule(Name='all', EventBusName='shop')
put({'who': 'dan', 'total': 1})
nothing(orders[0])
nothing(paid[0])
events.enable_rule(Name='all', EventBusName='shop')
some = events.put_events(Entries=[{'Source': 'a', 'DetailType': 'b', 'Detail': 'no json'}, {'EventBusName': 'shop', 'Source': 'shop', 'DetailType': 'b', 'Detail': '{}'}])
assert some['FailedEntryCount'] == 1 and some['Entries'][0]['ErrorCode'] == 'MalformedDetail', some
assert comes(orders[0])['source'] == 'shop'
fails('ValidationException', events.delete_rule, Name='paid', EventBusName='shop') # it has targets
for name, id in (('paid', 'q'), ('all', '1')):
    events.remove_targets(Rule=name, EventBusName='shop', Ids=[id])
    events.delete_rule(Name=name, EventBusName='shop')
events.delete_event_bus(Name='shop')

# A rule's schedule is one of the default bus.
events.put_rule(Name='daily', ScheduleExpression='cron(0 8 * * ? *)', State='DISABLED')
assert events.describe_rule(Name='daily')['ScheduleExpression'] == 'cron(0 8 * * ? *)'
fails('ValidationException', events.put_rule, Name='bad', ScheduleExpression='cron(0 8 * * * *)')

# Schedules: once, in a zone, with an input; it goes when it is done.
group = scheduler.create_schedule_group(Name='mine')['ScheduleGroupArn']
assert group.endswith(':schedule-group/mine'), group
soon = (datetime.now(timezone.utc) + timedelta(hours=9, seconds=5)).strftime('%Y-%m-%dT%H:%M:%S')
target = {'Arn': orders[1], 'RoleArn': 'arn:aws:iam::000000000000:role/r', 'Input': '{"hello": "<aws.scheduler.schedule-arn>"}'}
off = {'Mode': 'OFF'}
made = scheduler.create_schedule(Name='once', GroupName='mine', ScheduleExpression=f'at({soon})', ScheduleExpressionTimezone='Asia/Tokyo', FlexibleTimeWindow=off, Target=target, ActionAfterCompletion='DELETE')
assert scheduler.get_schedule(Name='once', GroupName='mine')['ScheduleExpressionTimezone'] == 'Asia/Tokyo'
assert made['ScheduleArn'].endswith(':schedule/mine/once'), made
fails('ConflictException', scheduler.create_schedule, Name='once', GroupName='mine', ScheduleExpression='rate(1 day)', FlexibleTimeWindow=off, Target=target)
fails('ValidationException', scheduler.create_schedule, Name='bad', ScheduleExpression='rate(1 fortnight)', FlexibleTimeWindow=off, Target=target)
fails('ValidationException', scheduler.create_schedule, Name='bad', ScheduleExpression='rate(1 day)', ScheduleExpressionTimezone='Mars/Olympus', FlexibleTimeWindow=off, Target=target)
assert comes(orders[0]) == {'hello': made['ScheduleArn']}
for _ in range(200):
    if not scheduler.list_schedules(GroupName='mine')['Schedules']:
        break
    time.sleep(.01)
fails('ResourceNotFoundException', scheduler.get_schedule, Name='once', GroupName='mine')
scheduler.create_schedule(Name='always', ScheduleExpression='rate(1 minute)', FlexibleTimeWindow=off, Target=target)
scheduler.update_schedule(Name='always', ScheduleExpression='rate(2 minutes)', FlexibleTimeWindow=off, Target=target, State='DISABLED')
assert scheduler.get_schedule(Name='always')['State'] == 'DISABLED'
assert [s['Name'] for s in scheduler.list_schedules()['Schedules']] == ['always']
scheduler.delete_schedule(Name='always')
fails('ResourceNotFoundException', scheduler.delete_schedule, Name='always')
scheduler.delete_schedule_group(Name='mine')
print('ok')
