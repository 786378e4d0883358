# A function for each runtime and each way to set it up.
@app
polyglot

@aws
region us-east-1

@http
get /
get /node
get /alias
get /python
get /ruby
get /deno
get /deno-layer
get /bootstrap
get /java
get /handler
get /layered
get /quiet
get /capped
get /frozen
