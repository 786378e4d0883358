@aws
runtime ruby
timeout 300
