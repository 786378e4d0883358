@aws
memory 512
timeout 15
provisionedConcurrency 2

@arc
views true
