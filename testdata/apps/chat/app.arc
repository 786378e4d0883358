@app
team-chat

@http
get /

@ws

@tables
connections
  id *String
messages
  room *String
  sent **String

@tables-streams
connections
