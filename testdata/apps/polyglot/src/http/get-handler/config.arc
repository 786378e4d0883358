@aws
handler main.run
