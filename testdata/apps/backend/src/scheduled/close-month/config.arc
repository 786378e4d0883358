@aws
timeout 900
memory 3008
storage 4096
