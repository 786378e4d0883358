@aws
fifo false
timeout 60
memory 1024
