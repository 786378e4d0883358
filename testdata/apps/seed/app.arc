@app
mywsapp

@ws
# no further config required!

@http
get /
