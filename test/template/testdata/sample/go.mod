// A small program that calls a pretended SDK: what the reading of calls is
// tested on (calls_test.go).
module example.com/sample

go 1.26
