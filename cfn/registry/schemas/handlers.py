#!/usr/bin/env python3
"""Writes handlers.txt: what CloudFormation does in its caller's name to make, read,
change and delete a resource: the permissions that the handlers in the resource
schemas name. Give it the directory of the schemas that AWS publishes
(CloudformationSchema.zip, unpacked), then read the difference:

    python3 cfn/registry/schemas/handlers.py DIRECTORY

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html

Where that cannot be had, the same files are in the folder aws-cloudformation-schema of
https://github.com/pulumi/pulumi-aws-native, which takes them from AWS once a week.
"""
import json
import pathlib
import sys

TYPES = {
    "ApiGatewayV2": "Api ApiMapping Authorizer Deployment DomainName Integration IntegrationResponse Model Route RouteResponse Stage",
    "ApiGateway": "Account ApiKey Authorizer BasePathMapping Deployment DomainName GatewayResponse Method Model RequestValidator Resource RestApi "
    "Stage UsagePlan UsagePlanKey",
    "CloudFormation": "Stack WaitConditionHandle",
    "CloudFront": "CachePolicy CloudFrontOriginAccessIdentity Distribution Function OriginAccessControl OriginRequestPolicy "
    "ResponseHeadersPolicy",
    "CloudWatch": "Alarm Dashboard",
    "DynamoDB": "GlobalTable Table",
    "ECR": "Repository",
    "Events": "EventBus EventBusPolicy Rule",
    "IAM": "Group InstanceProfile ManagedPolicy Policy Role RolePolicy User",
    "KMS": "Alias Key",
    "Lambda": "Alias EventInvokeConfig EventSourceMapping Function LayerVersion LayerVersionPermission Permission Url Version",
    "Logs": "LogGroup LogStream MetricFilter ResourcePolicy SubscriptionFilter",
    "S3": "Bucket BucketPolicy",
    "SNS": "Subscription Topic TopicInlinePolicy TopicPolicy",
    "SQS": "Queue QueueInlinePolicy QueuePolicy",
    "SSM": "Parameter",
    "Scheduler": "Schedule ScheduleGroup",
    "SecretsManager": "ResourcePolicy Secret",
    "StepFunctions": "Activity StateMachine StateMachineAlias StateMachineVersion",
}

HEAD = """\
# What CloudFormation does in its caller's name to make, read, change and delete a
# resource: the handlers' permissions in the resource schemas that AWS publishes
# (CloudformationSchema.zip, 7 August 2026; of API Gateway as pulumi/pulumi-aws-native
# keeps it, 3 August 2026). A handler asks for all of them that what the template sets
# makes it call. Written by handlers.py.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-type-schemas.html
"""


def main(directory):
    lines = []
    for service, names in sorted(TYPES.items()):
        for name in names.split():
            file = pathlib.Path(directory, f"aws-{service}-{name}.json".lower())
            if not file.exists():
                print("no schema of", service, name, file=sys.stderr)
                continue
            schema = json.loads(file.read_text())
            lines.append(f"AWS::{service}::{name}")
            for step in "create", "read", "update", "delete":
                actions = {}
                for permission in schema.get("handlers", {}).get(step, {}).get("permissions", []):
                    prefix, action = permission.split(":", 1)
                    actions.setdefault(prefix.lower(), set()).add(action)
                if actions:
                    lines.append(f"\t{step} " + " ".join(f"{p}:{','.join(sorted(a))}" for p, a in sorted(actions.items())))
    pathlib.Path(__file__).with_name("handlers.txt").write_text(HEAD + "\n".join(lines) + "\n")


main(sys.argv[1])
