@aws
provisionedConcurrency 1
