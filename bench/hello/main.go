// Command hello is the floor of every Go command's start.
package main

import "fmt"

func main() { fmt.Println("hello") }
