// The Runtime API client of Node functions: takes events over one connection
// that is kept open, runs the handler as Lambda does, and sends back what came
// of it. It speaks just the HTTP that this service's Runtime API answers with:
// the http module would double the time that an event takes. CommonJS, because
// Node starts that faster; handlers may be either.
'use strict'
const net = require('node:net')
const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL, fileURLToPath } = require('node:url')
const { scope, inherits, live } = require('./node_live.cjs')

const env = process.env
const root = env.LAMBDA_TASK_ROOT
const links = env.ARC_LINKS
const address = env.AWS_LAMBDA_RUNTIME_API
const pipes = env.ARC_PIPES?.split(' ').map(Number)
delete env.ARC_LINKS
delete env.ARC_PIPES

// --- the hosts of AWS -----------------------------------------------------

// Code that knows no AWS_ENDPOINT_URL calls AWS by name. All connections go
// through a socket's connect, those of TLS and of fetch as well.
if (env.ARC_HOSTS) {
  const [led, through] = env.ARC_HOSTS.split(' ')
  const services = through ? through.split(',') : []
  const aws = /\.(amazonaws\.com(\.cn)?|api\.aws)$/i
  const passes = (host) => host.toLowerCase().split('.').some((part) => services.some((s) => part === s || part.startsWith(s + '-')))
  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (...args) {
    const list = Array.isArray(args[0]) ? args[0] : args
    const options = list[0]
    const host = options?.host
    if (typeof host === 'string' && aws.test(host) && !passes(host)) {
      list[0] = { ...options, host: '127.0.0.1', port: Number(led) }
    }
    return connect.apply(this, args)
  }
  delete env.ARC_HOSTS
  // Node reads NODE_EXTRA_CA_CERTS at its start, and all its own roots with it:
  // that takes as long as the start. So it is set for children only, and the
  // local cloud's certificate is looked at where connections can lead to it.
  if (env.ARC_TRUST) {
    const tls = require('node:tls')
    const ca = fs.readFileSync(env.ARC_TRUST)
    const create = tls.createSecureContext
    tls.createSecureContext = (options = {}) => {
      const host = options.servername || options.host
      if (options.ca || typeof host !== 'string') return create(options)
      if (aws.test(host) && !passes(host)) return create({ ...options, ca })
      return create(/^127\.|^::1$|(^|\.)localhost$/.test(host) ? { ...options, ca: [...tls.rootCertificates, ca] } : options)
    }
    env.NODE_EXTRA_CA_CERTS = env.ARC_TRUST
    delete env.ARC_TRUST
  }
}

// --- the local cloud ------------------------------------------------------

// On AWS @architect/functions keeps its connections; on this machine it opens
// one for each call, which takes both ends longer than the call does. So agents
// that keep none have theirs to the local cloud kept. Nobody pays for it who
// has not connected there.
const endpoint = (() => {
  try {
    return Number(JSON.parse(env.ARC_SANDBOX).ports._arc)
  } catch {} // no @architect/functions, or a variable of the user's own
})()
const here = (o) => Number(o.port) === endpoint && /^(localhost|127\.0\.0\.1)$/.test(o.host)
if (endpoint) {
  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (...args) {
    if (here((Array.isArray(args[0]) ? args[0][0] : args[0]) ?? {})) {
      net.Socket.prototype.connect = connect
      keep(require('node:http').Agent)
    }
    return connect.apply(this, args)
  }
}

function keep(Agent) {
  const keeping = new Agent({ keepAlive: true })
  const addRequest = Agent.prototype.addRequest
  Agent.prototype.addRequest = function (req, options, ...more) {
    const closes = !this.keepAlive && this.protocol === 'http:' && !Number.isFinite(this.maxSockets)
    if (!closes || !here(options) || req._header || req.hasHeader('connection')) return addRequest.call(this, req, options, ...more)
    req.shouldKeepAlive = true
    req._last = false
    return addRequest.call(keeping, req, options, ...more)
  }
}

// --- the connection -------------------------------------------------------

const [host, port] = address.split(':')
const runtime = '/2018-06-01/runtime/'
const next = `GET ${runtime}invocation/next HTTP/1.1\r\nHost: ${address}\r\n\r\n`
const post = (what, body, type, more = '') =>
  `POST ${runtime}${what} HTTP/1.1\r\nHost: ${address}\r\nContent-Type: application/json\r\n${more}` +
  (type ? `Lambda-Runtime-Function-Error-Type: ${type}\r\n` : '') +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

