package main

import (
	_ "embed"

	"github.com/yimmo-host/yimmo-host/guest-sdk/go"
	"github.com/yimmo-host/yimmo-host/plugins/internal/page"
)

//go:embed index.html
var indexHTML string

//go:embed style.css
var styleCSS string

//go:embed app.js
var appJS string

func newSite(version string) *page.Site {
	return page.New(version, map[string]page.File{
		"":          {Type: page.HTML, Body: indexHTML},
		"style.css": {Type: page.CSS, Body: styleCSS},
		"app.js":    {Type: page.JS, Body: appJS},
	})
}

// HTTP serves the page at the address of each room, and its files beside them:
// rooms have no dot in their names.
func (c *chat) HTTP(req *guest.Request, resp *guest.Response) error {
	name := page.Last(req.Path())
	if name == "" {
		resp.Status(302)
		return resp.Header("location", lobby)
	}
	if _, ok := roomOf(name); ok {
		name = ""
	} else if !c.site.Has(name) {
		return &guest.StatusError{Status: 404, Body: noRoom}
	}
	return c.site.Serve(name, req, resp)
}
