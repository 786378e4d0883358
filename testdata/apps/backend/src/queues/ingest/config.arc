@aws
fifo false
runtime python
timeout 30