let rest = [] // what has come of an answer that is not complete
let have = 0
let need = 0 // bytes until it may be; 0 = as many as there are

function receive(size, buffer) {
  let data = buffer.subarray(0, size)
  if (have > 0) {
    rest.push(Buffer.from(data))
    have += size
    if (have < need) return true
    data = Buffer.concat(rest)
    rest = []
    have = 0
  }
  while (data.length > 0) {
    const end = data.indexOf('\r\n\r\n')
    const head = end < 0 ? '' : data.latin1Slice(0, end)
    const length = end < 0 ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    need = end < 0 ? 0 : end + 4 + length
    if (end < 0 || data.length < need) {
      rest.push(Buffer.from(data))
      have = data.length
      return true
    }
    const status = Number(head.slice(9, 12))
    const body = data.utf8Slice(end + 4, need)
    data = data.subarray(need)
    if (dying || (status >= 400 && status !== 413)) process.exit(1)
    if (status === 200) handle(head, body)
    if (status === 413) outgoing.write(next)
  }
  return true
}

// Answers come in by one socket, and requests go out by another where those are pipes.
const onread = { buffer: Buffer.allocUnsafe(1 << 16), callback: receive }
const socket = pipes ? new net.Socket({ fd: pipes[0], readable: true, writable: false, onread }) : net.connect({ host, port: Number(port), noDelay: true, onread })
const outgoing = pipes ? new net.Socket({ fd: pipes[1], readable: false, writable: true }) : socket
// Without its Runtime API a worker has nothing to live for.
for (const way of [socket, outgoing]) {
  way.on('error', () => process.exit(1))
  way.on('close', () => process.exit(1))
}

// --- output ---------------------------------------------------------------

// What is written to stdout or stderr, by console or by anybody else, is in the
// pipe when the write returns: before the answer to its event, and before an
// exit. The streams are made when they are first asked for; making them takes time.
for (const name of ['stdout', 'stderr']) {
  const { get } = Object.getOwnPropertyDescriptor(process, name)
  let stream
  const blocking = () => {
    if (!stream) {
      stream = get.call(process)
      stream._handle?.setBlocking?.(true)
    }
    return stream
  }
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: blocking })
}
// All of console goes to stdout, so that its lines keep their order.
const out = { configurable: true, get: () => process.stdout }
Object.defineProperty(console, '_stdout', out)
Object.defineProperty(console, '_stderr', out)

// --- errors ---------------------------------------------------------------

// Frames of the runtime say nothing about the function.
const own = (line) => !/^ +at .*(node:internal|[/\\]bootstrap[/\\]node(_live)?\.cjs)/.test(line)

function describe(err) {
  if (Object.prototype.toString.call(err) !== '[object Error]' && !(err instanceof Error)) {
    return { errorType: typeof err, errorMessage: String(err), trace: [] }
  }
  return { errorType: err.name, errorMessage: err.message, trace: String(err.stack ?? err).split('\n').filter(own) }
}

// Failure is an error under the name that Lambda has for it.
class Failure extends Error {
  constructor(type, message, cause) {
    super(message)
    this.name = type
    this.stack = `${type}: ${cause?.stack ?? message}`
  }
}

function print(err, object) {
  console.error(err instanceof Failure ? object.trace.join('\n') : err)
}

// die reports what no handler caught, and ends the process: Lambda never
// trusts it with another event either.
let dying = false
function die(err) {
  if (dying) return
  dying = true
  const object = describe(err)
  if (waiting || current) print(err, object) // the service tells what cannot be loaded
  if (waiting) process.exit(1) // nobody to report it to
  socket.ref()
  outgoing.write(post(current ? `invocation/${current}/error` : 'init/error', JSON.stringify(object), object.errorType))
}
process.on('uncaughtException', die)
process.on('unhandledRejection', (err) => die(new Failure('Runtime.UnhandledPromiseRejection', String(err), err)))

// --- the handler ----------------------------------------------------------

// modern tells whether the runtime is one without callbacks: since Node 24 a handler
// that takes three arguments is refused, and the context has nothing that ends a call.
// https://aws.amazon.com/blogs/compute/node-js-24-runtime-now-available-in-aws-lambda/
const modern = Number(/_nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV)?.[1]) >= 24

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile()

