"""Drives the local cloud with boto3 as installed: the endpoint comes from the environment."""
import io
import boto3
from botocore.exceptions import ClientError

cf, s3, ssm = boto3.client("cloudformation"), boto3.client("s3"), boto3.client("ssm")
fast = {"Delay": 0.05, "MaxAttempts": 100}


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        assert e.response["ResponseMetadata"]["RequestId"], e
        return e.response["Error"]["Message"]
    raise AssertionError("not refused: " + code)


template = """
Parameters: {Size: {Type: String, Default: small, AllowedValues: [small, large]}}
Resources:
  Store: {Type: AWS::S3::Bucket}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
  SizeNote: {Type: AWS::SSM::Parameter, Properties: {Name: /boto/size, Type: String, Value: !Ref Size}}
Outputs:
  Store: {Value: !Ref Store, Export: {Name: boto-store}}
"""

refused("InsufficientCapabilitiesException", cf.create_stack, StackName="boto", TemplateBody=template)
caps = ["CAPABILITY_IAM"]
made = cf.create_stack(StackName="boto", TemplateBody=template, Capabilities=caps, ClientRequestToken="once")
again = cf.create_stack(StackName="boto", TemplateBody=template, Capabilities=caps, ClientRequestToken="once")
assert made["StackId"] == again["StackId"]
cf.get_waiter("stack_create_complete").wait(StackName="boto", WaiterConfig=fast)
refused("AlreadyExistsException", cf.create_stack, StackName="boto", TemplateBody=template, Capabilities=caps)
assert "must be one of" in refused("ValidationError", cf.update_stack, StackName="boto", UsePreviousTemplate=True, Capabilities=caps,
                                   Parameters=[{"ParameterKey": "Size", "ParameterValue": "huge"}])
assert refused("ValidationError", cf.update_stack, StackName="boto", UsePreviousTemplate=True, Capabilities=caps) == "No updates are to be performed."
cf.create_change_set(StackName="boto", ChangeSetName="bigger", UsePreviousTemplate=True, Capabilities=caps,
                     Parameters=[{"ParameterKey": "Size", "ParameterValue": "large"}])
cf.get_waiter("change_set_create_complete").wait(StackName="boto", ChangeSetName="bigger", WaiterConfig=fast)
seen = cf.describe_change_set(StackName="boto", ChangeSetName="bigger", IncludePropertyValues=True)
change = seen["Changes"][0]["ResourceChange"]
assert (change["Action"], change["Replacement"], change["Scope"]) == ("Modify", "False", ["Properties"]), change
detail = change["Details"][0]
assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Size"), detail
assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("small", "large"), detail
cf.execute_change_set(StackName="boto", ChangeSetName="bigger")
cf.get_waiter("stack_update_complete").wait(StackName="boto", WaiterConfig=fast)
assert ssm.get_parameter(Name="/boto/size")["Parameter"]["Value"] == "large"
assert ssm.get_parameters(Names=["/boto/size", "/none"])["InvalidParameters"] == ["/none"]
assert [x["Name"] for x in cf.list_exports()["Exports"]] == ["boto-store"]
assert cf.describe_stack_resources(StackName="boto")["StackResources"][0]["ResourceStatus"] == "CREATE_COMPLETE"
assert cf.get_template_summary(StackName="boto")["Capabilities"] == caps
assert cf.validate_template(TemplateBody=template)["Parameters"][0]["DefaultValue"] == "small"

bucket = cf.describe_stacks(StackName="boto")["Stacks"][0]["Outputs"][0]["OutputValue"]
s3.put_object(Bucket=bucket, Key="a b/ü.txt", Body=b"hello", ChecksumAlgorithm="SHA256", Metadata={"n": "1"})
assert s3.get_object(Bucket=bucket, Key="a b/ü.txt")["Body"].read() == b"hello"
s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), bucket, "big")
assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == 9_000_000
assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "us-west-2"
assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]
refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket)
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü.txt"})
from urllib.request import urlopen
assert urlopen(url).read() == b"hello"
# What is presigned is signed enough: by URL in either version, and by a form.
from urllib.request import Request
from botocore.config import Config
for old in ("s3", "s3v4"):
    url = boto3.client("s3", config=Config(signature_version=old)).generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": old})
    urlopen(Request(url, data=b"put", method="PUT"))
    assert s3.get_object(Bucket=bucket, Key=old)["Body"].read() == b"put"
sts_url = boto3.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
assert b"<Account>123456789012</Account>" in urlopen(sts_url).read()
post = s3.generate_presigned_post(bucket, "posted/${filename}")
parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v.encode()) for k, v in post["fields"].items())
parts += b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\nposted\r\n--b--\r\n'
assert urlopen(Request(post["url"], data=parts, headers={"Content-Type": "multipart/form-data; boundary=b"})).status == 204
assert s3.get_object(Bucket=bucket, Key="posted/f.txt")["Body"].read() == b"posted"
for key in ("s3", "s3v4", "posted/f.txt"):
    s3.delete_object(Bucket=bucket, Key=key)
s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "big"}, {"Key": "a b/ü.txt"}]})
cf.delete_stack(StackName="boto")
cf.get_waiter("stack_delete_complete").wait(StackName=made["StackId"], WaiterConfig=fast)
assert refused("ValidationError", cf.describe_stacks, StackName="boto") == "Stack with id boto does not exist"
print("ok")
