@aws
runtime deno
layer arn:aws:lambda:us-east-1:123456789012:layer:deno:3
