package trace

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// moduleSuffix ends the names of modules kept beside traces: their SHA-256 before it.
const moduleSuffix = ".wasm"

// moduleRest is how long ago a module must have been kept to be removed: before its
// first trace is there nothing names it.
const moduleRest = time.Hour

// KeepModule puts a copy of a module beside its traces, as DIGEST.wasm: then they
// can be replayed when the module is long forgotten.
func (r *Recordings) KeepModule(digest string, wasm []byte) error {
	name := filepath.Join(r.o.Dir, digest+moduleSuffix)
	if info, err := os.Stat(name); err == nil && info.Size() == int64(len(wasm)) {
		now := time.Now()
		return os.Chtimes(name, now, now)
	}
	part, err := os.CreateTemp(r.o.Dir, digest+".part-*")
	if err != nil {
		return err
	}
	_, err = part.Write(wasm)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		os.Remove(part.Name())
	}
	return err
}

// PruneModules removes from dir the modules that no trace there names, but for those
// that were kept within the last hour. It is for whoever has removed a trace.
func PruneModules(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	unnamed := map[string]bool{}
	for _, e := range entries {
		digest, ok := strings.CutSuffix(e.Name(), moduleSuffix)
		if _, bad := hex.DecodeString(digest); ok && bad == nil && len(digest) == len(noDigest) && !isYoung(e) {
			unnamed[digest] = true
		}
	}
	for _, e := range entries {
		if len(unnamed) == 0 || !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		digest, err := digestOf(filepath.Join(dir, e.Name()))
		switch {
		case err == nil:
			delete(unnamed, digest)
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, ErrNotTrace), errors.Is(err, ErrTruncated), errors.Is(err, ErrDamaged):
			if isYoung(e) {
				return nil // it is just being written; there will be another time
			}
		default:
			return err // of another version, too: who knows what it names
		}
	}
	for digest := range unnamed {
		if removed := os.Remove(filepath.Join(dir, digest+moduleSuffix)); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return err
}

// isYoung says whether a file has been there, or untouched, for less than moduleRest.
func isYoung(e fs.DirEntry) bool {
	info, err := e.Info()
	return err == nil && time.Since(info.ModTime()) < moduleRest
}

// digestOf is the module that a trace names.
func digestOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r, err := NewReader(f)
	if err != nil {
		return "", err
	}
	return r.Header().Digest, nil
}
