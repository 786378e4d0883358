@aws
layers
  arn:aws:lambda:us-east-1:123456789012:layer:one:1
  arn:aws:lambda:us-east-1:123456789012:layer:two:7
policies
  AmazonS3ReadOnlyAccess
  arn:aws:iam::123456789012:policy/mine
