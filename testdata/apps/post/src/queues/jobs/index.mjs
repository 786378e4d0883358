import arc from '@architect/functions'
import fs from 'node:fs'

export const handler = arc.queues.subscribe(async payload => {
  if (payload.fail) throw new Error('on purpose')
  fs.appendFileSync(process.env.HOME + '/seen', 'jobs ' + JSON.stringify(payload) + '\n')
})
