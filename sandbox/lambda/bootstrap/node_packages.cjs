// Packages of the SDK that code asks for by a name made while it runs, such as the
// CDK's AwsCustomResource, or under a condition: on Lambda all of them are there. Those
// that are needed for sure were put beside the code before it started; any other is
// asked for when it is missing.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const Module = require('node:module')
const { pathToFileURL } = require('node:url')

// asked gives the folder in which the local cloud has put a package; '' = it has none.
function asked(address, name) {
  const code = `fetch(${JSON.stringify(`http://${address}/2018-06-01/runtime/arc/package/${name}`)}).then(async (r) => r.ok && process.stdout.write(await r.text()))`
  return require('node:child_process').spawnSync(process.execPath, ['-e', code], { env: { PATH: process.env.PATH }, encoding: 'utf8' }).stdout
}

// unseen takes this file out of what an error tells of its way.
function unseen(error) {
  error.stack = String(error.stack).split('\n').filter((line) => !line.includes(__filename)).join('\n')
  return error
}

module.exports = (address) => {
  const resolve = Module._resolveFilename
  const known = new Map()
  let last
  let beforehand
  // offered gives the real folder of a package that is missing; '' = there is none.
  const offered = (request) => {
    if (!/^@aws-sdk\/[a-z0-9-]+$/.test(request)) return ''
    // What else the code may ask for has come with the first.
    const beside = beforehand && path.join(beforehand, request)
    if (!known.has(request)) known.set(request, beside && fs.existsSync(beside) ? beside : asked(address, request))
    const place = known.get(request)
    if (!place) return ''
    beforehand = place.slice(0, -request.length)
    // Node keeps in mind that there was no package.json, so it is led to where the
    // package really is.
    return fs.realpathSync(place)
  }
  Module._resolveFilename = function (request, ...more) {
    let file
    try {
      file = resolve.call(this, request, ...more)
    } catch (error) {
      if (error.code === 'MODULE_NOT_FOUND' && /^aws-sdk($|\/)/.test(request)) {
        const why = ': no runtime of Lambda has it since nodejs18.x; arc check tells who asks for it, and what to do\n'
        for (const text of ['message', 'stack']) error[text] = error[text].replace('\n', why)
      }
      const place = error.code === 'MODULE_NOT_FOUND' && offered(request)
      if (!place) throw unseen(error)
      return resolve.call(this, place, ...more)
    }
    const folder = /^.*[\\/]node_modules[\\/]@architect[\\/]functions(?=[\\/])/.exec(file)?.[0]
    if (folder && folder !== last) require('./node_outdated.cjs')((last = folder))
    return file
  }
  // import() of ES modules asks here, from Node 22.15 on: before that, hooks live in a
  // thread that takes longer to start than Node itself.
  Module.registerHooks?.({
    resolve(request, context, next) {
      try {
        return next(request, context)
      } catch (error) {
        const place = error.code === 'ERR_MODULE_NOT_FOUND' && offered(request)
        if (!place) throw unseen(error)
        const above = place.endsWith(path.join('node_modules', request)) ? place.slice(0, -path.join('node_modules', request).length) : path.dirname(place)
        return next(request, { ...context, parentURL: pathToFileURL(path.join(above, 'x.mjs')).href })
      }
    },
  })
}
