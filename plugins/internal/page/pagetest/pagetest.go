// Package pagetest judges the page of a plugin: what it loads is there and
// comes as what it is, and nothing in it is against its own policy.
package pagetest

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/guest-sdk/go/guesttest"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page"
	"github.com/yimmo-host/yimmo-host/plugins/plugintest"
)

// reference finds what HTML and scripts load: names of files, no data.
var reference = regexp.MustCompile(`(?:src|href)="([^":]+)"|from "\./([^"]+)"`)

// inline finds what the policy forbids: code and style within HTML.
var inline = regexp.MustCompile(`(?i)<style|<script(?:>|[^>]*>[^<])|\s(?:style|on[a-z]+)=`)

// Check runs the plugin natively and as wasm, and follows the page at address.
func Check(t *testing.T, newHandler func() guest.Handler, address string) {
	t.Helper()
	plugintest.Run(t, newHandler, func(t *testing.T, g *guesttest.Guest) {
		todo, seen := []string{address}, map[string]bool{}
		for len(todo) > 0 {
			name := todo[0]
			todo = todo[1:]
			if seen[name] {
				continue
			}
			seen[name] = true
			body := file(t, g, name, name == address)
			for _, m := range reference.FindAllStringSubmatch(body, -1) {
				todo = append(todo, path.Join(path.Dir(address), m[1]+m[2]))
			}
		}
		if len(seen) < 4 {
			t.Errorf("%s: loads %d files, want style, script and connection at least", address, len(seen)-1)
		}
	})
}

// file asks for one file in every way and returns it.
func file(t *testing.T, g *guesttest.Guest, name string, html bool) string {
	t.Helper()
	want := map[string]string{".css": page.CSS, ".js": page.JS}[path.Ext(name)]
	if html {
		want = page.HTML
	}
	got := g.HTTP(guesttest.Request{Path: name})
	if got.Status != 200 || got.Body == "" || got.Header("content-type") != want {
		t.Errorf("GET %s: got %d, %d bytes of %q, want 200 and %q", name, got.Status, len(got.Body), got.Header("content-type"), want)
	}
	if !strings.HasPrefix(got.Header("content-security-policy"), "default-src 'none'; script-src 'self';") {
		t.Errorf("GET %s: got policy %q", name, got.Header("content-security-policy"))
	}
	if html {
		if bad := inline.FindString(got.Body); bad != "" {
			t.Errorf("GET %s: %q is against the page's own policy", name, bad)
		}
	}
	tag := guest.Field{Name: "If-None-Match", Value: `"x", ` + got.Header("etag")}
	if again := g.HTTP(guesttest.Request{Path: name, Headers: []guest.Field{tag}}); again.Status != 304 || again.Body != "" {
		t.Errorf("GET %s with its tag: got %d, %d bytes, want 304", name, again.Status, len(again.Body))
	}
	if head := g.HTTP(guesttest.Request{Path: name, Method: "HEAD"}); head.Status != 200 || head.Header("etag") == "" {
		t.Errorf("HEAD %s: got %d, tag %q, want 200", name, head.Status, head.Header("etag"))
	}
	if post := g.HTTP(guesttest.Request{Path: name, Method: "POST", Body: []byte("x")}); post.Status != 405 || post.Header("allow") != "GET, HEAD" {
		t.Errorf("POST %s: got %d, allow %q, want 405", name, post.Status, post.Header("allow"))
	}
	if r := g.Refusals(); r != nil {
		t.Errorf("%s: refused: %v", name, r)
	}
	return got.Body
}
