package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// renderC writes a header: typed constants become enumerations, others macros.
// EventHTTPBody is YIMMO_EVENT_HTTP_BODY, and so on.
func renderC(s *Source) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "/* %s */\n#ifndef YIMMO_ABI_H\n#define YIMMO_ABI_H\n", banner)
	docs := map[string]string{}
	for _, t := range s.Types {
		docs[t.Name] = t.Doc + "\n"
	}
	names := cNames(s)
	for _, g := range s.Groups {
		out.WriteString("\n")
		comment(&out, names.Replace(docs[g.Type]+g.Doc))
		if g.Type == "" {
			for _, c := range g.Consts {
				fmt.Fprintf(&out, "#define %-*s %s%s\n", width(g), cName(c.Name), c.Shown, names.Replace(cNote(c)))
			}
			continue
		}
		fmt.Fprintf(&out, "enum %s {\n", strings.ToLower(cName(g.Type)))
		for _, c := range g.Consts {
			fmt.Fprintf(&out, "\t%-*s = %s,%s\n", width(g), cName(c.Name), c.Shown, names.Replace(cNote(c)))
		}
		out.WriteString("};\n")
	}
	out.WriteString("\n#endif\n")
	return out.Bytes(), nil
}

// cNames replaces the names of constants in prose. Longer names come first, so
// that no name is taken for the beginning of another.
func cNames(s *Source) *strings.Replacer {
	var names []string
	for _, g := range s.Groups {
		for _, c := range g.Consts {
			if cName(c.Name) != "YIMMO_"+strings.ToUpper(c.Name) { // one word is prose: Major
				names = append(names, c.Name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, n := range names {
		pairs = append(pairs, n, cName(n))
	}
	return strings.NewReplacer(pairs...)
}

// cName turns FlagFIN into YIMMO_FLAG_FIN and TLSName into YIMMO_TLS_NAME: an
// underscore where a word begins.
func cName(name string) string {
	runes := []rune(name)
	var out strings.Builder
	out.WriteString("YIMMO_")
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) || after {
				out.WriteByte('_')
			}
		}
		out.WriteRune(unicode.ToUpper(r))
	}
	return out.String()
}

// cNote is the comment behind a constant.
func cNote(c Const) string {
	if c.Note == "" {
		return ""
	}
	return " /* " + c.Note + " */"
}

// comment writes a block comment of its own lines.
func comment(out *bytes.Buffer, text string) {
	out.WriteString("/* " + strings.ReplaceAll(text, "\n", "\n * ") + " */\n")
}

// width is that of the longest name of a group.
func width(g Group) int {
	n := 0
	for _, c := range g.Consts {
		n = max(n, len(cName(c.Name)))
	}
	return n
}
