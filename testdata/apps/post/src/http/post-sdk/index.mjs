import arc from '@architect/functions'
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
  return { json: { sent: !!MessageId, batch: batch.Successful.length, fifo: Attributes.FifoQueue, published: more.Successful.length } }
})
