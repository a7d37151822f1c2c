// Command permdrift audits who may invoke and administer AWS Lambda functions:
// it compares what policies allow now with what somebody approved. See the
// README for what each command does; `permdrift help` says the same.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
