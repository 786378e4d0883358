# What describes tables is none of the rights that the default policies give.
@aws
policies architect-default-policies AmazonDynamoDBReadOnlyAccess
