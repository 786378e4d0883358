@aws
timeout 20
memory 256

@arc
shared false
