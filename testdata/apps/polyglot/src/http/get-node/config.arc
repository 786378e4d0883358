@aws
runtime nodejs20.x
architecture x86_64
