@aws
storage 1024
concurrency 20
policies
  architect-default-policies
  AmazonS3ReadOnlyAccess
