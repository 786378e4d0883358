# Runs when items of the table "__NAME__" change.
def handler(event:, context:)
  event["Records"].each { |record| puts "#{record["eventName"]} #{record["dynamodb"]}" }
end
