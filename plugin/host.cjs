'use strict'
// The program that runs plugins written for Node: JSON lines come in on one file
// descriptor and go out on another, so that what plugins print stays theirs.
// docs/plugins.md has the lines.
const fs = require('fs')
const net = require('net')
const path = require('path')
const { pathToFileURL } = require('url')
const { createRequire } = require('module')
const { AsyncLocalStorage } = require('async_hooks')
const { Readable } = require('stream')

const [ from, to ] = process.argv.slice(1, 3).map(Number)
const terminal = process.argv[3] === 'terminal'
// Plugins look there for the command that runs them.
process.argv = [ process.argv[0], 'arc', ...process.argv.slice(4) ]
const dir = process.cwd()
const find = createRequire(path.join(dir, 'app.arc'))
const plugins = {} // what each module exports, by name
const files = {}
const kinds = {} // 'plugins' or 'macros', by name
const running = new AsyncLocalStorage() // the plugin whose code runs
const invoked = new Map()

function say (message) {
  const bytes = Buffer.from(JSON.stringify(message) + '\n')
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(to, bytes, at)
    }
    catch (err) {
      if (err.code === 'EPIPE') process.exit(0)
      if (err.code !== 'EAGAIN') throw err
    }
  }
}

for (const stream of [ process.stdout, process.stderr ]) {
  stream.write = function (chunk, encoding, done) {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    say({ log: text, plugin: running.getStore() })
    if (typeof encoding === 'function') done = encoding
    if (done) process.nextTick(done)
    return true
  }
}

// What is typed at arc's terminal comes by lines, when a plugin asks for it: the
// terminal stays arc's, with Ctrl-C.
const typed = new Readable({ read () {} })
let typist // the plugin that asked last
if (from !== 0) {
  let typing = ''
  const ask = () => {
    const now = typed.isRaw ? 'keys' : typed.readableFlowing || typed.listenerCount('readable') ? 'lines' : ''
    if (now === typing) return
    typist = running.getStore() || typist
    say({ typing: typing = now, plugin: typist })
  }
  typed.fd = 0
  typed.ref = typed.unref = () => typed
  for (const name of [ 'on', 'addListener', 'once', 'prependListener', 'resume', 'pause' ]) {
    const own = typed[name]
    typed[name] = function (...args) {
      const result = own.apply(typed, args)
      ask()
      return result
    }
  }
  if (terminal) {
    typed.isTTY = true
    typed.isRaw = false
    typed.setRawMode = raw => {
      typed.isRaw = Boolean(raw)
      ask()
      return typed
    }
  }
  else typed.push(null)
  Object.defineProperty(process, 'stdin', { configurable: true, enumerable: true, value: typed })
}

