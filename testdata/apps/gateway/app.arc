# An API in front of an older server, with files in a bucket that exists.
@app
front-door

@aws
region eu-west-2
apigateway httpv1
runtime nodejs20.x

@http
get /status
get /api/v2/:resource
any /api/v2/:resource/:id
post /hooks/*
head /status

@proxy
testing http://localhost:9000
staging https://staging.old.example.com/app
production https://old.example.com/app

@static
staging front-door-files-staging
production front-door-files
