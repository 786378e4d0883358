@aws
concurrency 5
timeout 29
memory 10240
storage 10240
