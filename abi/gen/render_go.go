package main

import (
	"bytes"
	"go/format"
	"go/printer"
	"strings"
)

// renderGo writes the source again for a module that must not import this one:
// the same package name, types, names and comments.
func renderGo(s *Source) ([]byte, error) {
	file := *s.File
	file.Comments = nil
	for _, group := range s.File.Comments {
		if !strings.HasPrefix(group.List[0].Text, "//go:generate") {
			file.Comments = append(file.Comments, group)
		}
	}
	var out bytes.Buffer
	out.WriteString("// " + banner + "\n\n")
	mode := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := mode.Fprint(&out, s.Fset, &file); err != nil {
		return nil, err
	}
	return format.Source(append(out.Bytes(), '\n'))
}