// locate gives an error its place, as those of CommonJS have it. Of an ES module
// that cannot be read, Node tells the place only where nobody catches the error,
// so a further process meets it. No code runs there: all modules are read before.
function locate(err, file) {
  if (String(err.stack).split('\n').some((line, i) => i > 0 && own(line) && /^ +at /.test(line)) || !/^SyntaxError/.test(err.stack)) return
  const code = `require(${JSON.stringify(path.join(__dirname, 'node_live.cjs'))}).live(${JSON.stringify(root)}, ${JSON.stringify(links) ?? 'undefined'}, true); import(${JSON.stringify(pathToFileURL(file).href)})`
  const { NODE_OPTIONS, ...rest } = env
  const { stderr } = require('node:child_process').spawnSync(process.execPath, ['-e', code], { env: rest, encoding: 'utf8', timeout: 5000, stdio: ['ignore', 'ignore', 'pipe'] })
  const told = /(?:^|\n)(file:\S+:\d+\n[^]*?\nSyntaxError: [^\n]*)/.exec(stderr ?? '')?.[1]
  if (told?.endsWith(err.message)) err.stack = told.replace(/^(file:\S+):(\d+)\n/, (_, url, line) => `${fileURLToPath(url)}:${line}\n`)
}

async function load() {
  const spec = env._HANDLER
  const [, stem, name] = /^([^.]*)\.(.+)$/.exec(path.basename(spec)) ?? []
  if (!stem || spec.includes('..')) throw new Failure('Runtime.MalformedHandlerName', `Bad handler ${spec}: it is FILE.FUNCTION, as in index.handler`)
  const module = path.join(path.dirname(spec), stem)
  const file = ['', '.js', '.mjs', '.cjs'].map((end) => path.join(root, module) + end).find(isFile)
  if (!file) throw new Failure('Runtime.ImportModuleError', `Error: Cannot find module '${module}' in ${root}`)
  const esm = file.endsWith('.mjs') || (file.endsWith('.js') && scope(file, root) === 'module')
  if (links || inherits(root)) live(root, links, esm)
  require('./node_packages.cjs')(address)
  let exports
  try {
    exports = esm ? await import(pathToFileURL(file)) : require(file)
  } catch (err) {
    if (err instanceof SyntaxError && esm) locate(err, file)
    if (err instanceof SyntaxError) {
      const other = !esm && file.endsWith('.js') && /Unexpected token 'export'|Cannot use import statement|'import.meta'/.test(err.message)
      const name = path.basename(file, '.js')
      const hint = other ? `: Lambda takes ${name}.js for CommonJS: rename it to ${name}.mjs, or write {"type": "module"} into a package.json beside it` : ''
      throw new Failure('Runtime.UserCodeSyntaxError', `SyntaxError: ${err.message}${hint}`, err)
    }
    if (/MODULE_NOT_FOUND$/.test(err?.code)) throw new Failure('Runtime.ImportModuleError', `Error: ${err.message}`, err)
    throw err
  }
  let handler = exports
  let self
  for (const part of name.split('.')) [self, handler] = [handler, handler?.[part]]
  if (handler === undefined && exports.default) handler = exports.default[name] // CommonJS seen through import
  if (handler === undefined) throw new Failure('Runtime.HandlerNotFound', `${spec} is undefined or not exported`)
  if (typeof handler !== 'function') throw new Failure('Runtime.HandlerNotFound', `${spec} is not a function`)
  if (modern && handler.length > 2 && !handler[streams]) {
    throw new Failure(
      'Runtime.CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function ' +
        'to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    )
  }
  return Object.assign(handler.bind(self), { [streams]: handler[streams] })
}

// --- streams --------------------------------------------------------------

// What functions find as awslambda: a handler that is given to streamifyResponse
// writes its response to a stream, in place of returning it.
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
const streams = Symbol('streams')
globalThis.awslambda = {
  streamifyResponse: (handler) => ((handler[streams] = true), handler),
  HttpResponseStream: {
    from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response')
      stream.write(JSON.stringify(prelude) + '\0'.repeat(8))
      return stream
    },
  },
}

// responseStream is a Writable that sends an answer to the event while it is
// written; sent hears of the end, broken of an error, which goes behind the body.
function responseStream(id, sent) {
  const { Writable } = require('node:stream')
  let type = 'application/octet-stream'
  let begun = false
  const begin = () => {
    if (begun) return
    begun = true
    outgoing.write(
      `POST ${runtime}invocation/${id}/response HTTP/1.1\r\nHost: ${address}\r\nContent-Type: ${type.replace(/[\r\n]/g, ' ')}\r\nArc-Next: 1\r\n` +
        'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n' +
        'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n',
    )
  }
  const end = (trailer) => {
    begin()
    socket.ref()
    sent()
    outgoing.write(`0\r\n${trailer}\r\n`)
  }
  const stream = new Writable({
    write(chunk, encoding, done) {
      begin()
      if (chunk.length === 0) return done()
      outgoing.write(chunk.length.toString(16) + '\r\n')
      outgoing.write(chunk)
      outgoing.write('\r\n', done)
    },
    final(done) {
      end('')
      done()
    },
  })
  stream.setContentType = (text) => (type = String(text))
  stream.begun = () => begun
  stream.breakOff = (object) => end(
    `Lambda-Runtime-Function-Error-Type: ${object.errorType}\r\nLambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(object)).toString('base64')}\r\n`,
  )
  return stream
}

