// Reads objects from S3 with requests that it signs itself (Signature Version 4:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html),
// because loading an AWS SDK would take longer than all else that a cold start does.

import { createHash, createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'

const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true }),
}

const sha256 = text => createHash('sha256').update(text).digest('hex')
const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
const empty = sha256('')

// S3 wants everything but A-Z a-z 0-9 - _ . ~ encoded; encodeURIComponent leaves five more.
const encode = text => encodeURIComponent(text).replace(/[!'()*]/g, c => '%' + c.charCodeAt(0).toString(16).toUpperCase())

// The region of the bucket, once S3 has said that it is not the function's.
let elsewhere

function region (env) {
  return elsewhere ?? env.AWS_REGION ?? 'us-east-1'
}

// address is the URL of an object: with the bucket in the host name on AWS, in
// the path on any other endpoint and where a dot in the name would not match
// S3's certificate.
export function address (bucket, key, env = process.env) {
  const path = key.split('/').map(encode).join('/')
  const custom = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL
  if (custom) return new URL(`${custom.replace(/\/+$/, '')}/${bucket}/${path}`)
  const at = region(env)
  const host = `s3.${at}.amazonaws.com${at.startsWith('cn-') ? '.cn' : ''}`
  return new URL(bucket.includes('.') ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`)
}

function signature ({ method, url, query, headers, payload, date, env }) {
  const names = Object.keys(headers).sort()
  const request = [
    method,
    url.pathname,
    query,
    ...names.map(name => `${name}:${headers[name].trim()}`),
    '',
    names.join(';'),
    payload,
  ].join('\n')
  const scope = scopeOf(date, env)
  const text = [ 'AWS4-HMAC-SHA256', date, scope, sha256(request) ].join('\n')
  const key = scope.split('/').reduce(hmac, 'AWS4' + env.AWS_SECRET_ACCESS_KEY)
  return hmac(key, text).toString('hex')
}

const scopeOf = (date, env) => `${date.slice(0, 8)}/${region(env)}/s3/aws4_request`
const stamp = now => now.toISOString().replace(/[-:]|\.\d+/g, '')

// sign gives the headers of a signed request, the given ones among them.
export function sign ({ method, url, headers = {}, env = process.env, now = new Date() }) {
  if (!env.AWS_ACCESS_KEY_ID) return headers
  const date = stamp(now)
  const signed = { ...headers, host: url.host, 'x-amz-content-sha256': empty, 'x-amz-date': date }
  if (env.AWS_SESSION_TOKEN) signed['x-amz-security-token'] = env.AWS_SESSION_TOKEN
  const proof = signature({ method, url, query: '', headers: signed, payload: empty, date, env })
  const names = Object.keys(signed).sort().join(';')
  signed.authorization = `AWS4-HMAC-SHA256 Credential=${env.AWS_ACCESS_KEY_ID}/${scopeOf(date, env)}, SignedHeaders=${names}, Signature=${proof}`
  return signed
}

// presign gives a URL that lets anyone read the object for some seconds.
export function presign ({ url, seconds, env = process.env, now = new Date() }) {
  if (!env.AWS_ACCESS_KEY_ID) return url.href
  const date = stamp(now)
  const fields = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${env.AWS_ACCESS_KEY_ID}/${scopeOf(date, env)}`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(seconds),
    ...(env.AWS_SESSION_TOKEN && { 'X-Amz-Security-Token': env.AWS_SESSION_TOKEN }),
    'X-Amz-SignedHeaders': 'host',
  }
  const query = Object.keys(fields).sort().map(name => `${name}=${encode(fields[name])}`).join('&')
  const proof = signature({ method: 'GET', url, query, headers: { host: url.host }, payload: 'UNSIGNED-PAYLOAD', date, env })
  return `${url.origin}${url.pathname}?${query}&X-Amz-Signature=${proof}`
}

// read asks for an object. It answers { status, headers, body }; body is null
// when it is larger than limit bytes. A dropped connection, a passing fault of
// S3 and a bucket that turns out to be in another region are tried again.
export async function read ({ method, bucket, key, headers, limit }) {
  for (let left = 2; ; left--) {
    const url = address(bucket, key)
    const response = await request(url, method, sign({ method, url, headers }), limit).catch(err => {
      if (!left) throw err
    })
    if (!response) continue
    const home = response.headers['x-amz-bucket-region']
    const moved = response.status >= 300 && home && home !== region(process.env)
    if (!left || !moved && response.status < 500) return response
    if (moved) elsewhere = home
  }
}

function request (url, method, headers, limit) {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'http:' ? http : https
    const out = request(url, { method, headers, agent: agents[url.protocol], timeout: 3000 }, answer => {
      const { statusCode: status, headers } = answer
      const parts = []
      let size = 0
      const tooLarge = () => {
        resolve({ status, headers, body: null })
        answer.destroy()
      }
      if (method !== 'HEAD' && Number(headers['content-length']) > limit) return tooLarge()
      answer.on('data', part => {
        size += part.length
        if (size > limit) return tooLarge()
        parts.push(part)
      })
      answer.on('end', () => resolve({ status, headers, body: Buffer.concat(parts) }))
      answer.on('error', reject)
    })
    out.on('timeout', () => out.destroy(new Error('S3 did not answer within three seconds')))
    out.on('error', reject)
    out.end()
  })
}
