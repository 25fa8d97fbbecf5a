package guest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxFunction is how many characters of a function's name are told.
const maxFunction = 100

// frame is a line of wazero's stack traces: a tab, the module's name, which is
// empty, and a function's with its type.
var frame = regexp.MustCompile(`(?m)^\t\.(.*?)\([a-z0-9,]*\)(?: [a-z0-9]+| \([a-z0-9,]+\))?$`)

// where is the function of the guest in which a call was stopped, as the module
// names it, or "function 5", counted as the module counts; "" when err has no
// trace. The meter's own functions are passed over.
func (c *Code) where(err error) string {
	if err == nil {
		return ""
	}
	own := len(c.module.Imports) + c.functions
	for _, f := range frame.FindAllStringSubmatch(err.Error(), 4) {
		number, ok := strings.CutPrefix(f[1], "$")
		n, notNumber := strconv.Atoi(number)
		switch {
		case !ok || notNumber != nil:
			return shortened(Printable(f[1]))
		case n < own:
			return fmt.Sprintf("function %d", n)
		}
	}
	return ""
}

// Printable makes text that others have chosen fit for a line of a log or on a
// terminal: whatever is not to be seen becomes U+FFFD.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func shortened(name string) string {
	if r := []rune(name); len(r) > maxFunction {
		return string(r[:maxFunction]) + "..."
	}
	return name
}
