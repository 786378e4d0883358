// Says what the npm package jsonata makes of expressions: a JSON document with the
// input and a list of expressions comes in, a list of results goes out.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const jsonata = createRequire(join(process.argv[2], 'package.json'))('jsonata')
const { input, expressions } = JSON.parse(readFileSync(0, 'utf8'))
const results = []
for (const expression of expressions) {
  try {
    const value = await jsonata(expression).evaluate(structuredClone(input))
    if (value === undefined) results.push('nothing')
    else if (typeof value === 'function' || value?._jsonata_function || value?._jsonata_lambda) results.push('a function')
    else if (value === Infinity || Number.isNaN(value)) results.push(`"${value}"`)
    else results.push(JSON.stringify(value, (key, v) => typeof v === 'function' || v?._jsonata_lambda ? 'a function' : v))
  } catch (e) {
    results.push('error ' + e.code)
  }
}
console.log(JSON.stringify(results))
