// Runs the integration tests of @architect/functions in the current folder, a copy of its
// checkout, and tells of each file how many passed. It fails when a test does for which
// known.txt has no reason, and when one of those passes.
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const known = new Map(fs.readFileSync(path.join(__dirname, 'known.txt'), 'utf8').split('\n')
  .filter(line => line && !line.startsWith('#')).map(line => line.split(' | ')))
const met = new Set()
let wrong = 0
for (const name of fs.readdirSync('test/integration').filter(name => name.endsWith('.js'))) {
  const { stdout, stderr } = spawnSync(process.execPath, ['node_modules/tape/bin/tape', `test/integration/${name}`], { encoding: 'utf8', timeout: 120e3 })
  const lines = stdout.split('\n')
  const failed = lines.filter(line => line.startsWith('not ok ')).map(line => line.replace(/^not ok \d+ /, ''))
  console.log(`${name}: ${lines.filter(line => line.startsWith('ok ')).length} passed, ${failed.length} failed`)
  for (const text of failed) {
    const reason = known.get(`${name}: ${text}`)
    met.add(`${name}: ${text}`)
    console.log(`  ${text}${reason ? `\n    as it should: ${reason}` : ''}`)
    wrong += reason ? 0 : 1
  }
  if (!lines.some(line => line.startsWith('# pass'))) {
    console.log(`  it came to no end\n${stdout}${stderr}`)
    wrong++
  }
}
for (const [text, reason] of known) {
  if (met.has(text)) continue
  console.log(`${text}: passes, although ${reason}`)
  wrong++
}
process.exitCode = wrong ? 1 : 0
