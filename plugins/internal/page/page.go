// Package page serves a plugin's web page from its HTTP callback: a few small
// files that are part of the module, under a policy that lets the page load and
// reach nothing but its own origin.
package page

import (
	_ "embed"
	"strings"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
)

// Types of files.
const (
	HTML = "text/html; charset=utf-8"
	CSS  = "text/css; charset=utf-8"
	JS   = "text/javascript; charset=utf-8"
)

// A script for pages to import: a WebSocket that comes back.
//
//go:embed connection.js
var connection string

// The look that pages have in common.
//
//go:embed base.css
var base string

// A File is one file of a site.
type File struct{ Type, Body string }

// A Site is the files of a plugin's page by name, "" for the page itself. It does
// not change.
type Site struct {
	files map[string]File
	tag   string // all of them change with the module, and only with it
}

// New makes a site of a module of that version, see [guest.Config.Version]. To
// the files it adds what pages have in common: base.css and connection.js.
func New(version string, files map[string]File) *Site {
	files["base.css"] = File{CSS, base}
	files["connection.js"] = File{JS, connection}
	return &Site{files: files, tag: `"` + version[:min(len(version), 16)] + `"`}
}

// Last is the part of a path behind its last slash, which names a file whatever
// the plugin's route is.
func Last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Has tells whether there is a file of that name.
func (s *Site) Has(name string) bool {
	_, ok := s.files[name]
	return ok
}

// headers keep a page to itself.
var headers = []guest.Field{
	{Name: "content-security-policy", Value: "default-src 'none'; script-src 'self'; style-src 'self'; " +
		"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{Name: "x-content-type-options", Value: "nosniff"},
	{Name: "referrer-policy", Value: "no-referrer"},
	{Name: "cache-control", Value: "no-cache"}, // ask each time: the next module may have another page
}

// Serve answers with the file of that name: 200, 304 if the browser has it, 404
// if there is none, 405 if the request wants something else than to read it.
func (s *Site) Serve(name string, req *guest.Request, resp *guest.Response) error {
	if m := req.Method(); m != "GET" && m != "HEAD" {
		resp.Header("allow", "GET, HEAD")
		return status(resp, 405, "only GET and HEAD\n")
	}
	f, ok := s.files[name]
	if !ok {
		return status(resp, 404, "not found\n")
	}
	resp.Header("etag", s.tag)
	for _, h := range headers {
		resp.Header(h.Name, h.Value)
	}
	if strings.Contains(req.Header("if-none-match"), s.tag) {
		return resp.Status(304)
	}
	resp.Header("content-type", f.Type)
	_, err := resp.WriteString(f.Body)
	return err
}

func status(resp *guest.Response, code int, text string) error {
	resp.Status(code)
	resp.Header("content-type", "text/plain; charset=utf-8")
	_, err := resp.WriteString(text)
	return err
}
