# A function in Ruby that calls services with AWS's own SDK, and says over its
# WebSocket what came of it. Of the SDK there are packages for S3 and STS; the others
# are asked through its signer.
require 'aws-sdk-s3'
require 'aws-sdk-core'
require 'json'
require 'net/http'

def post(service, host, path, headers, body)
  credentials = Aws::Credentials.new(ENV['AWS_ACCESS_KEY_ID'], ENV['AWS_SECRET_ACCESS_KEY'], ENV['AWS_SESSION_TOKEN'])
  uri = URI("https://#{host}#{path}")
  signed = Aws::Sigv4::Signer.new(service: service, region: ENV['AWS_REGION'], credentials_provider: credentials).
    sign_request(http_method: 'POST', url: uri.to_s, headers: headers, body: body)
  response = Net::HTTP.start(uri.host, uri.port, use_ssl: true) { |http| http.post(uri.request_uri, body, headers.merge(signed.headers)) }
  raise "#{service}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)
  response.body
end

def json(service, target, input, host = service)
  headers = { 'X-Amz-Target' => target, 'Content-Type' => 'application/x-amz-json-1.0' }
  JSON.parse(post(service, "#{host}.#{ENV['AWS_REGION']}.amazonaws.com", '/', headers, input.to_json))
end

def calls
  key = { id: { S: 'ruby' } }
  json('dynamodb', 'DynamoDB_20120810.PutItem', { TableName: ENV['TABLE'], Item: key })
  said = [json('dynamodb', 'DynamoDB_20120810.GetItem', { TableName: ENV['TABLE'], Key: key })['Item']['id']['S']]
  json('sqs', 'AmazonSQS.SendMessage', { QueueUrl: ENV['QUEUE'], MessageBody: 'queued' })
  said << json('sqs', 'AmazonSQS.ReceiveMessage', { QueueUrl: ENV['QUEUE'], WaitTimeSeconds: 10 })['Messages'][0]['Body']
  publish = URI.encode_www_form(Action: 'Publish', Version: '2010-03-31', TopicArn: ENV['TOPIC'], Message: 'published')
  post('sns', "sns.#{ENV['AWS_REGION']}.amazonaws.com", '/', { 'Content-Type' => 'application/x-www-form-urlencoded' }, publish)
  objects = Aws::S3::Client.new
  objects.put_object(bucket: ENV['BUCKET'], key: 'ruby/a.txt', body: 'stored')
  said << objects.get_object(bucket: ENV['BUCKET'], key: 'ruby/a.txt').body.read
  said << json('ssm', 'AmazonSSM.GetParameter', { Name: ENV['PARAMETER'] })['Parameter']['Value']
  said << json('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId: ENV['SECRET'] })['SecretString']
  said << json('events', 'AWSEvents.PutEvents', { Entries: [{ Source: 'sdk', DetailType: 'call', Detail: '{}' }] })['FailedEntryCount']
  said << post('lambda', "lambda.#{ENV['AWS_REGION']}.amazonaws.com", "/2015-03-31/functions/#{ENV['OTHER']}/invocations", {}, '{}')
  said << Aws::STS::Client.new.get_caller_identity.arn.split('/')[0]
  said.join(' ')
end

def handler(event:, context:)
  about = event['requestContext']
  if about['eventType'] == 'MESSAGE'
    begin
      text = calls
    rescue StandardError => e
      text = "#{e.class} #{e.message} #{e.backtrace.first(3)}"
    end
    post('execute-api', about['domainName'], "/#{about['stage']}/@connections/#{about['connectionId']}", {}, text)
  end
  { statusCode: 200 }
end
