# Runs for each batch of messages in the queue "__NAME__".
def handler(event:, context:)
  event["Records"].each { |record| puts record["body"] }
end
