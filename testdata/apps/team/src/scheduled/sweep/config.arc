@aws
timeout 50
