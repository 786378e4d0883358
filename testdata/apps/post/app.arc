@app
post

@http
post /publish
post /sdk
get /seen

@events
signup

@queues
jobs
  fifo false
orders
