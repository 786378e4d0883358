# Makes a stack of a template, with a folder as the layer in its bucket Artifacts.
import io, os, sys, zipfile, boto3
endpoint, stack, template, layer = sys.argv[1:5]
def client(name): return boto3.client(name, endpoint_url=endpoint, region_name='us-west-2', aws_access_key_id='k', aws_secret_access_key='s')
packed = io.BytesIO()
with zipfile.ZipFile(packed, 'w') as z:
    for folder, _, names in os.walk(layer):
        for name in names:
            path = os.path.join(folder, name)
            z.write(path, os.path.relpath(path, layer))
s3, cf = client('s3'), client('cloudformation')
s3.create_bucket(Bucket='reads-artifacts', CreateBucketConfiguration={'LocationConstraint': 'us-west-2'})
s3.put_object(Bucket='reads-artifacts', Key='layer.zip', Body=packed.getvalue())
cf.create_stack(StackName=stack, TemplateBody=open(template).read(), Capabilities=['CAPABILITY_IAM'], Parameters=[{'ParameterKey': 'Artifacts', 'ParameterValue': 'reads-artifacts'}])
waiter = cf.get_waiter('stack_create_complete')
waiter.wait(StackName=stack, WaiterConfig={'Delay': 1})
