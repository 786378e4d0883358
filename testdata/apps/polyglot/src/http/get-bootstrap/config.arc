@aws
runtime provided.al2023
architecture x86_64
handler bootstrap.main
