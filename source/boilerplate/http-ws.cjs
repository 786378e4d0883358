// Answers __NAME__. The page talks to the app's WebSocket: what is typed comes back.
exports.handler = async function handler (event) {
  return {
    statusCode: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate, max-age=0',
    },
    body: page,
  }
}

const page = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="icon" href="data:,">
  <title>arc</title>
  <style>
    :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
    body { max-width: 40rem; margin: 10vh auto; padding: 0 1rem; overflow-wrap: anywhere }
    input, button { font: inherit; max-width: 100% }
  </style>
</head>
<body>
  <h1>It works</h1>
  <p>This page is <code>@http __NAME__</code>. To change it, edit <code>__FILE__</code> in the route's folder.</p>
  <form><input name="message" placeholder="Say something" aria-label="Message" autofocus> <button>Send</button></form>
  <ul></ul>
  <script type="module">
    const socket = new WebSocket(${JSON.stringify(process.env.ARC_WSS_URL)})
    const form = document.querySelector('form')
    const show = text => document.querySelector('ul').prepend(Object.assign(document.createElement('li'), { textContent: text }))
    socket.onopen = () => show('connected')
    socket.onclose = () => show('disconnected')
    socket.onmessage = event => show('echo: ' + event.data)
    form.onsubmit = event => {
      event.preventDefault()
      socket.send(form.message.value)
      form.reset()
    }
  </script>
</body>
</html>
`
