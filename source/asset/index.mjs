// The static asset function: serves the app's bucket, / and below as a web
// site, /_static/ and below file by file. Part of arc, not of the app.

import { isUtf8 } from 'node:buffer'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { address, presign, read } from './s3.mjs'

// Lambda answers at most 6 MB, base64 included, so larger files are fetched from S3 directly.
const largest = 4_500_000
const linkSeconds = 60

// How long, in milliseconds, names of fingerprinted files are taken from memory.
const manifestAge = 10_000

const uncached = 'no-cache, no-store, must-revalidate, max-age=0, s-maxage=0'

export async function handler (event) {
  try {
    return await answer(event)
  }
  catch (err) {
    console.error(err)
    return page(err.status ?? 500)
  }
}

// Fault carries the status that a request ends with.
class Fault extends Error {
  constructor (status, message) {
    super(message)
    this.status = status
  }
}

async function answer (event) {
  const method = event.requestContext?.http?.method ?? event.httpMethod ?? 'GET'
  if (method !== 'GET' && method !== 'HEAD') return page(405, { allow: 'GET, HEAD' })
  if (!process.env.ARC_STATIC_BUCKET) throw new Fault(502, 'ARC_STATIC_BUCKET is not set')

  const request = { method, headers: lowerCased(event.headers) }
  // rawPath comes decoded; decoding it again would make another name of one with a percent sign in it.
  const path = event.rawPath ?? decoded(event.path ?? '/')
  if (/[\\\0]|(^|\/)\.\.?(\/|$)/.test(path)) return page(403)
  const { names, site } = candidates(path)
  for (const name of names) {
    const found = await find(name, request)
    if (found) return found
  }
  if (site) {
    // Whatever the request asked for, the page of errors is sent whole.
    const found = await find('404.html', { method, headers: {} })
    if (found) return { ...found, statusCode: 404, headers: { ...found.headers, etag: undefined, 'cache-control': uncached } }
  }
  return page(404)
}

function lowerCased (headers) {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([ name, value ]) => [ name.toLowerCase(), value ]))
}

// candidates lists the files that a path may mean, the likeliest first.
function candidates (path) {
  const parts = path.split('/').slice(1)
  const folder = parts.at(-1) === ''
  const name = parts.filter(Boolean).join('/')
  if (parts[0] === '_static') {
    return { names: [ parts.slice(1).filter(Boolean).join('/') || 'index.html' ], site: true }
  }
  const index = name ? name + '/index.html' : 'index.html'
  const dotted = parts.at(-1).includes('.')
  if (spa() && !dotted) return { names: [ 'index.html' ], site: true }
  if (folder) return { names: [ index ], site: true }
  return { names: dotted ? [ name, index ] : [ index, name ], site: true }
}

// HTTP APIs hand the path over decoded, other front doors do not. A stray
// percent sign means itself.
function decoded (path) {
  try {
    return decodeURIComponent(path)
  }
  catch {
    return path
  }
}

function spa () {
  return ![ undefined, '', 'false' ].includes(process.env.ARC_STATIC_SPA)
}

// find answers with a file, by its own name or its fingerprinted one; undefined
// when there is none.
async function find (name, request) {
  const hashed = (await manifest())[plain(name)]
  if (!hashed || hashed === plain(name)) return serve(name, request)
  if (/\.(html?|json)$/i.test(name)) return serve(hashed, request)
  return {
    statusCode: 302,
    headers: { location: '/_static/' + hashed.split('/').map(encodeURIComponent).join('/'), 'cache-control': uncached },
  }
}

// The prefix is part of every key, and may or may not be part of a path.
const prefix = () => (process.env.ARC_STATIC_PREFIX ?? '').replace(/^\/+|\/+$/g, '')
const plain = name => prefix() && name.startsWith(prefix() + '/') ? name.slice(prefix().length + 1) : name
const keyOf = name => prefix() ? `${prefix()}/${plain(name)}` : name

let known = { names: {}, until: 0 }

// manifest maps file names to fingerprinted ones. Without fingerprinting there
// is no static.json, and the map is empty.
async function manifest () {
  if (Date.now() < known.until) return known.names
  const file = await fetch('static.json', { method: 'GET', headers: {} })
  let names = {}
  try {
    names = Object.assign(Object.create(null), file && JSON.parse(unpacked(file)))
  }
  catch (err) {
    console.error('static.json cannot be used:', err.message)
  }
  known = { names, until: Date.now() + manifestAge }
  return names
}

