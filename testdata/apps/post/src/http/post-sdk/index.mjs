import arc from '@architect/functions'
import awsLite from '@aws-lite/client'
import { SNSClient, PublishCommand, PublishBatchCommand } from '@aws-sdk/client-sns'
import { SQSClient, SendMessageCommand, SendMessageBatchCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs'

// The AWS SDK finds the local cloud by itself, and checks the digests.
export const handler = arc.http(async () => {
  const { queues, events } = await arc.services()
  const sqs = new SQSClient(), sns = new SNSClient()
  const { MessageId } = await sqs.send(new SendMessageCommand({
    QueueUrl: queues.jobs, MessageBody: '{"by":"sdk"}', MessageAttributes: { colour: { DataType: 'String', StringValue: 'red' } } }))
  const batch = await sqs.send(new SendMessageBatchCommand({
    QueueUrl: queues.orders, Entries: [1, 2, 3].map(n => ({ Id: `e${n}`, MessageBody: `{"n":${n}}`, MessageGroupId: 'g' })) }))
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queues.orders, AttributeNames: ['All'] }))
  await sns.send(new PublishCommand({ TopicArn: events.signup, Message: '{"by":"sdk"}' }))
  const more = await sns.send(new PublishBatchCommand({ TopicArn: events.signup, PublishBatchRequestEntries: [{ Id: 'a', Message: '{"by":"batch"}' }] }))
  // What arc.events.publish does on AWS: a signed GET.
  const lite = await awsLite({ endpoint: process.env.AWS_ENDPOINT_URL_SNS, plugins: [import('@aws-lite/sns')] })
  await lite.sns.Publish({ TopicArn: events.signup, Message: '{"by":"lite"}' })
  return { json: { sent: !!MessageId, batch: batch.Successful.length, fifo: Attributes.FifoQueue, published: more.Successful.length } }
})
