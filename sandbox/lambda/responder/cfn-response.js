// What CloudFormation puts beside code of a template under the name cfn-response:
// send answers the request of a custom resource.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-lambda-function-code-cfnresponsemodule.html
'use strict'
exports.SUCCESS = 'SUCCESS'
exports.FAILED = 'FAILED'

exports.send = (event, context, status, data, physicalId, noEcho) => new Promise((resolve) => {
  const body = JSON.stringify({
    Status: status,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: Boolean(noEcho),
    Data: data,
  })
  const to = new URL(event.ResponseURL)
  const { request } = require(to.protocol === 'http:' ? 'node:http' : 'node:https')
  const end = (value) => { context.done?.(); resolve(value) }
  const put = request(to, { method: 'PUT', headers: { 'content-type': '', 'content-length': Buffer.byteLength(body) } }, (answer) => {
    answer.resume()
    answer.on('end', () => end(answer.statusCode))
  })
  put.on('error', (error) => {
    console.log(`the answer was not sent: ${error.message}`)
    end()
  })
  put.end(body)
})
