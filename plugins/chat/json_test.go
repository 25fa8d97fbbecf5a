package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestPair(t *testing.T) {
	tests := []struct {
		name       string
		in         string
		key, value string
		ok         bool
	}{
		{"plain", `{"text":"hello"}`, "text", "hello", true},
		{"white space", " {\t\"text\" :\r\n \"a b\" } \n", "text", "a b", true},
		{"empty strings", `{"":""}`, "", "", true},
		{"escapes", `{"text":"\"\\\/\b\f\n\r\t"}`, "text", "\"\\/\b\f\n\r\t", true},
		{"beyond ASCII", `{"text":"hällo ✓ 🙂"}`, "text", "hällo ✓ 🙂", true},
		{"code units", `{"text":"\u00e4\u2713\ud83d\ude42"}`, "text", "ä✓🙂", true},
		{"high half alone", `{"text":"\ud83dx"}`, "text", "�x", true},
		{"two high halves", `{"text":"\ud83d\ud83d\ude42"}`, "text", "�🙂", true},
		{"low half alone", `{"text":"\ude42"}`, "text", "�", true},
		{"nothing", ``, "", "", false},
		{"no object", `"text"`, "", "", false},
		{"empty object", `{}`, "", "", false},
		{"two members", `{"text":"a","nick":"b"}`, "", "", false},
		{"number", `{"text":1}`, "", "", false},
		{"null", `{"text":null}`, "", "", false},
		{"comma", `{"text":"a",}`, "", "", false},
		{"something behind", `{"text":"a"} {}`, "", "", false},
		{"line break inside", "{\"text\":\"a\nb\"}", "", "", false},
		{"unknown escape", `{"text":"\x41"}`, "", "", false},
		{"short escape", `{"text":"\u12"}`, "", "", false},
		{"signed escape", `{"text":"\u+123"}`, "", "", false},
		{"escape with underscore", `{"text":"\u1_23"}`, "", "", false},
		{"open string", `{"text":"a`, "", "", false},
		{"open escape", `{"text":"a\`, "", "", false},
		{"single quotes", `{'text':'a'}`, "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key, value, ok := pair([]byte(tt.in))
			if ok != tt.ok || ok && (key != tt.key || value != tt.value) {
				t.Errorf("pair(%s): got %q, %q, %v, want %q, %q, %v", tt.in, key, value, ok, tt.key, tt.value, tt.ok)
			}
		})
	}
}

// judge reads an object of one string by means of encoding/json.
func judge(data []byte) (key, value string, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	var tokens []json.Token
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil || len(tokens) == 4 {
			return "", "", false
		}
		tokens = append(tokens, token)
	}
	if len(tokens) != 4 || tokens[0] != json.Delim('{') || tokens[3] != json.Delim('}') || !json.Valid(data) {
		return "", "", false
	}
	key, first := tokens[1].(string)
	value, second := tokens[2].(string)
	return key, value, first && second
}

// FuzzPair holds the reader and encoding/json to the same judgement.
func FuzzPair(f *testing.F) {
	for _, seed := range []string{
		`{"text":"hello"}`, ` { "a" : "\u00e4\ud83d\ude42\ud83d" } `, `{"a":"b","c":"d"}`, `{"a":{"b":"c"}}`, `["a","b"]`, `{"":"\/\\"}`, `{"a":"b"}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.ToValidUTF8(data, []byte("�")) // the host lets nothing else through
		key, value, ok := pair(data)
		wantKey, wantValue, wantOK := judge(data)
		if ok != wantOK || ok && (key != wantKey || value != wantValue) {
			t.Errorf("pair(%q): got %q, %q, %v, want %q, %q, %v", data, key, value, ok, wantKey, wantValue, wantOK)
		}
	})
}

// FuzzEvent has encoding/json read what was written.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{"", "hello", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "hällo ✓ 🙂\u2028"} {
		f.Add(seed, int64(1))
	}
	f.Fuzz(func(t *testing.T, text string, time int64) {
		text = strings.ToValidUTF8(text, "�")
		var got struct {
			Type, Text string
			Time       int64
		}
		b := event("message", time, "text", text)
		if err := json.Unmarshal(b, &got); err != nil || got.Type != "message" || got.Text != text || got.Time != time {
			t.Errorf("event(%q, %d): wrote %s, read back as %+v, %v", text, time, b, got, err)
		}
		var list []string
		b = appendStrings(nil, []string{text, "", text})
		if err := json.Unmarshal(b, &list); err != nil || len(list) != 3 || list[0] != text || list[2] != text {
			t.Errorf("appendStrings(%q): wrote %s, read back as %q, %v", text, b, list, err)
		}
	})
}
