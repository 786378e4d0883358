# boto3 makes, runs and reads state machines, as programs that were written for AWS do.
import json, sys, time, boto3, botocore
config = botocore.config.Config(retries={'max_attempts': 1}, inject_host_prefix=False)
sfn = boto3.client('stepfunctions', config=config)
role = 'arn:aws:iam::000000000000:role/any'

def refused(code, call, **request):
    try:
        call(**request)
    except botocore.exceptions.ClientError as e:
        assert e.response['Error']['Code'] == code, e
        assert code in dir(sfn.exceptions) or code in ('ValidationException', 'InvalidArn'), code
        return str(e)
    raise AssertionError(f'{call} is not refused')

def define(state, **more):
    return json.dumps({'StartAt': 'S', 'States': {'S': {**state, 'End': True}}, **more})

made = sfn.create_state_machine(name='plain', definition=define({'Type': 'Pass', 'Parameters': {'n.$': '$.n'}}), roleArn=role, tags=[{'key': 'a', 'value': 'b'}])
arn = made['stateMachineArn']
assert sfn.create_state_machine(name='plain', definition=define({'Type': 'Pass', 'Parameters': {'n.$': '$.n'}}), roleArn=role)['stateMachineArn'] == arn
refused('StateMachineAlreadyExists', sfn.create_state_machine, name='plain', definition=define({'Type': 'Pass'}), roleArn=role)
assert "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next" in refused('InvalidDefinition', sfn.create_state_machine, name='x', roleArn=role, definition='{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}')
found = sfn.validate_state_machine_definition(definition='{}')
assert found['result'] == 'FAIL' and found['diagnostics'][0]['location'] == '/', found
assert sfn.validate_state_machine_definition(definition=define({'Type': 'Pass'}))['result'] == 'OK'
is_ = sfn.describe_state_machine(stateMachineArn=arn)
assert is_['status'] == 'ACTIVE' and is_['type'] == 'STANDARD' and json.loads(is_['definition'])['StartAt'] == 'S' and is_['creationDate'].year > 2000, is_
assert [m['name'] for m in sfn.list_state_machines()['stateMachines']] == ['plain']
assert sfn.list_tags_for_resource(resourceArn=arn)['tags'] == [{'key': 'a', 'value': 'b'}]

def run(machine, **request):
    x = sfn.start_execution(stateMachineArn=machine, **request)['executionArn']
    for _ in range(1000):
        told = sfn.describe_execution(executionArn=x)
        if told['status'] != 'RUNNING':
            return told
        time.sleep(0.01)
    raise AssertionError(told)

told = run(arn, name='one', input='{"n":1}')
assert told['output'] == '{"n":1}' and told['outputDetails'] == {'included': True} and told['stopDate'] >= told['startDate'], told
refused('ExecutionAlreadyExists', sfn.start_execution, stateMachineArn=arn, name='one', input='{}')
refused('InvalidExecutionInput', sfn.start_execution, stateMachineArn=arn, input='{')
refused('StateMachineDoesNotExist', sfn.start_execution, stateMachineArn=arn + 'x')
refused('ExecutionDoesNotExist', sfn.describe_execution, executionArn=told['executionArn'] + 'x')
events = [e for page in sfn.get_paginator('get_execution_history').paginate(executionArn=told['executionArn'], PaginationConfig={'PageSize': 2}) for e in page['events']]
assert [e['type'] for e in events] == ['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded'], events
assert events[2]['stateExitedEventDetails'] == {'name': 'S', 'output': '{"n":1}', 'outputDetails': {'truncated': False}}, events
assert 'input' not in sfn.get_execution_history(executionArn=told['executionArn'], includeExecutionData=False)['events'][0]['executionStartedEventDetails']
sfn.update_state_machine(stateMachineArn=arn, definition=define({'Type': 'Pass', 'Result': 2}))
assert run(arn)['output'] == '2'
assert 'Parameters' in sfn.describe_state_machine_for_execution(executionArn=told['executionArn'])['definition']
assert [x['status'] for x in sfn.list_executions(stateMachineArn=arn)['executions']] == ['SUCCEEDED', 'SUCCEEDED']

def query(name, states, **more):
    return sfn.create_state_machine(name=name, roleArn=role, definition=json.dumps({'QueryLanguage': 'JSONata', 'StartAt': 'S', 'States': states}), **more)['stateMachineArn']

