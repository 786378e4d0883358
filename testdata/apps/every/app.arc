# Every pragma, and every setting that a manifest has for it.
@app
every-pragma

@aws
region us-west-2
runtime nodejs22.x
architecture arm64
memory 256
timeout 10
storage 512
apigateway http

@http
get /
get /notes
get /notes/:id
post /notes
put /notes/:id
patch /notes/:id
delete /notes/:id
head /notes
options /notes
any /files/*
/export
  method get
  src src/export

@ws
join
send
leave
  src src/rooms/leave

@events
note-saved
account.closed
welcome
  src src/mail/welcome

@queues
thumbnails
mails
  src src/mail/outbox

@scheduled
hourly rate(1 hour)
nightly cron(30 2 * * ? *)
weekly
  cron 0 6 ? * MON *
  src src/reports/weekly
often
  rate 5 minutes

@tables
notes
  account *String
  id **String
  encrypt true
  PITR true
accounts
  id *String
  expires TTL
  stream true
readings
  sensor *String
  at **Number

@tables-indexes
notes
  account *String
  changed **Number
  projection keys
notes
  tag *String
  name by-tag
  projection title changed
accounts
  email *String

@tables-streams
audit
  table notes
  src src/audit

@static
folder public
fingerprint true
prefix assets
prune true
ignore
  drafts
  .map
compression br
spa false

@cdn
true

@proxy
testing http://localhost:8080
staging https://staging.example.com
production https://www.example.com

@shared
src src/lib

@views
src src/pages
