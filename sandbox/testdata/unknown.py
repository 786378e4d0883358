# Every service by boto3: once in another machine's name, which the door refuses, and
# once for an operation that the local cloud does not run. Both must be errors that the
# client can read: the first with the reason, the second with what was asked for.
import sys, boto3, botocore
endpoint = sys.argv[1]
config = botocore.config.Config(retries={'max_attempts': 1}, parameter_validation=False)
key = dict(region_name='us-west-2', aws_access_key_id='k', aws_secret_access_key='s', config=config)

def foreign(request, **_): request.headers['Host'] = 'evil.example'

calls = [
    ('cloudformation', 'list_types', {}), ('s3', 'get_bucket_analytics_configuration', dict(Bucket='bucket', Id='1')), ('ssm', 'list_documents', {}),
    ('s3', 'put_object_retention', dict(Bucket='bucket', Key='kept', Retention={})),
    ('secretsmanager', 'rotate_secret', dict(SecretId='s')), ('sts', 'get_session_token', {}), ('iam', 'list_users', {}), ('dynamodb', 'list_backups', {}),
    ('lambda', 'list_code_signing_configs', {}), ('scheduler', 'list_tags_for_resource', dict(ResourceArn='arn:aws:scheduler:us-west-2:000000000000:schedule-group/g')),
    ('events', 'list_archives', {}), ('sqs', 'add_permission', dict(QueueUrl='http://localhost/q', Label='l', AWSAccountIds=['1'], Actions=['*'])),
    ('sns', 'list_platform_applications', {}), ('apigatewayv2', 'get_domain_names', {}), ('apigateway', 'get_client_certificates', {}), ('logs', 'describe_metric_filters', {}),
    ('cloudwatch', 'describe_alarms', {}), ('ecr', 'list_images', dict(repositoryName='r')), ('kinesis', 'list_streams', {}), ('kms', 'list_keys', {}),
    ('ec2', 'describe_instances', {}), ('route53', 'list_hosted_zones', {}), ('cloudfront', 'list_distributions', {}), ('stepfunctions', 'update_map_run', {'mapRunArn': 'arn:aws:states:us-west-2:000000000000:mapRun:m/a:x'}),
    ('cognito-idp', 'list_user_pools', dict(MaxResults=1)), ('apigatewaymanagementapi', 'get_connection', dict(ConnectionId='none')),
]
boto3.client('s3', endpoint_url=endpoint, **key).create_bucket(Bucket='bucket', CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})
boto3.client('s3', endpoint_url=endpoint, **key).put_object(Bucket='bucket', Key='kept', Body=b'kept')
for service, operation, request in calls:
    for turned in (True, False):
        client = boto3.client(service, endpoint_url=endpoint, **key)
        if turned:
            client.meta.events.register('before-send', foreign)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        path = model.http['requestUri'].split('{')[0].split('?')[0]
        said = 'is not refused'
        try:
            getattr(client, operation)(**request)
        except botocore.exceptions.ClientError as e:
            error = e.response['Error']
            said = error['Code'] + ': ' + error['Message']
            if turned:
                good = error['Code'] in ('AccessDenied', 'AccessDeniedException') and '"evil.example" is not this machine' in error['Message']
            else:
                good = service == 'apigatewaymanagementapi' or model.name in error['Message'] or service == 's3' and operation.split('_')[2] in error['Message'] or len(path) > 1 and path in error['Message']
            if good:
                continue
        except Exception as e:
            said = type(e).__name__ + ': ' + str(e)
        print(service, operation, 'in another name' if turned else 'unknown', said)
print(len(calls), 'operations,', boto3.client('s3', endpoint_url=endpoint, **key).get_object(Bucket='bucket', Key='kept')['Body'].read().decode())
