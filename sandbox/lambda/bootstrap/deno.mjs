// The Runtime API client of Deno functions: takes events over one connection
// that is kept open, runs the handler, and sends back what came of it.
const env = (name) => Deno.env.get(name) ?? ''
const runtime = `http://${env('AWS_LAMBDA_RUNTIME_API')}/2018-06-01/runtime/`

// Deno paints the places of what cannot be imported, even in the message.
const plain = (text) => String(text).replace(/\x1b\[[0-9;]*m/g, '')

const describe = (err, type) => ({
  errorType: type ?? err?.name ?? typeof err,
  errorMessage: plain(err?.message ?? err),
  trace: plain(err?.stack ?? '').split('\n').filter((line) => !line.includes('/bootstrap/deno.mjs')),
})

async function report(path, err, type) {
  if (path !== 'init/error') console.log(err) // the service tells what cannot be loaded
  const object = describe(err, type)
  const headers = { 'Lambda-Runtime-Function-Error-Type': object.errorType }
  await (await fetch(runtime + path, { method: 'POST', headers, body: JSON.stringify(object) })).body?.cancel()
}

async function load() {
  const [, stem, name] = /^(.*?)\.([^./]+)$/.exec(env('_HANDLER')) ?? []
  const file = ['.ts', '.tsx', '.js', '.mjs']
    .map((end) => `${env('LAMBDA_TASK_ROOT')}/${stem}${end}`)
    .find((path) => {
      try {
        return Deno.statSync(path).isFile
      } catch {
        return false
      }
    })
  if (!file) throw Object.assign(new Error(`Cannot find module '${stem}'`), { type: 'Runtime.ImportModuleError' })
  const handler = (await import(new URL(`file://${file}`).href))[name]
  if (typeof handler !== 'function') throw Object.assign(new Error(`${env('_HANDLER')} is not exported, or not a function`), { type: 'Runtime.HandlerNotFound' })
  return handler
}

let handler
try {
  handler = await load()
} catch (err) {
  await report('init/error', err, err.type)
  Deno.exit(1)
}
for (;;) {
  const next = await fetch(runtime + 'invocation/next')
  const id = next.headers.get('Lambda-Runtime-Aws-Request-Id')
  const deadline = Number(next.headers.get('Lambda-Runtime-Deadline-Ms'))
  const context = {
    awsRequestId: id,
    functionName: env('AWS_LAMBDA_FUNCTION_NAME'),
    functionVersion: env('AWS_LAMBDA_FUNCTION_VERSION'),
    memoryLimitInMB: env('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
    logGroupName: env('AWS_LAMBDA_LOG_GROUP_NAME'),
    logStreamName: env('AWS_LAMBDA_LOG_STREAM_NAME'),
    invokedFunctionArn: next.headers.get('Lambda-Runtime-Invoked-Function-Arn'),
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  }
  try {
    const body = JSON.stringify((await handler(await next.json(), context)) ?? null)
    await (await fetch(`${runtime}invocation/${id}/response`, { method: 'POST', body })).body?.cancel()
  } catch (err) {
    await report(`invocation/${id}/error`, err)
  }
}
