import arc from '@architect/functions'

// The page learns the socket's address from the environment, which is right on
// this machine, on staging and on production alike.
export async function handler () {
  return {
    statusCode: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<link rel=icon href="data:,">
<title>Echo</title>
<h1>Echo over a WebSocket</h1>
<main>Connecting …</main>
<input id=message placeholder="Say something" autofocus>
<script>window.WS_URL = ${JSON.stringify(process.env.ARC_WSS_URL)}</script>
<script type=module src=${arc.static('/index.mjs')}></script>
</html>`,
  }
}
