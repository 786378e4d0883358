@app
notes

@http
get /notes
post /notes
get /ways

@tables
notes
  author *String
  id **String
  expires TTL
  PointInTimeRecovery true

@tables-indexes
notes
  topic *String
  name byTopic
