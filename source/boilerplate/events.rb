# Runs for each message published to the event "__NAME__".
def handler(event:, context:)
  event["Records"].each { |record| puts record["Sns"]["Message"] }
end
