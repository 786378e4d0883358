@aws
runtime java21
handler app.handle
memory 2048
