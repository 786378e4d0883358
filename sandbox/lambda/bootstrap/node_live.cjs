// What code that runs where it is written needs, to see what it sees when it is
// deployed: shared code and views under node_modules/@architect, and nothing of
// a package.json further up.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const Module = require('node:module')
const { pathToFileURL, fileURLToPath } = require('node:url')

const manifest = (dir) => {
  try {
    return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8').replace(/^\uFEFF/, '')) // a mark that Node passes over
  } catch (err) {
    if (err.code !== 'ENOENT') throw err
  }
}

// scope is the module system of a .js file: that of the nearest package.json up
// to the top of what is deployed.
function scope(file, top) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    const found = manifest(dir)
    if (found) return found.type ?? 'commonjs'
    if (dir === top || dir === path.dirname(dir)) return 'commonjs'
  }
}

// inherits tells whether Node would take .js files for ES modules because of a
// package.json above the top.
const inherits = (top) => !manifest(top) && scope(top, '') === 'module'

const linked = (request) => /^@architect\/(shared|views)($|\/)/.test(request)

// rules decide about the files under the tops, which links lead to.
function rules({ tops, parent }) {
  const topOf = (file) => tops.find((top) => file.startsWith(top + path.sep) && !file.slice(top.length).includes('node_modules'))
  const commonjs = (file) => file.endsWith('.js') && topOf(file) && scope(file, topOf(file)) === 'commonjs'
  return {
    commonjs,
    from: (request, context) => (parent && linked(request) ? { ...context, parentURL: pathToFileURL(parent).href } : context),
    found(result) {
      if (result.url.startsWith('file:') && commonjs(fileURLToPath(result.url))) result.format = 'commonjs'
      return result
    },
  }
}

// concerns tells whether any file of the tops is one that rules decide about.
function concerns(dir, inherited) {
  return fs.readdirSync(dir, { withFileTypes: true }).some((entry) => {
    const file = path.join(dir, entry.name)
    if (entry.isDirectory()) return entry.name !== 'node_modules' && concerns(file, inherited)
    if (!/\.[cm]?js$/.test(file)) return false
    return (inherited && file.endsWith('.js')) || fs.readFileSync(file, 'latin1').includes('@architect/')
  })
}

function live(root, links, esm) {
  const folders = links ? ['shared', 'views'].map((name) => path.join(links, 'node_modules/@architect', name)) : []
  const tops = [root, ...folders.filter((link) => fs.existsSync(link)).map((link) => fs.realpathSync(link))]
  const parent = links && path.join(links, 'x.js')
  const inherited = tops.some(inherits)
  const { commonjs, from, found } = rules({ tops, parent })
  if (inherited) {
    const load = Module._extensions['.js']
    Module._extensions['.js'] = (module, file) => {
      if (commonjs(file)) module._compile(fs.readFileSync(file, 'utf8'), file, 'commonjs')
      else load(module, file)
    }
  }
  const resolve = Module._resolveFilename
  Module._resolveFilename = function (request, ...more) {
    if (links && linked(request)) more[0] = { id: parent, filename: parent, paths: [path.join(links, 'node_modules')] }
    return resolve.call(this, request, ...more)
  }
  if (Module.registerHooks) {
    Module.registerHooks({ resolve: (request, context, next) => found(next(request, from(request, context))) })
  } else if (esm && tops.some((top) => concerns(top, inherited))) {
    // Before Node 22.15 hooks live in a thread that takes longer to start than
    // Node itself, so only for those who need it.
    Module.register(pathToFileURL(__filename).href, { data: { tops, parent } })
  }
}

// The rest is for that thread.
let hooks
const initialize = (data) => void (hooks = rules(data))
const resolve = async (request, context, next) => hooks.found(await next(request, hooks.from(request, context)))

module.exports = { scope, inherits, live, initialize, resolve }
