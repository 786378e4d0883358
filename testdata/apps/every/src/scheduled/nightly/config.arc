@aws
timeout 900

@arc
shared false
env false
