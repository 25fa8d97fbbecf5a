package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A value is one setting that knows how to read itself, from a TOML value or
// from the text of a flag or an environment variable. Errors quote what was
// written and say what to write instead; the caller adds key and place.
type value interface {
	fromTOML(v any) error
	fromText(s string) error
}

// Text is a setting without further form.
type Text string

func (t *Text) fromTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return wrongType(v, `text in quotes`)
	}
	return t.fromText(s)
}

func (t *Text) fromText(s string) error {
	*t = Text(s)
	return nil
}

// List is several texts: a list in TOML, separated by commas in a variable.
type List []string

func (l *List) fromTOML(v any) error {
	const want = `a list of texts, such as ["a", "b"]`
	all, ok := v.([]any)
	if !ok {
		return wrongType(v, want)
	}
	*l = List{}
	for _, e := range all {
		s, ok := e.(string)
		if !ok {
			return wrongType(e, want)
		}
		*l = append(*l, s)
	}
	return nil
}

func (l *List) fromText(s string) error {
	*l = List{}
	for part := range strings.SplitSeq(s, ",") {
		*l = append(*l, strings.TrimSpace(part))
	}
	return nil
}

// Address is a TCP address, "host:port". An empty host means every interface.
type Address string

func (a *Address) fromTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return wrongType(v, `an address in quotes, such as "127.0.0.1:8081"`)
	}
	return a.fromText(s)
}

func (a *Address) fromText(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf(`%q: an address is host:port with a port from 0 to 65535, such as "127.0.0.1:8081"`, s)
	}
	*a = Address(s)
	return nil
}

// choose tells whether s is one of words.
func choose(s string, words ...string) error {
	if slices.Contains(words, s) {
		return nil
	}
	return fmt.Errorf("%q: choose one of %s", s, strings.Join(words, ", "))
}

// Level is the least severe line that is logged.
type Level string

func (l *Level) fromTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return wrongType(v, "one of "+strings.Join(levels, ", "))
	}
	return l.fromText(s)
}

func (l *Level) fromText(s string) error {
	*l = Level(s)
	return choose(s, levels...)
}

// Format is the form of a log line.
type Format string

func (f *Format) fromTOML(v any) error {
	s, ok := v.(string)
	if !ok {
		return wrongType(v, "one of "+strings.Join(formats, ", "))
	}
	return f.fromText(s)
}

func (f *Format) fromText(s string) error {
	*f = Format(s)
	return choose(s, formats...)
}

// Duration is a span of time, written with its unit: "100ms", "5s", "1m30s". It
// is more than zero. A number without a unit is refused: everyone reads another
// unit into it.
type Duration time.Duration

func (d *Duration) fromTOML(v any) error {
	switch v := v.(type) {
	case string:
		return d.fromText(v)
	case int64, float64:
		return bareDuration(fmt.Sprint(v), textOf(v))
	}
	return wrongType(v, `a duration, such as "10s"`)
}

func (d *Duration) fromText(s string) error {
	if s != "" && strings.Trim(s, "+-.0123456789") == "" {
		return bareDuration(strconv.Quote(s), s)
	}
	n, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return fmt.Errorf(`%q: a duration is a number with a unit (ns, us, ms, s, m, h), such as "10s"`, s)
	case n <= 0:
		return fmt.Errorf(`%q: a duration is more than zero; 0 does not switch anything off`, s)
	}
	*d = Duration(n)
	return nil
}

func bareDuration(shown, number string) error {
	if f, err := strconv.ParseFloat(number, 64); err != nil || !(f > 0) || math.IsInf(f, 0) {
		return fmt.Errorf(`%s: a duration is more than zero and has a unit, such as "10s"`, shown)
	}
	return fmt.Errorf(`%s: a duration has a unit, write "%ss"`, shown, number)
}

// Size is a number of bytes: a whole number, or one with a unit as in "64KiB",
// "1MiB", "16MB". It is more than zero.
type Size int64

// sizeUnits holds longer names before those that they end in.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
}

func (z *Size) fromTOML(v any) error {
	switch v := v.(type) {
	case string:
		return z.fromText(v)
	case int64:
		return z.fromText(strconv.FormatInt(v, 10))
	}
	return wrongType(v, `a number of bytes or a size such as "64KiB"`)
}

func (z *Size) fromText(s string) error {
	digits, unit := s, int64(1)
	for _, u := range sizeUnits {
		if before, ok := strings.CutSuffix(s, u.name); ok {
			digits, unit = before, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	switch {
	case strings.HasPrefix(s, "-") || err == nil && n == 0:
		return fmt.Errorf("%s: a size is more than zero; 0 does not switch anything off", quoteUnlessNumber(s))
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return fmt.Errorf(`%q: a size is a whole number of bytes, or one with a unit (B, KB, MB, GB, KiB, MiB, GiB), such as "64KiB"`, s)
	case err != nil || n > uint64(math.MaxInt64/unit):
		return fmt.Errorf("%s: a size is less than 8 EiB", quoteUnlessNumber(s))
	}
	*z = Size(int64(n) * unit)
	return nil
}

// Count is a number of things, more than zero.
type Count int

func (c *Count) fromTOML(v any) error { return countFromTOML((*int)(c), v, 1) }

func (c *Count) fromText(s string) error { return countFromText((*int)(c), s, 1) }

// AutoCount is a number of things, or 0: the host works it out, or there is no
// limit.
type AutoCount int

func (c *AutoCount) fromTOML(v any) error { return countFromTOML((*int)(c), v, 0) }

func (c *AutoCount) fromText(s string) error { return countFromText((*int)(c), s, 0) }

func countFromTOML(n *int, v any, least int) error {
	i, ok := v.(int64)
	if !ok {
		return wrongType(v, "a whole number without quotes")
	}
	return countFromText(n, strconv.FormatInt(i, 10), least)
}

func countFromText(n *int, s string, least int) error {
	i, err := strconv.ParseInt(s, 10, 32)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%q: write a whole number", s)
	case err != nil || i < int64(least):
		return fmt.Errorf("%s: write a whole number from %d to %d", s, least, math.MaxInt32)
	}
	*n = int(i)
	return nil
}

// quoteUnlessNumber shows a size as its writer wrote it.
func quoteUnlessNumber(s string) string {
	if strings.Trim(s, "-0123456789") == "" {
		return s
	}
	return strconv.Quote(s)
}

func wrongType(v any, want string) error {
	return fmt.Errorf("%s: write %s", show(v), want)
}

// show renders a TOML value for a message: short, on one line.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "a list"
	case time.Time:
		return textOfTime(v)
	}
	return fmt.Sprint(v)
}
