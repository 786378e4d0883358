import arc from '@architect/functions'

// The page: who is here, what was said, and a line to say something.
export async function handler () {
  return {
    statusCode: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<link rel=icon href="data:,">
<title>Team chat</title>
<h1>Team chat</h1>
<p>Here: <span id=here>nobody yet</span></p>
<ol id=messages></ol>
<input id=message placeholder="Say something" autofocus>
<script>window.WS_URL = ${JSON.stringify(process.env.ARC_WSS_URL)}</script>
<script type=module src=${arc.static('/index.mjs')}></script>
</html>`,
  }
}