// fetch reads a file from the bucket; undefined when there is none.
async function fetch (name, { method, headers }) {
  const ask = {}
  if (headers['if-none-match']) ask['if-none-match'] = headers['if-none-match']
  else if (headers['if-modified-since']) ask['if-modified-since'] = headers['if-modified-since']
  // S3 knows no If-Range, so a conditional range is answered with the whole file,
  // as are several ranges and units that nobody knows: a server may ignore all of
  // them (https://www.rfc-editor.org/rfc/rfc9110#section-14.2), and S3 refuses some.
  if (!headers['if-range'] && /^bytes=\s*(\d+-\d*|-\d+)\s*$/i.test(headers.range ?? '')) ask.range = headers.range
  const file = await read({ method, bucket: process.env.ARC_STATIC_BUCKET, key: keyOf(name), headers: ask, limit: largest })
  if ([ 200, 206, 304, 416 ].includes(file.status)) return file
  const code = /<Code>(\w+)<\/Code>/.exec(file.body)?.[1]
  // Who may not list a bucket is not told that a file is missing, only that it is denied.
  if (file.status === 404 && code !== 'NoSuchBucket') return
  if (file.status === 403 && (code === 'AccessDenied' || method === 'HEAD')) return
  throw new Fault(502, `S3 answered ${file.status} ${code ?? ''} for ${name}`)
}

async function serve (name, request) {
  const file = await fetch(name, request)
  if (!file) return
  const from = file.headers
  const headers = {
    'content-type': from['content-type'] ?? 'application/octet-stream',
    'cache-control': /\.(html?|shtml|json)$/i.test(name) ? uncached : from['cache-control'] ?? 'public, max-age=0, must-revalidate',
    etag: from.etag,
    'last-modified': from['last-modified'],
    'accept-ranges': 'bytes',
  }
  if (file.status === 304 || same(request.headers['if-none-match'], from.etag)) {
    return { statusCode: 304, headers: { etag: from.etag, 'cache-control': headers['cache-control'] } }
  }
  if (file.status === 416) {
    // S3 does not say how long the file is; a client needs it to ask again.
    const whole = await fetch(name, { method: 'HEAD', headers: {} })
    return page(416, { 'content-range': whole && `bytes */${whole.headers['content-length']}` })
  }
  if (file.body === null) {
    const url = address(process.env.ARC_STATIC_BUCKET, keyOf(name))
    return { statusCode: 302, headers: { location: presign({ url, seconds: linkSeconds }), 'cache-control': 'no-store' } }
  }
  if (file.status === 206) headers['content-range'] = from['content-range']
  return send(file, headers, request)
}

const same = (wanted, etag) => Boolean(wanted && etag) && wanted.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)

const isText = type => /^text\/|^application\/([\w.+-]*\+)?(json|xml|javascript)\b|^image\/svg\+xml|^application\/x-javascript/i.test(type)

// send turns a file into an answer: text with the names of other files filled
// in, compressed only for those who can read it, anything else as base64.
function send (file, headers, request) {
  let { body } = file
  let packing = packingOf(file)
  if (packing) headers.vary = 'accept-encoding'
  const text = isText(headers['content-type'])

  if (file.status === 200 && request.method === 'GET') {
    const filled = text && withNames(unpacked(file))
    if (filled) {
      body = filled
      delete headers.etag // it is of what is stored, not of what is sent
    }
    else if (packing && !accepts(request, packing)) body = unpacked(file)
    if (body !== file.body) packing = undefined
  }
  if (packing) headers['content-encoding'] = packing

  const readable = text && !packing && isUtf8(body)
  if (readable && headers['content-type'].startsWith('text/') && !/charset/i.test(headers['content-type'])) {
    headers['content-type'] += '; charset=utf-8'
  }
  // JSON may double the size of a text by its escapes; base64 has a known price.
  const isBase64Encoded = !readable || body.length > 1_000_000
  return { statusCode: file.status, headers, body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded }
}

// packingOf is how a file is compressed; undefined when it is not. Some uploads
// leave the name of their transfer coding behind.
function packingOf (file) {
  return file.headers['content-encoding']?.replace(/aws-chunked,?\s*/, '') || undefined
}

function accepts ({ headers }, packing) {
  return (headers['accept-encoding'] ?? '').split(',').some(one => one.split(';')[0].trim() === packing)
}

function unpacked (file) {
  const limit = { maxOutputLength: largest }
  switch (packingOf(file)) {
    case 'br': return brotliDecompressSync(file.body, limit)
    case 'gzip': return gunzipSync(file.body, limit)
  }
  return file.body
}

const reference = /\$\{\s*(?:STATIC|arc\.static)\(\s*(['"`]?)(\/?)([^'"`)\s]+)\1\s*\)\s*\}/g

// withNames replaces ${STATIC('x')} and ${arc.static('x')} by the name under
// which x is stored; undefined when there is nothing to replace.
function withNames (body) {
  if (!body.includes('STATIC(') && !body.includes('arc.static(') || !isUtf8(body)) return
  const text = body.toString()
  const filled = text.replace(reference, (_, quote, slash, name) => slash + (known.names[name] ?? name))
  if (filled !== text) return Buffer.from(filled)
}

const titles = {
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  416: 'Range not satisfiable',
  500: 'Something went wrong',
  502: 'The files of this site cannot be reached',
}

// page is a page of our own. It says nothing of the request or of the cause, so
// it has nothing to escape or to give away; the cause is in the log.
function page (statusCode, headers = {}) {
  const title = titles[statusCode] ?? titles[500]
  return {
    statusCode,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': uncached, ...headers },
    body: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}</style></head>
<body><h1>${title}</h1></body>
</html>
`,
  }
}
