// Packages of the SDK that code asks for by a name made while it runs, such as the
// CDK's AwsCustomResource: on Lambda all of them are there. Those that stand in the
// code were put beside it before it started; any other is asked for when it is
// missing.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const Module = require('node:module')

// asked tells whether the local cloud has put a package where it is found.
function asked(address, name) {
  const code = `fetch(${JSON.stringify(`http://${address}/2018-06-01/runtime/arc/package/${name}`)}).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`
  return require('node:child_process').spawnSync(process.execPath, ['-e', code], { env: { PATH: process.env.PATH }, stdio: 'ignore' }).status === 0
}

// unseen takes this file out of what an error tells of its way.
function unseen(error) {
  error.stack = String(error.stack).split('\n').filter((line) => !line.includes(__filename)).join('\n')
  return error
}

module.exports = (address) => {
  const resolve = Module._resolveFilename
  const known = new Map()
  Module._resolveFilename = function (request, ...more) {
    try {
      return resolve.call(this, request, ...more)
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND' || !/^@aws-sdk\/[a-z0-9-]+$/.test(request)) throw unseen(error)
      if (!known.has(request)) known.set(request, asked(address, request))
      // Node keeps in mind that there was no package.json, so it is led to where the
      // package really is.
      const place = known.get(request) && more[0]?.paths?.map((folder) => path.join(folder, request)).find((folder) => fs.existsSync(folder))
      if (!place) throw unseen(error)
      return resolve.call(this, fs.realpathSync(place), ...more)
    }
  }
}
