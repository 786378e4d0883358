@aws
fifo false
timeout 60
policies
  architect-default-policies
  AmazonSESFullAccess
