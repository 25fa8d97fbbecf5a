package guest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// CacheOff as a directory keeps compiled code in memory only.
const CacheOff = "off"

// A cache is a directory of machine code:
//
//	<platform>/<digest of the rewritten module>/wazero-.../<key>       written by wazero
//	<platform>/<digest of the rewritten module>/wazero-.../<key>.sum   SHA-256 of the former
//	stage-<random>/                                                    such a directory in the making
//
// wazero checks the code of an entry but not the counts before it, and would
// allocate what a flipped bit in them says. So an entry is used only when its
// sum matches, and anything else is deleted before wazero looks.
//
// Several processes may share the directory. A module's directory appears whole,
// by rename, so that nobody sees half of one; when two compile the same module,
// the first one's is used by both. It says when it was last used by the time of its
// last change.
type cache struct {
	dir      string // "" = memory only
	platform string // what code is good for: version of wazero, system, processor's features
	log      *slog.Logger
}

const (
	sumSuffix   = ".sum"
	stagePrefix = "stage-"

	// stageTime is when a directory in the making counts as left behind by a
	// process that was killed.
	stageTime = time.Hour

	// unusedTime is how long the code of a module is kept that nobody uses: with
	// each version of a plugin comes another.
	unusedTime = 30 * 24 * time.Hour
)

// openCache never fails: without a usable directory it is memory only, and says
// why. "" is yimmo-host below the user's cache directory.
func openCache(dir string, log *slog.Logger) *cache {
	if dir == CacheOff {
		return &cache{log: log}
	}
	dir, err := cacheDir(dir)
	platform := ""
	if err == nil {
		platform, err = platformOf(dir)
	}
	if err != nil {
		log.Warn("compiled plugins are not kept: every start compiles anew", "err", err)
		return &cache{log: log}
	}
	c := &cache{dir: dir, platform: platform, log: log}
	c.sweep()
	return c
}

func cacheDir(dir string) (string, error) {
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("cache directory: %w: name one", err)
		}
		dir = filepath.Join(user, "yimmo-host")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	if err := onlyOurs(info); err != nil {
		return "", fmt.Errorf("cache directory %s: %w: what is in it runs as this process", dir, err)
	}
	return filepath.Abs(dir)
}

// platformOf finds out under which name wazero files code on this machine, by
// compiling a module of one empty function. It also shows that dir can be
// written to.
func platformOf(dir string) (string, error) {
	stage, err := os.MkdirTemp(dir, stagePrefix)
	if err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	defer os.RemoveAll(stage)
	probe := "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x0b"
	if err := compileInto(stage, []byte(probe)); err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(stage, "*", "*"+sumSuffix))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("cache directory: wazero made %d files of a module: %w", len(files), err)
	}
	return fmt.Sprintf("%s-%.8s", filepath.Base(filepath.Dir(files[0])), filepath.Base(files[0])), nil
}

// sweep removes what killed processes left.
func (c *cache) sweep() {
	for _, s := range olderThan(stageTime, filepath.Join(c.dir, stagePrefix+"*")) {
		_ = os.RemoveAll(s)
	}
}

// forget removes what nobody uses any more.
func (c *cache) forget() {
	for _, unused := range olderThan(unusedTime, c.place("*")) {
		c.drop(unused)
	}
}

// olderThan lists the directories of that pattern that nobody has changed for so
// long.
func olderThan(age time.Duration, pattern string) (old []string) {
	all, _ := filepath.Glob(pattern)
	for _, dir := range all {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > age {
			old = append(old, dir)
		}
	}
	return old
}

func (c *cache) place(digest string) string { return filepath.Join(c.dir, c.platform, digest) }

// find returns the directory with the code of a module. What is there but does
// not match its sum is gone afterwards.
func (c *cache) find(digest string) (dir string, ok bool) {
	dir = c.place(digest)
	err := whole(dir)
	switch {
	case err == nil:
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // who may not write here does not sweep either
		return dir, true
	case !errors.Is(err, fs.ErrNotExist):
		c.log.Warn("damaged cache entry, compiling anew", "path", dir, "err", err)
		c.drop(dir)
	}
	return "", false
}

// drop removes a directory at one stroke, for others may look at it.
func (c *cache) drop(dir string) {
	gone, err := os.MkdirTemp(c.dir, stagePrefix)
	if err == nil {
		err = os.Rename(dir, filepath.Join(gone, "dropped"))
		_ = os.RemoveAll(gone)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
	}
}

// add lets compile fill a fresh directory and puts it into its place; what nobody
// uses makes way. Errors of compile are returned as they are.
func (c *cache) add(digest string, compile func(dir string) error) (dir string, err error) {
	c.forget()
	stage, err := os.MkdirTemp(c.dir, stagePrefix)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(stage)
	if err := compile(stage); err != nil {
		return "", err
	}
	dir = c.place(digest)
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	for range 3 {
		if err = os.Rename(stage, dir); err == nil {
			return dir, nil
		}
		if whole(dir) == nil {
			return dir, nil // somebody else was faster
		}
		c.drop(dir)
	}
	return "", err
}

// whole returns nil when there are entries in dir and all of them match their
// sums, [fs.ErrNotExist] when there is no dir.
func whole(dir string) error {
	if _, err := os.Lstat(dir); err != nil {
		return err
	}
	entries := 0
	err := eachEntry(dir, func(entry string) error {
		entries++
		want, err := os.ReadFile(entry + sumSuffix)
		if err != nil {
			return errors.New("an entry without a sum")
		}
		got, err := sum(entry)
		if err == nil && got != string(want) {
			err = errors.New("an entry differs from its sum")
		}
		return err
	})
	if err == nil && entries == 0 {
		err = errors.New("no entry")
	}
	return err
}

// seal writes the sums of the entries in dir.
func seal(dir string) error {
	return eachEntry(dir, func(entry string) error {
		s, err := sum(entry)
		if err != nil {
			return err
		}
		return os.WriteFile(entry+sumSuffix, []byte(s), 0o600)
	})
}

// eachEntry visits the entries below dir. Files in the making end in ".tmp".
func eachEntry(dir string, visit func(entry string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || strings.HasSuffix(path, sumSuffix) || strings.HasSuffix(path, ".tmp"):
			return nil
		case !d.Type().IsRegular():
			return errors.New("not a regular file: " + path)
		}
		return visit(path)
	})
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// compileInto translates a module that is rewritten already to machine code,
// which it leaves in dir together with its sum.
func compileInto(dir string, wasm []byte) (err error) {
	disk, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	ctx := context.Background()
	m := machine{disk: disk}
	err = m.compile(ctx, wasm)
	if err = errors.Join(err, m.discard()); err != nil {
		return err
	}
	return seal(dir)
}
