@aws
runtime python3.13
memory 2048
timeout 600