// --- events ---------------------------------------------------------------

let handler
let current = '' // ID of the event at hand
let waiting = false // for an event
let whenEmpty // what to do when nothing is left to wait for

process.on('beforeExit', () => {
  const act = whenEmpty
  whenEmpty = undefined
  act?.()
})

const header = (head, name) => {
  const at = head.indexOf(name)
  return at < 0 ? '' : head.slice(at + name.length + 2, (head.indexOf('\r\n', at) + 1 || head.length + 1) - 1)
}

// The socket alone must not keep the event loop from being empty while a
// handler runs, and must do so between events.
function handle(head, body) {
  const id = (current = header(head, 'Lambda-Runtime-Aws-Request-Id'))
  const deadline = Number(header(head, 'Lambda-Runtime-Deadline-Ms'))
  env._X_AMZN_TRACE_ID = header(head, 'Lambda-Runtime-Trace-Id')
  waiting = false
  socket.unref()
  let done = false
  const send = (what, text, type) => {
    if (done || dying) return
    done = true
    whenEmpty = undefined
    current = ''
    waiting = true
    socket.ref()
    // The next event is the answer to this one's. Through pipes a short response is a note.
    if (pipes && what === 'response' && text.length < 16384) outgoing.write(`=${Buffer.byteLength(text)} ${id}\n${text}`)
    else outgoing.write(post(`invocation/${id}/${what}`, text, type, 'Arc-Next: 1\r\n'))
  }
  const fail = (err) => {
    if (done) return
    const object = describe(err)
    print(err, object)
    send('error', JSON.stringify(object), object.errorType)
  }
  const succeed = (value) => {
    let text
    try {
      text = JSON.stringify(value === undefined ? null : value) ?? 'null'
    } catch (err) {
      return fail(new Failure('Runtime.MarshalError', `Unable to stringify response body: ${err.message}`, err))
    }
    send('response', text)
  }
  let called = false
  const callback = (err, value) => {
    if (called || done) return
    called = true
    if (err !== undefined && err !== null) fail(err)
    else if (context.callbackWaitsForEmptyEventLoop) whenEmpty = () => succeed(value)
    else succeed(value)
  }
  const context = {
    ...(modern ? {} : { callbackWaitsForEmptyEventLoop: true }),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    awsRequestId: id,
    invokedFunctionArn: header(head, 'Lambda-Runtime-Invoked-Function-Arn'),
    clientContext: undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  }
  const more = modern ? [] : [callback]
  if (!modern) {
    context.succeed = (value) => ((context.callbackWaitsForEmptyEventLoop = false), callback(null, value))
    context.fail = (err) => callback(err ?? 'handled')
    context.done = (err, value) => ((context.callbackWaitsForEmptyEventLoop = false), callback(err, value))
  }
  if (handler[streams]) {
    const stream = responseStream(id, () => {
      done = true
      whenEmpty = undefined
      current = ''
      waiting = true
    })
    const broken = (err) => {
      if (done || dying) return
      if (!stream.begun()) return fail(err)
      const object = describe(err)
      print(err, object)
      stream.breakOff(object)
    }
    stream.on('error', broken)
    // One that returns and leaves its stream open is done when nothing is left to do.
    whenEmpty = () => stream.end()
    try {
      Promise.resolve(handler(JSON.parse(body), stream, context)).catch(broken)
    } catch (err) {
      broken(err)
    }
    return
  }
  // A handler that neither returns a promise nor calls back has no result.
  whenEmpty = () => succeed(null)
  try {
    const result = handler(JSON.parse(body), context, ...more)
    if (typeof result?.then === 'function') {
      whenEmpty = () => fail(new Failure('Runtime.NodeJsExit', 'the handler waits for a promise that nothing can settle any more'))
      result.then(succeed, fail)
    }
  } catch (err) {
    fail(err)
  }
}

load().then((loaded) => {
  handler = loaded
  waiting = true
  outgoing.write(next)
}, die)
