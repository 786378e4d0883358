// Versions of @architect/functions from before 5. They ask for tables, events and queues
// at fixed ports of a sandbox of their days, where connections are tried until the
// function's time is over, and deployed by a variable, ARC_CLOUDFORMATION, that functions
// get from neither arc nor Architect since 10. What needs none of that works: http with
// sessions in the cookie itself (SESSION_TABLE_NAME=jwe), or with none, and subscribe.
// https://github.com/architect/functions/blob/v4.1.1/src/index.js
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const Module = require('node:module')

const folders = new Map() // those of outdated versions, with the version

// refusal is why a version cannot do something.
function refusal(version, text) {
  const error = new Error(`@architect/functions ${version} ${text}`)
  error.stack = `Error: ${error.message}`
  return error
}

const remedy = 'it knows the sandbox and the variables of Architect before version 10: npm install @architect/functions@8'

// refusing fails as the package's own functions do: by its callback, or by a promise.
function refusing(version, text) {
  return (...args) => {
    const error = refusal(version, text)
    const done = args.findLast((arg) => typeof arg === 'function')
    return done ? done(error) : Promise.reject(error)
  }
}

// all gives an object with the functions of another replaced.
const all = (own, by) => Object.fromEntries(Object.entries(own).map(([name, value]) => [name, typeof value === 'function' ? by : value]))

// here tells whether the package takes this for its sandbox, as its index has settled.
const here = () => process.env.NODE_ENV === 'testing'

// ways are the package's own files by which it would get to what is not there.
const ways = {
  'discovery/index': (own, version) => (...args) => (here() || !process.env.ARC_CLOUDFORMATION ? refusing(version, `finds no tables, events or queues, here or deployed: ${remedy}`) : own)(...args),
  'tables/sandbox': (own, version) => refusing(version, `finds no tables, here or deployed: ${remedy}`),
  'events/publish-old': (own, version) => refusing(version, `finds no events, here or deployed: ${remedy}`),
  'events/publish-sandbox': (own, version) => refusing(version, `finds no events, here or deployed: ${remedy}`),
  'queues/publish-old': (own, version) => refusing(version, `finds no queues, here or deployed: ${remedy}`),
  'queues/publish-sandbox': (own, version) => refusing(version, `finds no queues, here or deployed: ${remedy}`),
  'ws/index': (own, version) => {
    const sends = refusing(version, `finds no WebSockets here, at the ports of an old sandbox: npm install @architect/functions@8`)
    return here() ? (typeof own === 'function' ? sends : all(own, sends)) : own
  },
  'tables/dynamo': (own, version) => {
    if (!here()) return own
    const tables = `finds no tables here, at the port of an old sandbox: npm install @architect/functions@8`
    const sessions = `finds no table of sessions here, at the port of an old sandbox: set SESSION_TABLE_NAME to jwe, or npm install @architect/functions@8`
    // Without a table a deployed one passes sessions through, and so does this.
    const none = { get: (params, done) => done(), put: (params, done) => done() }
    const client = new Proxy({}, { get: (of, name) => (typeof name === 'string' && name !== 'then' ? refusing(version, tables) : undefined) })
    const give = (done) => (done ? done(null, client) : client)
    return {
      ...own, db: give, doc: give, direct: { db: client, doc: client },
      session: (done) => (process.env.SESSION_TABLE_NAME ? done(refusal(version, sessions)) : done(null, none)),
    }
  },
}

// take notes a folder of the package, and refuses a version that is too old to tell what
// of it works.
module.exports = (folder) => {
  let version
  try {
    version = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8').replace(/^\uFEFF/, '')).version
  } catch {
    return // not as npm installs it
  }
  if (!(parseInt(version, 10) < 5)) return
  if (!fs.existsSync(path.join(folder, 'src', 'tables', 'dynamo.js'))) throw refusal(version, `finds no tables, events, queues or sessions, here or deployed: ${remedy}`)
  if (folders.size === 0) {
    const load = Module._extensions['.js']
    Module._extensions['.js'] = function (module, file) {
      load.call(this, module, file)
      for (const [at, version] of folders) {
        const way = file.startsWith(at) && ways[path.relative(path.join(at, 'src'), file).replaceAll('\\', '/').replace(/\.js$/, '')]
        if (way) module.exports = way(module.exports, version)
      }
    }
  }
  folders.set(folder, version)
}
