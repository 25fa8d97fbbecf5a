// Command chaos is a plugin that does all that makes programs differ from run to
// run: it ranges over maps, lets goroutines race, looks at the clock, draws random
// numbers, sleeps and collects garbage. Under a host it is a function of its
// events all the same.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

// mark ends every answer.
const mark = "!"

type chaos struct {
	words   map[string]int
	garbage [][]byte
	began   time.Time
}

func (c *chaos) Start(cfg guest.Config) error {
	c.words, c.began = map[string]int{}, time.Now()
	guest.Log(guest.LevelInfo, "begins at "+c.began.String())
	return nil
}

func (c *chaos) Connect(s guest.Session) error {
	return s.SendText("hello " + fmt.Sprint(mathrand.Int63()) + mark)
}

func (c *chaos) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	verb, rest, _ := strings.Cut(string(data), " ")
	switch verb {
	case "panic":
		panic(rest)
	case "error":
		return errors.New(rest)
	case "bytes":
		return s.Send(guest.Binary, data)
	case "fill": // the command ring, so that the turn takes more than one call
		for i := range 3000 {
			s.SendText(fmt.Sprint(i, mark))
		}
		return nil
	}
	for _, w := range strings.Fields(string(data)) {
		c.words[w]++
	}
	for range 50 {
		c.garbage = append(c.garbage, make([]byte, 1000+mathrand.Intn(20000)))
	}
	if len(c.garbage) > 200 {
		c.garbage = nil
	}
	return s.SendText(strings.Join([]string{c.order(), c.race(), clock(), random(), world()}, " | ") + mark)
}

// order is that of a map, which Go makes random.
func (c *chaos) order() string {
	var b strings.Builder
	for w, n := range c.words {
		fmt.Fprint(&b, w, "=", n, " ")
	}
	return b.String()
}

// race is the order in which goroutines come through.
func (c *chaos) race() string {
	var mu sync.Mutex
	var all sync.WaitGroup
	var b strings.Builder
	results := make(chan int, 3)
	for i := range 8 {
		all.Go(func() {
			if i%3 == 0 {
				time.Sleep(time.Duration(mathrand.Intn(1000)) * time.Microsecond)
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprint(&b, i)
			select {
			case results <- i:
			default:
			}
		})
	}
	all.Wait()
	select {
	case i := <-results:
		fmt.Fprint(&b, " first ", i)
	case <-time.After(time.Millisecond):
	}
	return b.String()
}

func clock() string {
	start := time.Now()
	time.Sleep(3 * time.Millisecond)
	return fmt.Sprint(start.UnixNano(), " ", time.Since(start))
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b)
	return fmt.Sprintf("%x %v %v", b, mathrand.Float64(), math.Sqrt(mathrand.Float64()*1e9))
}

// world is what a program learns of where it runs.
func world() string {
	host, err := os.Hostname()
	_, stat := os.Stat("/")
	return fmt.Sprint(os.Args, os.Environ(), os.Getpid(), host, err, stat)
}

func (c *chaos) Close(s guest.Session, code uint16, reason string) {
	guest.Log(guest.LevelInfo, fmt.Sprint("closed ", code, " ", reason))
}

func init() { guest.Register(&chaos{}) }
func main() {}
