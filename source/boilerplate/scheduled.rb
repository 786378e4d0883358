# Runs on the schedule "__NAME__".
def handler(event:, context:)
  puts event
end
