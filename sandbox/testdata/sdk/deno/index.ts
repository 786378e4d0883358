// A function in Deno that calls services with AWS's own SDK, from npm, and says over
// its WebSocket what came of it.
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from 'npm:@aws-sdk/client-apigatewaymanagementapi@^3'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from 'npm:@aws-sdk/client-dynamodb@^3'
import { EventBridgeClient, PutEventsCommand } from 'npm:@aws-sdk/client-eventbridge@^3'
import { InvokeCommand, LambdaClient } from 'npm:@aws-sdk/client-lambda@^3'
import { GetObjectCommand, PutObjectCommand, S3Client } from 'npm:@aws-sdk/client-s3@^3'
import { GetSecretValueCommand, SecretsManagerClient } from 'npm:@aws-sdk/client-secrets-manager@^3'
import { PublishCommand, SNSClient } from 'npm:@aws-sdk/client-sns@^3'
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from 'npm:@aws-sdk/client-sqs@^3'
import { GetParameterCommand, SSMClient } from 'npm:@aws-sdk/client-ssm@^3'
import { GetCallerIdentityCommand, STSClient } from 'npm:@aws-sdk/client-sts@^3'

const env = (name: string) => Deno.env.get(name)!

async function calls() {
  const said = []
  const table = new DynamoDBClient(), Key = { id: { S: 'deno' } }
  await table.send(new PutItemCommand({ TableName: env('TABLE'), Item: Key }))
  said.push((await table.send(new GetItemCommand({ TableName: env('TABLE'), Key }))).Item!.id.S)
  const queue = new SQSClient()
  await queue.send(new SendMessageCommand({ QueueUrl: env('QUEUE'), MessageBody: 'queued' }))
  said.push((await queue.send(new ReceiveMessageCommand({ QueueUrl: env('QUEUE'), WaitTimeSeconds: 10 }))).Messages![0].Body)
  await new SNSClient().send(new PublishCommand({ TopicArn: env('TOPIC'), Message: 'published' }))
  const objects = new S3Client(), object = { Bucket: env('BUCKET'), Key: 'deno/a.txt' }
  await objects.send(new PutObjectCommand({ ...object, Body: 'stored' }))
  said.push(await (await objects.send(new GetObjectCommand(object))).Body!.transformToString())
  said.push((await new SSMClient().send(new GetParameterCommand({ Name: env('PARAMETER') }))).Parameter!.Value)
  said.push((await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId: env('SECRET') }))).SecretString)
  said.push((await new EventBridgeClient().send(new PutEventsCommand({ Entries: [ { Source: 'sdk', DetailType: 'call', Detail: '{}' } ] }))).FailedEntryCount)
  said.push(new TextDecoder().decode((await new LambdaClient().send(new InvokeCommand({ FunctionName: env('OTHER'), Payload: '{}' }))).Payload))
  said.push((await new STSClient().send(new GetCallerIdentityCommand())).Arn!.split('/')[0])
  return said.join(' ')
}

export async function handler({ requestContext: { connectionId, domainName, stage, eventType } }: any) {
  if (eventType === 'MESSAGE') {
    const text = await calls().catch((err) => String(err.stack))
    await new ApiGatewayManagementApiClient({ endpoint: `https://${domainName}/${stage}` }).send(new PostToConnectionCommand({ ConnectionId: connectionId, Data: text }))
  }
  return { statusCode: 200 }
}
