@aws
runtime Node.js
