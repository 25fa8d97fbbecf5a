package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// A server is one yimmo-host that a script has in the background.
type server struct {
	cmd *exec.Cmd

	mu    sync.Mutex
	grown sync.Cond // of lines and over
	lines []string  // of its standard error
	over  bool      // there will be no more
}

type serverKey struct{}

// serveInBackground starts the program and waits until it listens. $ADDR and
// $URL say where, $ADMIN where for the operator.
//
//	serve [ARG...]
func serveInBackground(ts *testscript.TestScript, neg bool, args []string) {
	path, err := exec.LookPath("yimmo-host")
	ts.Check(err)
	s := &server{cmd: exec.Command(path, args...)}
	s.grown.L = &s.mu
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"GORACE", "HOME", "XDG_CACHE_HOME", "PATH", "TMPDIR", "YIMMO_LISTEN", "YIMMO_LIMITS_DRAIN", "YIMMO_LOG_FORMAT"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() })
	go s.read(stderr)
	*ts.Value(serverKey{}).(**server) = s
	line, ok := s.wait(regexp.MustCompile(`"?msg"?[:=]"?listening`))
	if !ok {
		ts.Fatalf("serve %q: ended before it listened:\n%s", args, s.text())
	}
	addr := regexp.MustCompile(`"?addr"?[:=]"?([^ "]+)`).FindStringSubmatch(line)[1]
	if admin := regexp.MustCompile(`msg="admin listens" addr=([^ "\n]+)`).FindStringSubmatch(s.text()); admin != nil {
		ts.Setenv("ADMIN", admin[1])
	}
	ts.Setenv("ADDR", addr)
	ts.Setenv("URL", "ws://"+addr)
	ts.Logf("%s", s.text())
}

func (s *server) read(stderr io.Reader) {
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		s.grown.Broadcast()
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.over = true
	s.grown.Broadcast()
	s.mu.Unlock()
}

// patience is how long a server may keep a failing script waiting.
const patience = 2 * time.Minute

// wait blocks until a line matches. ok is false when none can any more, or did
// not in time.
func (s *server) wait(want *regexp.Regexp) (line string, ok bool) {
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.grown.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for seen := 0; ; s.grown.Wait() {
		for ; seen < len(s.lines); seen++ {
			if want.MatchString(s.lines[seen]) {
				return s.lines[seen], true
			}
		}
		if s.over || late {
			return "", false
		}
	}
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n") + "\n"
}

func (s *server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.over
}

func current(ts *testscript.TestScript) *server {
	s := *ts.Value(serverKey{}).(**server)
	if s == nil {
		ts.Fatalf("no server: use serve first")
	}
	return s
}

// logged waits until the server has logged a line that matches; with ! it
// checks that it has not so far.
//
//	[!] logged REGEXP
func logged(ts *testscript.TestScript, neg bool, args []string) {
	s, want := current(ts), regexp.MustCompile(args[0])
	if neg {
		if want.MatchString(s.text()) {
			ts.Fatalf("logged %q:\n%s", want, s.text())
		}
	} else if _, ok := s.wait(want); !ok {
		ts.Fatalf("not logged %q:\n%s", want, s.text())
	}
}

// sendSignal sends the server a signal.
//
//	signal TERM|INT|HUP
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}
	ts.Check(current(ts).cmd.Process.Signal(signals[args[0]]))
}

// ended waits until the server has ended and checks its exit code. Its standard
// error is that of the last command then.
//
//	ended CODE
func ended(ts *testscript.TestScript, neg bool, args []string) {
	s := current(ts)
	s.wait(regexp.MustCompile(`[^\s\S]`)) // nothing: to the end
	if s.running() {
		ts.Fatalf("has not ended:\n%s", s.text())
	}
	_ = s.cmd.Wait()
	if got := strconv.Itoa(s.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code: got %s, want %s\n%s", got, args[0], s.text())
	}
	fmt.Fprint(ts.Stderr(), s.text())
}

// connectDeaf opens a session that never reads, so that it answers no close frame.
//
//	deaf URL
func connectDeaf(ts *testscript.TestScript, neg bool, args []string) {
	conn, _, err := websocket.DefaultDialer.Dial(args[0], nil)
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
}

// get prints status and body of a plain request.
//
//	get URL
func get(ts *testscript.TestScript, neg bool, args []string) {
	answer, err := http.Get(args[0])
	ts.Check(err)
	printAnswer(ts, answer)
}

// post sends an empty request and prints status and body of the answer.
//
//	post URL
func post(ts *testscript.TestScript, neg bool, args []string) {
	answer, err := http.Post(args[0], "", nil)
	ts.Check(err)
	printAnswer(ts, answer)
}

func printAnswer(ts *testscript.TestScript, answer *http.Response) {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s", answer.Status, body)
}