# JSONata, the other language of definitions.
chosen = query('chosen', {
    'S': {'Type': 'Pass', 'Assign': {'total': '{% $sum($states.input.orders.(qty * price)) %}'}, 'Output': '{% $states.input.orders[qty > 1].sku %}', 'Next': 'C'},
    'C': {'Type': 'Choice', 'Choices': [{'Condition': '{% $total >= 10 %}', 'Next': 'Large', 'Output': {'skus': '{% $states.input %}', 'total': '{% $total %}'}}], 'Default': 'Small'},
    'Large': {'Type': 'Succeed'},
    'Small': {'Type': 'Fail', 'Error': 'Small', 'Cause': '{% "only " & $total %}'}})
told = run(chosen, input='{"orders":[{"sku":"pen","qty":4,"price":1.5},{"sku":"ink","qty":1,"price":5}]}')
assert json.loads(told['output']) == {'skus': 'pen', 'total': 11}, told
told = run(chosen, input='{"orders":[{"sku":"pen","qty":2,"price":1}]}')
assert told['status'] == 'FAILED' and told['error'] == 'Small' and told['cause'] == 'only 2', told
told = run(chosen, input='{"orders":[{"qty":"many","price":1}]}')
assert told['error'] == 'States.QueryEvaluationError' and told['cause'].endswith('T2001: The left side of the "*" operator must evaluate to a number'), told
event = sfn.get_execution_history(executionArn=told['executionArn'])['events'][2]
assert event['type'] == 'EvaluationFailed' and event['evaluationFailedEventDetails']['location'] == 'Assign/total', event
assert 'INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/S/Output' in refused('InvalidDefinition', sfn.create_state_machine, name='x', roleArn=role,
    definition='{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Succeed","Output":"{% 1 + %}"}}}')

# Versions and aliases.
said = refused('ValidationException', sfn.create_state_machine, name='app', definition=define({'Type': 'Pass'}), roleArn=role, versionDescription='v')
assert said.endswith('Version description can only be set when publish is true'), said
made = sfn.create_state_machine(name='app', definition=define({'Type': 'Pass', 'Result': 1}), roleArn=role, publish=True, versionDescription='first')
app, first = made['stateMachineArn'], made['stateMachineVersionArn']
assert first == app + ':1'
assert 'revisionId' not in sfn.describe_state_machine(stateMachineArn=app)
told = sfn.update_state_machine(stateMachineArn=app, publish=True)
assert told['stateMachineVersionArn'] == first and 'revisionId' not in told, told
changed = sfn.update_state_machine(stateMachineArn=app, definition=define({'Type': 'Pass', 'Result': 2}))
assert sfn.describe_state_machine(stateMachineArn=app)['revisionId'] == changed['revisionId']
said = refused('ConflictException', sfn.publish_state_machine_version, stateMachineArn=app, revisionId='INITIAL')
assert said.endswith(f"Failed to publish the State Machine version for revision INITIAL. The current State Machine revision is {changed['revisionId']}."), said
second = sfn.publish_state_machine_version(stateMachineArn=app, revisionId=changed['revisionId'], description='next')['stateMachineVersionArn']
assert second == app + ':2' and sfn.publish_state_machine_version(stateMachineArn=app)['stateMachineVersionArn'] == second
assert [v['stateMachineVersionArn'] for v in sfn.list_state_machine_versions(stateMachineArn=app)['stateMachineVersions']] == [second, first]
was = sfn.describe_state_machine(stateMachineArn=first)
assert was['stateMachineArn'] == first and was['description'] == 'first' and json.loads(was['definition'])['States']['S']['Result'] == 1 and 'revisionId' not in was, was
told = run(first, name='by-version')
assert told['output'] == '1' and told['stateMachineArn'] == app and told['stateMachineVersionArn'] == first and 'stateMachineAliasArn' not in told, told
assert run(app)['output'] == '2'

def routes(*pairs):
    return [{'stateMachineVersionArn': version, 'weight': weight} for version, weight in pairs]

