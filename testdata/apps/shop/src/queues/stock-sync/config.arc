@aws
timeout 120
concurrency 1
