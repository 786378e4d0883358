// What the tests of @architect/functions take for @architect/sandbox: start and end, with
// arc sandbox behind them. ARC is the program. As there, whoever starts it has the
// variables of a function of the app from then on.
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { createInterface } = require('node:readline')

let running

// deployable copies an app, as it could be deployed: its functions have the package from
// node_modules, and not from a folder outside of the app; what its plugin tells are texts.
function deployable (app) {
  const suite = process.cwd()
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'functions-'))
  const outside = /require\('(\.\.\/){6}(src)?'\)/g
  fs.cpSync(app, copy, { recursive: true })
  for (const name of fs.readdirSync(copy, { recursive: true })) {
    const file = path.join(copy, name)
    if (!file.endsWith('.js')) continue
    const text = fs.readFileSync(file, 'utf8')
    fs.writeFileSync(file, text.replace(outside, "require('@architect/functions')"))
  }
  const plugin = path.join(copy, 'src/plugins/services.js')
  if (fs.existsSync(plugin)) fs.writeFileSync(plugin, texts(fs.readFileSync(plugin, 'utf8')))
  nameTables(copy)
  const modules = path.join(copy, 'node_modules')
  fs.cpSync(path.join(suite, 'node_modules'), modules, { recursive: true, filter: name => !/@architect.(sandbox|functions)|\.bin$/.test(name) })
  for (const part of ['src', 'package.json']) fs.cpSync(path.join(suite, part), path.join(modules, '@architect/functions', part), { recursive: true })
  // Functions have what a .env says, and not what this process has.
  const session = process.env.ARC_SESSION_TABLE_NAME
  if (session) fs.writeFileSync(path.join(copy, '.env'), `ARC_SESSION_TABLE_NAME=${session}\n`)
  return copy
}

// texts has a plugin tell a parameter for each text in what it tells: CloudFormation
// takes no object for the value of one.
const texts = plugin => `${plugin}
const told = module.exports.deploy.services
const flat = (value, at) => typeof value === 'string' ? [[at, value]] : Object.entries(value).flatMap(([name, of]) => flat(of, at ? at + '/' + name : name))
module.exports.deploy.services = async (...args) => Object.fromEntries(flat(await told(...args), ''))
`

// nameTables has the app give its tables the names that Architect's sandbox makes up, which
// the suite knows by heart: CloudFormation's own end in letters that nobody foresees.
function nameTables (copy) {
  const file = ['app.arc', '.arc'].map(name => path.join(copy, name)).find(name => fs.existsSync(name))
  const text = fs.readFileSync(file, 'utf8')
  const app = /^@app\s+(\S+)/m.exec(text)[1]
  const plugins = /^@plugins$/m.test(text) ? text.replace(/^@plugins$/m, '@plugins\nnames') : `${text}\n@plugins\nnames\n`
  fs.writeFileSync(file, plugins)
  fs.mkdirSync(path.join(copy, 'src/plugins'), { recursive: true })
  fs.writeFileSync(path.join(copy, 'src/plugins/names.js'), `
const called = name => name.split('-').map(word => word[0].toUpperCase() + word.slice(1)).join('') + 'Table'
module.exports.deploy = {
  start ({ cloudformation, inventory }) {
    for (const { name } of inventory.inv.tables || []) {
      cloudformation.Resources[called(name)].Properties.TableName = '${app}-staging-' + name
    }
    return cloudformation
  },
}
`)
}

function start ({ cwd = process.cwd(), port = 3333 } = {}) {
  return new Promise((done, failed) => {
    cwd = deployable(cwd)
    running = spawn(process.env.ARC, ['sandbox', '--json', '--fresh', '--port', String(port)], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    running.stderr.on('data', text => {
      said += text
      const at = /local cloud at (\S+:(\d+))/.exec(said)
      if (at) variables(at[1], Number(at[2]), port)
    })
    running.on('exit', code => failed(Error(`arc sandbox ended with ${code}\n${said}`)))
    createInterface({ input: running.stdout }).on('line', line => {
      if (JSON.parse(line).event === 'ready') done('Sandbox successfully started')
    })
  })
}

function variables (endpoint, cloud, http) {
  const ports = { http, _arc: cloud, events: cloud, queues: cloud, tables: cloud }
  Object.assign(process.env, {
    ARC_ENV: 'testing', ARC_SANDBOX: JSON.stringify({ ports, version: '9.0.0' }), AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-west-2', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local',
  })
}

function end () {
  return new Promise(done => {
    running.removeAllListeners('exit')
    running.on('exit', () => done('Sandbox successfully shut down'))
    running.kill('SIGINT')
  })
}

// Both are called with a callback as well.
const either = does => (...args) => {
  const then = typeof args.at(-1) === 'function' ? args.pop() : undefined
  const result = does(...args)
  if (!then) return result
  result.then(text => then(null, text), then)
}

module.exports = { start: either(start), end: either(end) }
