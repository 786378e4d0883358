// What of the CDK is made of custom resources, and needs no waiting state machine.
const cdk = require('aws-cdk-lib')
const { aws_lambda: lambda, aws_logs: logs, aws_s3: s3, aws_s3_deployment: deployment, custom_resources: cr } = cdk

class Errands extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id)
    const name = this.node.tryGetContext('name') ?? 'one'
    const site = new s3.Bucket(this, 'Site', { autoDeleteObjects: true, removalPolicy: cdk.RemovalPolicy.DESTROY, versioned: true })
    const deployed = new deployment.BucketDeployment(this, 'Deployment', {
      destinationBucket: site, sources: [deployment.Source.asset('site'), deployment.Source.jsonData('config.json', { bucket: site.bucketName, name })],
    })
    const written = new cr.AwsCustomResource(this, 'Written', {
      onUpdate: {
        service: 'SSM', action: 'putParameter', parameters: { Name: '/errands/name', Value: name, Type: 'String', Overwrite: true },
        physicalResourceId: cr.PhysicalResourceId.of('/errands/name'),
      },
      onDelete: { service: 'SSM', action: 'deleteParameter', parameters: { Name: '/errands/name' } },
      policy: cr.AwsCustomResourcePolicy.fromStatements([new cdk.aws_iam.PolicyStatement({ actions: ['ssm:PutParameter', 'ssm:DeleteParameter'], resources: ['*'] })]),
      installLatestAwsSdk: false,
    })
    const handler = new lambda.Function(this, 'Handler', {
      runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromAsset('provider'),
    })
    new logs.LogRetention(this, 'Retention', { logGroupName: `/aws/lambda/${handler.functionName}`, retention: logs.RetentionDays.ONE_WEEK })
    const provider = new cr.Provider(this, 'Provider', { onEventHandler: handler })
    const thing = new cdk.CustomResource(this, 'Thing', {
      serviceToken: provider.serviceToken, resourceType: 'Custom::Provided', properties: { Name: name, Fail: this.node.tryGetContext('fail') ?? 'no' },
    })
    new cdk.CfnOutput(this, 'Bucket', { value: deployed.deployedBucket.bucketName })
    new cdk.CfnOutput(this, 'Version', { value: written.getResponseField('Version') })
    new cdk.CfnOutput(this, 'Greeting', { value: thing.getAttString('Greeting') })
    new cdk.CfnOutput(this, 'Provided', { value: thing.ref })
    new cdk.CfnOutput(this, 'Function', { value: handler.functionName })
  }
}

new Errands(new cdk.App(), 'Errands')