live = sfn.create_state_machine_alias(name='live', description='d', routingConfiguration=routes((first, 100)))['stateMachineAliasArn']
assert live == app + ':live' and sfn.create_state_machine_alias(name='live', description='d', routingConfiguration=routes((first, 100)))['stateMachineAliasArn'] == live
refused('ConflictException', sfn.create_state_machine_alias, name='live', routingConfiguration=routes((second, 100)))
for name, given, words in (
        ('123', routes((first, 100)), r'satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$'),
        ('x', routes((app, 100)), f'Routing configuration must contain state machine version ARNs. Received: [{app}]'),
        ('x', routes((first, 50), (first, 50)), f'Routing configuration must contain distinct state machine version ARNs. Received: [{first}, {first}]'),
        ('x', routes((first, 70), (second, 29)), 'Sum of routing configuration weights must equal 100. Received: [70, 29]'),
        ('x', routes((first, 101)), 'Member must have value less than or equal to 100')):
    said = refused('ValidationException', sfn.create_state_machine_alias, name=name, routingConfiguration=given)
    assert said.endswith(words), said
refused('ResourceNotFound', sfn.create_state_machine_alias, name='x', routingConfiguration=routes((app + ':9', 100)))
told = run(live, name='by-alias')
assert told['output'] == '1' and told['stateMachineAliasArn'] == live and told['stateMachineVersionArn'] == first, told
sfn.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=routes((first, 50), (second, 50)))
assert {run(live)['output'] for _ in range(60)} == {'1', '2'}
is_ = sfn.describe_state_machine_alias(stateMachineAliasArn=live)
assert is_['name'] == 'live' and is_['description'] == 'd' and is_['routingConfiguration'] == routes((first, 50), (second, 50)), is_
assert [a['stateMachineAliasArn'] for a in sfn.list_state_machine_aliases(stateMachineArn=app)['stateMachineAliases']] == [live]
assert len(sfn.list_executions(stateMachineArn=live)['executions']) == 61 and [x['name'] for x in sfn.list_executions(stateMachineArn=first)['executions']][-1] == 'by-version'
said = refused('ConflictException', sfn.delete_state_machine_version, stateMachineVersionArn=second)
assert said.endswith('Current list of aliases referencing this version: [live]'), said
sfn.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=routes((second, 100)))
sfn.delete_state_machine_version(stateMachineVersionArn=first)
sfn.delete_state_machine_version(stateMachineVersionArn=first)
refused('StateMachineDoesNotExist', sfn.start_execution, stateMachineArn=first)
sfn.update_state_machine(stateMachineArn=app, definition=define({'Type': 'Pass', 'Result': 3}), publish=True)
assert sfn.list_state_machine_versions(stateMachineArn=app)['stateMachineVersions'][0]['stateMachineVersionArn'] == app + ':3'
sfn.delete_state_machine_alias(stateMachineAliasArn=live)
refused('ResourceNotFound', sfn.describe_state_machine_alias, stateMachineAliasArn=live)
refused('ResourceNotFound', sfn.update_state_machine_alias, stateMachineAliasArn=live, description='x')
sfn.delete_state_machine(stateMachineArn=app)
refused('StateMachineDoesNotExist', sfn.start_execution, stateMachineArn=second)
refused('InvalidArn', sfn.publish_state_machine_version, stateMachineArn='nothing')

# Activities: workers ask for tasks.
work = sfn.create_activity(name='work', tags=[{'key': 'a', 'value': 'b'}])['activityArn']
assert sfn.create_activity(name='work')['activityArn'] == work and work.endswith(':activity:work')
assert [a['name'] for a in sfn.list_activities()['activities']] == ['work']
is_ = sfn.describe_activity(activityArn=work)
assert is_['name'] == 'work' and is_['encryptionConfiguration'] == {'type': 'AWS_OWNED_KEY'}, is_
assert sfn.list_tags_for_resource(resourceArn=work)['tags'] == [{'key': 'a', 'value': 'b'}]
refused('InvalidName', sfn.create_activity, name='activity name')
assert refused('InvalidArn', sfn.describe_activity, activityArn='no_activity').endswith("Invalid Arn: 'Invalid ARN prefix: no_activity'")

def ended(x):
    for _ in range(1000):
        told = sfn.describe_execution(executionArn=x)
        if told['status'] != 'RUNNING':
            return told, [(e['type'], e.get('activity' + e['type'][8:] + 'EventDetails')) for e in sfn.get_execution_history(executionArn=x)['events'] if e['type'].startswith('Activity')]
        time.sleep(0.01)
    raise AssertionError(told)

