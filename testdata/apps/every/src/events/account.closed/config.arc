@aws
policies
  AmazonDynamoDBFullAccess
