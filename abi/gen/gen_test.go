package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const root = "../.." // the repository, seen from this folder

// The committed files are what go generate would write now.
func TestCommittedFilesAreCurrent(t *testing.T) {
	src, err := Load(filepath.Join(root, "abi", "consts.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		want, err := target.render(src)
		if err != nil {
			t.Errorf("%s: %v", target.path, err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(target.path)))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: stale; run go generate ./abi and commit it", target.path)
		}
	}
}

func TestCName(t *testing.T) {
	tests := []struct{ name, want string }{
		{"Major", "YIMMO_MAJOR"},
		{"EventRecv", "YIMMO_EVENT_RECV"},
		{"EventHTTPRequest", "YIMMO_EVENT_HTTP_REQUEST"},
		{"FieldTLSName", "YIMMO_FIELD_TLS_NAME"},
		{"FlagFIN", "YIMMO_FLAG_FIN"},
		{"FlagRSV1", "YIMMO_FLAG_RSV1"},
		{"ImportWASI", "YIMMO_IMPORT_WASI"},
		{"RecordOffsetID", "YIMMO_RECORD_OFFSET_ID"},
	}
	for _, tt := range tests {
		if got := cName(tt.name); got != tt.want {
			t.Errorf("cName(%q): got %s, want %s", tt.name, got, tt.want)
		}
	}
}
