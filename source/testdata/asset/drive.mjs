// Answers one event a line with the handler named on the command line.
import { createInterface } from 'node:readline'

const { handler } = await import(process.argv[2])
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await handler(JSON.parse(line))))
}
process.exit()
