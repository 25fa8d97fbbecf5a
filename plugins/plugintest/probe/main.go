// Command probe is a plugin that uses everything the SDK has, on demand: a text
// message names what to do. It exists for its test, which shows that the SDK
// does the same natively and as wasm.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/logger"
)

func init() { guest.Register(&probe{}) }

func main() {}

type probe struct {
	ids      []uint64
	held     uint64
	response *guest.Response
	refused  []string
	garbage  [][]byte
	hoard    [][]byte
	oldest   int
	found    chan string // by a goroutine that no callback waits for
}

func (p *probe) Start(cfg guest.Config) error {
	if _, err := cfg.Int("limit", 1); err != nil {
		return err
	}
	guest.Subscribe("self")
	p.found = make(chan string, 1)
	return nil
}

func (p *probe) Connect(s guest.Session) error {
	switch r := s.Request(); r.Path() {
	case "/error":
		return errors.New("broken")
	case "/status":
		return &guest.StatusError{Status: 418, Body: r.Query()}
	case "/close":
		return &guest.CloseError{Code: 4000, Reason: "not today"}
	case "/hold":
		p.held = s.ID()
		return s.Hold()
	case "/accept":
		return s.Accept(r.Protocols()[0], guest.Field{Name: "x-from", Value: r.Remote()})
	}
	p.ids = append(p.ids, s.ID())
	s.SetUser(100 + uint64(len(p.ids)))
	return nil
}

func (p *probe) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	word, rest, _ := strings.Cut(string(data), " ")
	n, _ := strconv.Atoi(rest)
	switch word {
	case "spill":
		for i := range n {
			if err := s.SendCopy(guest.Text, strconv.AppendInt(nil, int64(i), 10)); err != nil {
				return err
			}
		}
	case "brigade":
		return s.SendBuckets(guest.Text, brigade(n)...)
	case "retain":
		p.retain(s, n)
	case "grow":
		p.garbage = append(p.garbage, bytes.Repeat([]byte("g"), n))
		return s.SendBinary(p.garbage[len(p.garbage)-1])
	case "hoard": // n small things, to keep
		p.hoard = make([][]byte, n)
		for i := range p.hoard {
			p.hoard[i] = make([]byte, 128)
		}
	case "churn": // put n new ones in the place of old ones
		for range n {
			p.hoard[p.oldest%len(p.hoard)] = make([]byte, 128)
			p.oldest++
		}
	case "view":
		for range n {
			s.Send(flags, data)
		}
	case "user":
		s.SetUser(s.User() + 1)
		return s.SendText(strconv.FormatUint(s.User(), 10))
	case "many":
		return guest.SendMany(append(p.ids, 7), guest.Text, []byte("to all"))
	case "topic":
		s.Subscribe("room")
		return errors.Join(guest.Publish("room", guest.Text, []byte(rest)), guest.Publish("self", guest.Binary, data))
	case "timer":
		guest.RepeatTimer(s.ID(), time.Second)
	case "decide":
		return guest.SessionByID(p.held).Accept("")
	case "refused":
		return s.SendText(strings.Join(p.refused, " "))
	case "clock":
		return s.SendText(fmt.Sprint(guest.Now().UnixNano(), " ", guest.Uptime()))
	case "wait":
		return p.wait(s)
	case "background":
		go func() { p.found <- rest }()
	case "found":
		select {
		case text := <-p.found:
			return s.SendText(text)
		default:
		}
	case "log":
		logger.ForSession(s).With("n", n).WithGroup("g").Warn("hot", "key", "a b")
		guest.Observe("probe_seconds", 0.5)
	case "end":
		return p.response.End()
	case "bye":
		s.CloseWith(4001, rest)
	case "panic":
		panic("told to " + rest)
	case "error":
		return errors.New(rest)
	}
	return nil
}

func (p *probe) Close(s guest.Session, code uint16, reason string) {
	who, clean := s.Ended()
	guest.Log(guest.LevelInfo, fmt.Sprint(code, " ", reason, " ", who, " ", clean))
}

func (p *probe) Timer(id, missed uint64) error {
	return guest.SessionByID(id).SendText(fmt.Sprint("tick ", missed))
}

func (p *probe) Topic(name string, flags guest.Flags, data []byte) error {
	guest.Log(guest.LevelDebug, fmt.Sprintf("%s %x %s", name, uint8(flags), data))
	return nil
}

func (p *probe) Refused(r guest.Refusal) {
	p.refused = append(p.refused, fmt.Sprint(r.Command, ":", r.Status, ":", r.ID))
}

func (p *probe) HTTP(req *guest.Request, resp *guest.Response) error {
	switch req.Path() {
	case "/error":
		return errors.New("broken")
	case "/later":
		resp.WriteString("first ")
		p.response = resp.Later()
		p.response.Flush()
		p.response.WriteString("last")
		return nil
	}
	resp.Status(201)
	resp.Header("x-size", strconv.Itoa(len(req.Body())))
	resp.Write(req.Body())
	return nil
}

// brigade makes n buckets of every sort.
func brigade(n int) (b []guest.Bucket) {
	for i := range n {
		text := strconv.Itoa(i) + ","
		switch i % 3 {
		case 0:
			b = append(b, guest.RefString(text))
		case 1:
			b = append(b, guest.Ref([]byte(text)))
		case 2:
			b = append(b, guest.Copy([]byte(text)))
		}
	}
	return b
}

// retain sends what nothing but the SDK refers to any more, then collects
// garbage and writes over whatever became free.
func (p *probe) retain(s guest.Session, n int) {
	for i := range n {
		s.SendBinary(bytes.Repeat([]byte{byte(i)}, 1<<10))
		s.SendText(strings.Repeat(strconv.Itoa(i%10), 1<<10))
		s.SendBuckets(guest.Binary, guest.Ref(bytes.Repeat([]byte{byte(i)}, 512)), guest.Copy(bytes.Repeat([]byte{byte(i)}, 512)))
	}
	for range 3 {
		runtime.GC()
		for range 4 * n {
			p.garbage = append(p.garbage, bytes.Repeat([]byte{0xee}, 1<<10))
		}
		p.garbage = nil
	}
}

// wait lets other goroutines do the work of a callback.
func (p *probe) wait(s guest.Session) error {
	done := make(chan string)
	go func() {
		time.Sleep(time.Millisecond)
		//lint:ignore SA4030 it is there to ask for randomness, and to say the same whatever comes
		done <- "done " + strconv.Itoa(rand.IntN(1))
	}()
	return s.SendText(<-done)
}
