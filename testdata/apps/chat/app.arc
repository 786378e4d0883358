@app
team-chat

@http
get /

@ws

@events
said

@scheduled
tidy rate(1 hour)

@tables
connections
  id *String
messages
  room *String
  sent **String

@tables-streams
connections
