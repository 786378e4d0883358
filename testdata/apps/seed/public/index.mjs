const main = document.querySelector('main')
const input = document.querySelector('#message')
const socket = new WebSocket(window.WS_URL)

function say (text) {
  const line = document.createElement('p')
  line.textContent = text
  main.append(line)
}

socket.onopen = () => { main.textContent = ''; say('opened') }
socket.onclose = () => say('closed')
socket.onmessage = event => say(JSON.parse(event.data).text)

input.addEventListener('keyup', event => {
  if (event.key !== 'Enter') return
  socket.send(JSON.stringify({ text: input.value }))
  input.value = ''
})
