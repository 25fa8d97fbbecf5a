//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A report is the table, printed row by row and kept.
type report struct{ text strings.Builder }

func newReport(b *built, ours *program, runs int, watch time.Duration) *report {
	r := &report{}
	r.line("%s. %s; Go %s. %s.", time.Now().UTC().Format(time.DateOnly), machine(), runtime.Version()[2:], b.versions())
	where := "not pinned: there is one processor"
	if cpus != nil {
		where = fmt.Sprintf("server on CPU %d with GOMAXPROCS=1, client on CPU %d", cpus[0], cpus[1])
	}
	r.line("%s; %d runs of %v each, in turn; load at the start %s.", where, runs, watch, loadAverage())
	r.line("")
	r.line("| work | unit | gorilla | %s | times cheaper (middle half) |", ours.name)
	r.line("|---|---|---|---|---|")
	return r
}

func (r *report) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Println(text)
	r.text.WriteString(text + "\n")
}

func (r *report) add(s *scenario, theirs, ours []sample) {
	decimals := 2
	if s.few {
		decimals = 0
	}
	all := ratios(theirs, ours)
	r.line("| %s | %s | %.*f | %.*f | %.2f (%.2f-%.2f) |", s.text, s.unit,
		decimals, quantile(costs(theirs), 0.5), decimals, quantile(costs(ours), 0.5),
		quantile(all, 0.5), quantile(all, 0.25), quantile(all, 0.75))
}

// The marks in a file between which the table belongs.
var marks = [2][]byte{[]byte("<!-- what bench/compare measured -->\n"), []byte("<!-- end of it -->\n")}

func (r *report) replaceIn(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(text, marks[0])
	_, after, ended := bytes.Cut(rest, marks[1])
	if !found || !ended {
		return fmt.Errorf("%s: lacks the lines %q and %q", file, marks[0], marks[1])
	}
	return os.WriteFile(file, bytes.Join([][]byte{before, marks[0], []byte(r.text.String()), marks[1], after}, nil), 0o666)
}

// machine is processor and system.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	var u unix.Utsname
	unix.Uname(&u)
	return fmt.Sprintf("%d x %s, Linux %s", runtime.NumCPU(), model, unix.ByteSliceToString(u.Release[:]))
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	return first
}
