package main

import (
	"fmt"
	"runtime"
	"strings"
)

// damaged says that the file of the store is damaged. bbolt looks at a page only
// when it reads it, and panics where it finds something else. Any other panic is
// a fault of our own, and goes on.
func (p *program) damaged(code *int) {
	cause := recover()
	if cause == nil {
		return
	}
	if !strings.HasPrefix(panicked(), "go.etcd.io/bbolt") {
		panic(cause)
	}
	name := p.store
	if name == "" {
		name = "store.db in the user's state directory"
	}
	fmt.Fprintf(p.err, "permdrift: the store %s is damaged: %v\nPut a copy of it back, or move it away and begin a new one.\n", name, cause)
	*code = exitFailed
}

// panicked is the function that panicked, called while its panic is recovered.
func panicked() string {
	calls := make([]uintptr, 64)
	frames := runtime.CallersFrames(calls[:runtime.Callers(2, calls)])
	for panicking := false; ; {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(frame.Function, "runtime."):
			return frame.Function
		}
		if !more {
			return ""
		}
	}
}
