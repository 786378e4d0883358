// The name is what the page's address has behind the #.
const name = decodeURIComponent(location.hash.slice(1)) || 'somebody'
const list = document.querySelector('#messages')
const input = document.querySelector('#message')
const socket = new WebSocket(window.WS_URL)

const shown = new Set()

function show ({ from, text, sent }) {
  if (shown.has(sent)) return
  shown.add(sent)
  const line = document.createElement('li')
  line.textContent = `${from}: ${text}`
  list.append(line)
}

socket.onopen = () => socket.send(JSON.stringify({ name }))
socket.onmessage = ({ data }) => {
  const { history, message, here } = JSON.parse(data)
  if (history) {
    list.replaceChildren()
    shown.clear()
    history.forEach(show)
  }
  if (message) show(message)
  if (here) document.querySelector('#here').textContent = here.join(', ')
}
socket.onclose = () => { document.querySelector('#here').textContent = 'the connection is closed' }
input.onkeydown = ({ key }) => {
  if (key !== 'Enter' || !input.value) return
  socket.send(JSON.stringify({ text: input.value }))
  input.value = ''
}
