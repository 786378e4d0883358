# Runs for the WebSocket action "__NAME__".
def handler(event:, context:)
  connection = event["requestContext"]["connectionId"]
  puts "#{connection} #{event["body"]}"
  { statusCode: 200 }
end
