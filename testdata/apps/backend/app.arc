# No web at all: work that comes by topic, queue, table and clock.
@app
meter-readings

@events
reading-received

@queues
ingest
bill
  src src/billing/bill

@scheduled
close-month cron(0 1 1 * ? *)
heartbeat
  rate 1 minute
  src src/ops/heartbeat

@tables
readings
  meter *String
  at **Number
  stream true
  old ttl
bills
  month *String
  meter **String

@tables-streams
ledger
  table bills
bills-mail
  table bills
  src src/billing/mail
