@app
corner-shop

@aws
region eu-central-1
memory 512

@http
get /
get /products
get /products/:sku
get /cart
post /cart
delete /cart/:sku
get /login
post /login
post /logout
post /orders
get /orders/:id
get /admin
get /admin/orders
post /webhooks/payments
get /sitemap.xml

@static
fingerprint true
ignore
  design

@cdn

@events
order-placed
order-paid
order-shipped

@queues
receipts
stock-sync

@scheduled
expire-carts rate(15 minutes)
daily-report cron(0 5 * * ? *)

@tables
products
  sku *String
  PITR true
carts
  session *String
  sku **String
  expires TTL
orders
  id *String
  encrypt true
  PITR true
customers
  id *String
  encrypt arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab

@tables-indexes
products
  category *String
  price **Number
orders
  customer *String
  placed **String
  name orders-by-customer
customers
  email *String
  projection keys

@tables-streams
orders
