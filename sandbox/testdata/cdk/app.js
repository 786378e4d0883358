const cdk = require('aws-cdk-lib')
const { aws_apigateway: rest, aws_apigatewayv2: api, aws_apigatewayv2_integrations: to, aws_dynamodb: dynamodb, aws_lambda: lambda, aws_lambda_event_sources: from, aws_sqs: sqs, aws_stepfunctions: sfn, aws_stepfunctions_tasks: tasks } = cdk

class Notes extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id)
    const table = new dynamodb.Table(this, 'Table', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING }, billingMode: dynamodb.BillingMode.PAY_PER_REQUEST, removalPolicy: cdk.RemovalPolicy.DESTROY,
    })
    const queue = new sqs.Queue(this, 'Queue')
    const f = new lambda.Function(this, 'Function', {
      runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('fn'), timeout: cdk.Duration.seconds(29),
      environment: { TABLE: table.tableName, QUEUE: queue.queueUrl },
    })
    table.grantReadWriteData(f)
    queue.grantSendMessages(f)
    f.addEventSource(new from.SqsEventSource(queue))
    const http = new api.HttpApi(this, 'HttpApi', { defaultIntegration: new to.HttpLambdaIntegration('Call', f) })
    const socket = new api.WebSocketApi(this, 'SocketApi', {
      connectRouteOptions: { integration: new to.WebSocketLambdaIntegration('Connect', f) },
      defaultRouteOptions: { integration: new to.WebSocketLambdaIntegration('Message', f) },
    })
    const stage = new api.WebSocketStage(this, 'Live', { webSocketApi: socket, stageName: 'live', autoDeploy: true })
    stage.grantManagementApiAccess(f)
    const front = new rest.RestApi(this, 'Rest', {
      defaultIntegration: new rest.LambdaIntegration(new lambda.Function(this, 'RestFunction', {
        runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler',
        code: lambda.Code.fromInline('exports.handler = async e => ({ statusCode: 200, body: [e.httpMethod, e.resource, e.path].join(" ") })'),
      })),
      defaultCorsPreflightOptions: { allowOrigins: rest.Cors.ALL_ORIGINS },
    })
    front.root.addMethod('ANY')
    front.root.addProxy()
    const key = front.addUsagePlan('Plan', { apiStages: [{ stage: front.deploymentStage }] })
    key.addApiKey(front.addApiKey('Key'))
    const locked = front.root.addResource('locked').addResource('{id}')
    locked.addMethod('GET', new rest.MockIntegration({
      requestTemplates: { 'application/json': '{ "statusCode": 200 }' },
      integrationResponses: [{ statusCode: '200', responseTemplates: { 'application/json': '{"id":"$input.params(\'id\')"}' } }],
    }), { apiKeyRequired: true, methodResponses: [{ statusCode: '200' }] })
    const twice = new lambda.Function(this, 'Twice', {
      runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromInline('exports.handler = async n => n * 2'),
    })
    const sum = sfn.Pass.jsonata(this, 'Sum', { assign: { sum: '{% $sum($states.input.querystring.$number(n)) %}' } })
    const large = sfn.Pass.jsonata(this, 'Large', { outputs: { large: '{% $states.input %}', for: '{% $sum %}' } })
    const choice = sfn.Choice.jsonata(this, 'Much')
      .when(sfn.Condition.jsonata('{% $states.input > 5 %}'), large)
      .otherwise(sfn.Fail.jsonata(this, 'Small', { error: 'Small', cause: "{% 'only ' & $states.input %}" }))
    const ask = tasks.LambdaInvoke.jsonata(this, 'Ask', { lambdaFunction: twice, payload: sfn.TaskInput.fromText('{% $sum %}'), outputs: '{% $states.result.Payload %}' })
    front.root.addResource('sum').addMethod('GET', rest.StepFunctionsIntegration.startExecution(new sfn.StateMachine(this, 'Machine', {
      stateMachineType: sfn.StateMachineType.EXPRESS, queryLanguage: sfn.QueryLanguage.JSONATA, definitionBody: sfn.DefinitionBody.fromChainable(sum.next(ask).next(choice)),
    })))
    new cdk.CfnOutput(this, 'Front', { value: front.url })
    new cdk.CfnOutput(this, 'Http', { value: http.url })
    new cdk.CfnOutput(this, 'Socket', { value: stage.url })
  }
}

new Notes(new cdk.App(), 'Notes')