// Its own frames are of no use to who reads a plugin's stack.
function told (err) {
  if (!(err instanceof Error) && !(err && err.stack)) return { message: String(err && err.message || err), stack: '' }
  const stack = String(err.stack).split('\n').filter(l => !/\[eval\]|evalmachine|node:internal|\(node:/.test(l)).join('\n')
  return { message: String(err.message), stack, hint: err.hint }
}

// exists, as Architect looks: a file of the project, else a package.
function resolve (name, kind, src) {
  const tryPackage = p => {
    for (const q of [ p, '@' + p ]) {
      try {
        const file = find.resolve(q)
        if (path.isAbsolute(file)) return file // else it is a module of Node itself
        return find.resolve(q + '/')
      }
      catch (err) {
        if (err.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return esm(q)
      }
    }
    return esm(p) || esm('@' + p)
  }
  if (src) {
    const at = path.resolve(dir, src)
    try {
      return find.resolve(at)
    }
    catch {
      return esmIn(at)
    }
  }
  for (const end of [ '.js', '.mjs' ]) {
    const at = path.join(dir, 'src', kind, name + end)
    if (fs.existsSync(at)) return at
  }
  const at = path.join(dir, 'src', kind, name)
  if (fs.existsSync(at)) {
    try {
      return find.resolve(at)
    }
    catch {
      return esmIn(at)
    }
  }
  return tryPackage(name)
}

function esmIn (at) {
  for (const end of [ 'index.mjs', 'index.cjs' ]) {
    if (fs.existsSync(path.join(at, end))) return path.join(at, end)
  }
}

// text is that of a file without the byte order mark that Node passes over.
const text = file => fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '')

// esm finds the file of a package that only import may have.
function esm (name) {
  const parts = name.split('/')
  const pkg = parts.slice(0, name.startsWith('@') ? 2 : 1).join('/')
  for (const modules of find.resolve.paths(pkg) || []) {
    const at = path.join(modules, pkg)
    try {
      const { exports, main } = JSON.parse(text(path.join(at, 'package.json')))
      const pick = e => typeof e === 'string' ? e : e && (pick(e['.']) || pick(e.node) || pick(e.import) || pick(e.default))
      const file = pick(exports) || main
      if (file && fs.existsSync(path.join(at, file))) return path.join(at, file)
      const index = esmIn(path.join(modules, name))
      if (index) return index
    }
    catch { /* the next folder may have it */ }
  }
}

// The folder of the package.json that a file belongs to.
function packageOf (file) {
  for (let at = path.dirname(file); at !== path.dirname(at); at = path.dirname(at)) {
    try {
      const { name, version } = JSON.parse(text(path.join(at, 'package.json')))
      return { folder: at, name, version }
    }
    catch { /* further up */ }
  }
  return {}
}

async function load (file) {
  let mod
  try {
    mod = require(file)
  }
  catch (err) {
    const esmOnly = /top-level await|import statement outside|Unexpected token 'export'|ES Module/.test(err.message)
    if (!esmOnly) throw err
    mod = await import(pathToFileURL(file).href)
  }
  return mod && mod.default ? mod.default : mod
}

const setters = [ 'events', 'http', 'queues', 'scheduled', 'tables-streams', 'ws', 'customLambdas', 'env', 'proxy', 'runtimes', 'shared', 'static', 'views', 'tables', 'tables-indexes' ]
const groups = [ 'deploy', 'create', 'hydrate', 'sandbox' ]

// hooksOf lists what a plugin hooks into, and what is wrong with it.
function hooksOf (plugin) {
  const hooks = []
  const wrong = []
  for (const setter of setters) {
    const fn = plugin.set && plugin.set[setter]
    if (!fn) continue
    if (typeof fn !== 'function' || fn.constructor.name === 'AsyncFunction') wrong.push(`set.${setter} is not a synchronous function`)
    else hooks.push('set.' + setter)
  }
  for (const group of groups) {
    for (const [ name, fn ] of Object.entries(plugin[group] || {})) {
      const hook = `${group}.${name}`
      if (hook === 'create.register') {
        if (typeof fn !== 'string' && !Array.isArray(fn)) wrong.push('create.register is neither a string nor an array')
        else hooks.push(hook)
      }
      else if (typeof fn !== 'function') wrong.push(`${hook} is not a function`)
      else hooks.push(hook)
    }
  }
  const { register } = plugin.create || {}
  return { hooks, wrong, register: [].concat(register || []).filter(r => typeof r === 'string') }
}

function freeze (value) {
  for (const v of Object.values(value)) if (v && typeof v === 'object') freeze(v)
  return Object.freeze(value)
}

// What Architect keeps beside the modules themselves: every hook, by its name.
function methods () {
  const all = {}
  for (const [ name, plugin ] of Object.entries(plugins)) {
    for (const group of [ 'set', ...groups ]) {
      for (const [ hook, fn ] of Object.entries(plugin[group] || {})) {
        const list = (all[group] = all[group] || {})[hook] = all[group][hook] || []
        if (typeof fn === 'function') Object.assign(fn, { _plugin: name, _type: kinds[name].slice(0, -1) })
        list.push(fn)
      }
    }
  }
  return all
}

const severals = [ 'tables-indexes' ]

function getters (inv) {
  const get = {}
  for (const pragma of Object.keys(inv)) {
    get[pragma] = name => {
      const value = inv[pragma]
      if (value === null) return null
      if (Array.isArray(value)) {
        const is = i => (i && i.name) === name || i === name
        if (!severals.includes(pragma)) return value.find(is)
        const found = value.filter(is)
        return found.length ? found : undefined
      }
      if (typeof value === 'object') return value[name]
      if (!name) return value
    }
  }
  return get
}

// Plugins get the modules beside the rest, as Architect gives them; a module's
// own objects stay as they are.
function inventoryOf (inv) {
  const copies = { _methods: methods() }
  for (const [ name, plugin ] of Object.entries(plugins)) copies[name] = plugin
  freeze(inv)
  inv = Object.freeze({ ...inv, plugins: Object.freeze(copies) })
  return { inv, get: getters(inv) }
}

// What strings have, and objects have not.
const ofStrings = Object.getOwnPropertyNames(String.prototype).filter(name => name !== 'length' && !(name in Object.prototype))

// standIn is what stands for a variable's value where there is none to give: who takes it
// for a string is told which variable, and what to do; for everyone else it is an object
// with these members.
function standIn (variable, members, why, hint) {
  const refuse = () => {
    const err = Error(`it reads the value of ${variable}, ${why}`)
    err.hint = hint
    throw err
  }
  const stands = Object.create(Object.prototype)
  for (const name of [ ...ofStrings, 'toString', 'constructor', Symbol.toPrimitive ]) {
    Object.defineProperty(stands, name, { value: name === 'constructor' ? Object : refuse, writable: true, configurable: true })
  }
  return Object.assign(Object.create(stands), members)
}

// reference is a template's way to refer to a variable, by a parameter that nobody sees.
const reference = (variable, ref) => standIn(variable, { Ref: ref },
  'which no template holds: values of variables are NoEcho parameters',
  `write where the value goes, not the value: { 'Fn::Sub': ['https://${'${it}'}/', { it: Variables.${variable} }] }, or Fn::Select and Fn::Split of it; what is no secret may stand in app.arc, which hooks get as arc`)

// withheld puts something that is there into the place of values that plugins do not get.
function withheld (inv) {
  for (const variables of Object.values(inv._project.env.local || {})) {
    for (const [ name, value ] of Object.entries(variables || {})) {
      if (value !== '') continue // a plugin's own
      variables[name] = standIn(name, {}, 'which plugins are not given: of variables they see the names',
        `have the function read it, or read process.env.${name}, which is your shell's; what is no secret may stand in app.arc, which hooks get as arc`)
      Object.defineProperty(variables[name], 'toJSON', { value: () => '' })
    }
  }
}

// referring puts references for the values of variables into a template.
function referring (template) {
  const parameters = template.Parameters || {}
  for (const { Properties } of Object.values(template.Resources || {})) {
    const variables = Properties && Properties.Environment && Properties.Environment.Variables
    for (const [ name, value ] of Object.entries(variables || {})) {
      const ref = value && Object.keys(value).length === 1 && value.Ref
      if (parameters[ref] && parameters[ref].NoEcho) variables[name] = reference(name, ref)
    }
  }
}

async function run (call) {
  if (call.cloudformation) referring(call.cloudformation)
  withheld(call.inventory.inv)
  const plugin = plugins[call.plugin]
  const [ group, name ] = call.call.split('.')
  const fn = plugin[group][name]
  const { inv, get } = inventoryOf(call.inventory.inv)
  const arc = inv._project.arc
  const inventory = group === 'set' ? { inv } : { inv, get }
  const { cloudformation, dryRun, stackName, stage } = call
  if (group === 'set') {
    const result = fn({ arc, inventory })
    if (result && typeof result.then === 'function') throw Error(`set.${name} gave a promise: it must be synchronous`)
    return result
  }
  switch (call.call) {
  case 'deploy.start': {
    const result = kinds[call.plugin] === 'macros'
      ? await fn(arc, cloudformation, stage, inventory)
      : await fn({ arc, cloudformation, dryRun, inventory, stackName, stage })
    return result || cloudformation
  }
  case 'deploy.services':
    return { services: await fn({ arc, cloudformation, dryRun, inventory, stackName, stage }), cloudformation }
  case 'hydrate.copy': {
    const list = []
    const copy = async what => { list.push(...[].concat(what)) }
    await fn({ arc, inventory, copy })
    return list
  }
  case 'create.handlers':
    return fn({ arc, inventory, lambda: freeze(call.lambda) })
  case 'sandbox.start':
  case 'sandbox.end':
  case 'sandbox.watcher': {
    const args = { arc, inventory, invoke: what => invoke(call.plugin, what) }
    if (call.call === 'sandbox.watcher') {
      args.filename = call.filename
      args.event = call.event
    }
    await swapped(call.environment || {}, () => fn(args))
    return null
  }
  default:
    await fn({ arc, cloudformation, dryRun, inventory, stackName, stage })
    return null
  }
}

// The variables of the app are there while its plugins start, as in Architect.
async function swapped (variables, call) {
  const before = { ...process.env }
  Object.assign(process.env, variables)
  try {
    return await call()
  }
  finally {
    for (const name of Object.keys(variables)) {
      if (name in before) process.env[name] = before[name]
      else delete process.env[name]
    }
  }
}

let calls = 0
function invoke (plugin, { pragma, name, payload } = {}) {
  for (const [ what, given ] of Object.entries({ pragma, name, payload })) {
    if (!given) return Promise.reject(ReferenceError(`Cannot invoke Lambda, missing ${what}`))
  }
  return new Promise((res, rej) => {
    invoked.set(++calls, { res, rej })
    say({ invoke: calls, plugin, pragma, name, payload })
  })
}

async function answer (call) {
  if (call.keys) return running.run(typist, () => typed.push(Buffer.from(call.keys, 'base64')))
  if (call.invoked) {
    const waits = invoked.get(call.invoked)
    invoked.delete(call.invoked)
    if (!waits) return
    if (!call.error) return waits.res(call.result)
    const err = Error(call.error.message)
    if (call.error.type) err.name = call.error.type
    if (call.error.stack) err.stack = call.error.stack
    return waits.rej(err)
  }
  try {
    let result
    switch (call.call) {
    case 'resolve': {
      const file = resolve(call.plugin, call.kind, call.src)
      files[call.plugin] = file
      result = file ? { file, ...packageOf(file) } : null
      break
    }
    case 'load': {
      const mod = await running.run(call.plugin, () => load(files[call.plugin]))
      kinds[call.plugin] = call.kind
      if (call.kind === 'macros' && typeof mod !== 'function') throw Error('it exports no function')
      plugins[call.plugin] = call.kind === 'macros' ? { deploy: { start: mod } } : mod || {}
      result = hooksOf(plugins[call.plugin])
      break
    }
    default:
      result = await running.run(call.plugin, () => run(call))
    }
    say({ id: call.id, result: result === undefined ? null : result })
  }
  catch (err) {
    say({ id: call.id, error: told(err) })
  }
}

// What fails between calls, in a timer or a promise nobody waits for, is told
// and ends nothing: the app goes on.
process.on('unhandledRejection', err => say({ failed: told(err) }))
process.on('uncaughtException', err => say({ failed: told(err) }))

const input = new net.Socket({ fd: from, readable: true, writable: false })
let rest = ''
input.setEncoding('utf8')
input.on('data', text => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()
  for (const line of lines) answer(JSON.parse(line))
})
input.on('close', () => process.exit(0))