does = sfn.create_state_machine(name='does', definition=define({'Type': 'Task', 'Resource': work, 'HeartbeatSeconds': 10, 'TimeoutSeconds': 60}), roleArn=role)['stateMachineArn']
x = sfn.start_execution(stateMachineArn=does, input='{"n":1}')['executionArn']
task = sfn.get_activity_task(activityArn=work, workerName='ann')
assert task['input'] == '{"n":1}', task
sfn.send_task_heartbeat(taskToken=task['taskToken'])
sfn.send_task_success(taskToken=task['taskToken'], output='{"n":2}')
told, events = ended(x)
assert told['output'] == '{"n":2}' and events == [
    ('ActivityScheduled', {'resource': work, 'input': '{"n":1}', 'inputDetails': {'truncated': False}, 'timeoutInSeconds': 60, 'heartbeatInSeconds': 10}),
    ('ActivityStarted', {'workerName': 'ann'}), ('ActivitySucceeded', {'output': '{"n":2}', 'outputDetails': {'truncated': False}})], (told, events)
x = sfn.start_execution(stateMachineArn=does)['executionArn']
sfn.send_task_failure(taskToken=sfn.get_activity_task(activityArn=work)['taskToken'], error='E', cause='c')
told, events = ended(x)
assert told['error'] == 'E' and events[1:] == [('ActivityStarted', {}), ('ActivityFailed', {'error': 'E', 'cause': 'c'})], (told, events)
sfn.delete_activity(activityArn=work)
sfn.delete_activity(activityArn=work)
assert refused('ActivityDoesNotExist', sfn.get_activity_task, activityArn=work).endswith(f"Activity Does Not Exist: '{work}'")
told, events = ended(sfn.start_execution(stateMachineArn=does)['executionArn'])
assert told['error'] == 'States.Runtime' and told['cause'].endswith(f'The activity {work} does not exist.') and not events, (told, events)

waits = sfn.create_state_machine(name='waits', definition=define({'Type': 'Wait', 'Seconds': 3600}), roleArn=role)['stateMachineArn']
x = sfn.start_execution(stateMachineArn=waits)['executionArn']
sfn.stop_execution(executionArn=x, error='Enough', cause='late')
told = sfn.describe_execution(executionArn=x)
assert told['status'] == 'ABORTED' and told['error'] == 'Enough', told
refused('TaskTimedOut', sfn.send_task_success, taskToken='x' * 80, output='{}')
refused('InvalidToken', sfn.send_task_failure, taskToken='x')

quick = sfn.create_state_machine(name='quick', type='EXPRESS', definition=define({'Type': 'Pass'}), roleArn=role)['stateMachineArn']
told = sfn.start_sync_execution(stateMachineArn=quick, input='{"a":"ü"}')
assert told['status'] == 'SUCCEEDED' and told['output'] == '{"a":"ü"}' and told['billingDetails']['billedMemoryUsedInMB'] == 64, told
refused('StateMachineTypeNotSupported', sfn.start_sync_execution, stateMachineArn=arn)
refused('StateMachineTypeNotSupported', sfn.list_executions, stateMachineArn=quick)
sfn.delete_state_machine(stateMachineArn=quick)
refused('StateMachineDoesNotExist', sfn.describe_state_machine, stateMachineArn=quick)

told = sfn.test_state(definition=json.dumps({'Type': 'Pass', 'Parameters': {'twice.$': "States.Format('{}{}', $.n, $.n)"}, 'Next': 'Then'}), roleArn=role, input='{"n":4}', inspectionLevel='DEBUG')
assert told['status'] == 'SUCCEEDED' and told['output'] == '{"twice":"44"}' and told['nextState'] == 'Then', told
assert told['inspectionData']['afterParameters'] == '{"twice":"44"}', told
told = sfn.test_state(definition=json.dumps({'Type': 'Fail', 'Error': 'E', 'Cause': 'c'}), roleArn=role)
assert (told['status'], told['error'], told['cause']) == ('FAILED', 'E', 'c'), told
assert refused('ValidationException', sfn.test_state, definition=json.dumps({'Type': 'Task', 'Resource': 'arn:aws:states:::lambda:invoke', 'Parameters': {'FunctionName': 'f'}, 'End': True})).endswith('RoleArn must be specified when testing a Task state')
print('ok')
