def handler(event:, context:)
  { statusCode: 200, body: "ruby" }
end
