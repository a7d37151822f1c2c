package lambdaruntime

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxAnswer is the largest answer that Lambda takes, in bytes.
const maxAnswer = 6 << 20

// routes is the Runtime API, version 2018-06-01.
func (f *Function) routes() http.Handler {
	const base = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"/invocation/next", f.next)
	mux.HandleFunc("POST "+base+"/invocation/{id}/response", f.response)
	mux.HandleFunc("POST "+base+"/invocation/{id}/error", f.failure)
	mux.HandleFunc("POST "+base+"/init/error", f.initFailure)
	return mux
}

// next hands out the next event, when there is one.
func (f *Function) next(w http.ResponseWriter, r *http.Request) {
	f.readyOnce.Do(func() {
		f.asked = time.Now()
		close(f.ready)
	})
	var inv *invocation
	select {
	case inv = <-f.pending:
	case <-r.Context().Done():
		return
	case <-f.closing:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	f.mu.Lock()
	f.current = inv
	f.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", f.config.FunctionARN)
	_, _ = w.Write(inv.payload) // if the process went away, Invoke sees it
}

func (f *Function) response(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r)
	if ok {
		f.settle(w, r.PathValue("id"), result{body: body})
	}
}

func (f *Function) failure(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r)
	if ok {
		f.settle(w, r.PathValue("id"), result{err: decodeError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body)})
	}
}

func (f *Function) initFailure(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r)
	if !ok {
		return
	}
	select {
	case f.initError <- decodeError(r.Header.Get("Lambda-Runtime-Function-Error-Type"), body):
	default: // said once is enough
	}
	accept(w)
}

// settle ends the invocation with that id, if it is the one under way.
func (f *Function) settle(w http.ResponseWriter, id string, r result) {
	f.mu.Lock()
	inv := f.current
	if inv != nil && inv.id == id {
		f.current = nil
	}
	f.mu.Unlock()
	if inv == nil || inv.id != id {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no invocation "+id+" is under way")
		return
	}
	inv.done <- r
	accept(w)
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "reading the answer: "+err.Error())
		return nil, false
	}
	if len(body) > maxAnswer {
		refuse(w, http.StatusRequestEntityTooLarge, "Function.ResponseSizeTooLarge", "the answer is longer than 6 MB")
		return nil, false
	}
	return body, true
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`) // the process may be gone
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, kind, message) // the process may be gone
}

// requestID is a random UUID, version 4.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// kept is how much of the standard error an ExitError shows.
const (
	keptBytes = 16 << 10
	keptLines = 40
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	if over := len(t.end) - keptBytes; over > 0 {
		t.end = append(t.end[:0], t.end[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.end)), "\n")
	if len(lines) > keptLines {
		lines = lines[len(lines)-keptLines:]
	}
	return strings.Join(lines, "\n")
}
