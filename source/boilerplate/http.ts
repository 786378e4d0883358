// deno-lint-ignore no-explicit-any
type Event = any

// Answers __NAME__.
export async function handler (event: Event) {
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
  </style>
</head>
<body>
  <h1>It works</h1>
  <p>This page is <code>@http __NAME__</code>. To change it, edit <code>__FILE__</code> in the route's folder.</p>
</body>
</html>
`
