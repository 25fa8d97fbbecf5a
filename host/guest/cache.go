package guest

import (
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

	"github.com/tetratelabs/wazero"
)

// CacheOff as a directory keeps compiled code in memory only.
const CacheOff = "off"

// A cache is a directory of machine code:
//
//	<digest of the module>/wazero-<version>-<arch>-<os>/<key>       written by wazero
//	<digest of the module>/wazero-<version>-<arch>-<os>/<key>.sum   SHA-256 of the former
//
// wazero checks the code of an entry but not the counts before it, and would
// allocate what a flipped bit in them says. So an entry is used only when its
// sum matches, and anything else is deleted before wazero looks.
//
// Several processes may share the directory: entries appear by rename, and the
// worst that a race brings about is that one of them compiles again.
type cache struct {
	dir string // "" = memory only
	log *slog.Logger
}

// openCache never fails: without a usable directory it is memory only, and says
// why. "" is yimmo-host below the user's cache directory.
func openCache(dir string, log *slog.Logger) *cache {
	if dir == CacheOff {
		return &cache{log: log}
	}
	dir, err := cacheDir(dir)
	if err != nil {
		log.Warn("compiled plugins are not kept: every start compiles anew", "err", err)
		return &cache{log: log}
	}
	return &cache{dir: dir, log: log}
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
	probe, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	return dir, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// open returns wazero's view of the entries of one module, or nil for memory
// only. What does not match its sum is gone by then.
func (c *cache) open(digest string) wazero.CompilationCache {
	if c.dir == "" {
		return nil
	}
	c.each(digest, func(entry string) {
		want, err := os.ReadFile(entry + sumSuffix)
		if err != nil {
			c.drop(entry) // being written just now, or never completed
		} else if got, err := sum(entry); err != nil || got != string(want) {
			c.log.Warn("damaged cache entry, compiling anew", "path", entry, "err", err)
			c.drop(entry)
		}
	})
	opened, err := wazero.NewCompilationCacheWithDir(filepath.Join(c.dir, digest))
	if err != nil {
		c.log.Warn("compiled plugin is not kept", "err", err)
		return nil
	}
	return opened
}

// seal writes the sums of new entries.
func (c *cache) seal(digest string) {
	c.each(digest, func(entry string) {
		if _, err := os.Stat(entry + sumSuffix); err == nil {
			return
		}
		s, err := sum(entry)
		if err == nil {
			err = os.WriteFile(entry+sumSuffix, []byte(s), 0o600)
		}
		if err != nil {
			c.log.Warn("compiled plugin is not kept", "err", err)
		}
	})
}

// forget deletes all entries of one module.
func (c *cache) forget(digest string) { _ = os.RemoveAll(filepath.Join(c.dir, digest)) }

const sumSuffix = ".sum"

// each visits the entries of one module. Files of other writers in the making
// end in ".tmp"; they are left alone.
func (c *cache) each(digest string, visit func(entry string)) {
	_ = filepath.WalkDir(filepath.Join(c.dir, digest), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, sumSuffix) && !strings.HasSuffix(path, ".tmp") {
			visit(path)
		}
		return nil
	})
}

func (c *cache) drop(entry string) {
	_ = os.Remove(entry)
	_ = os.Remove(entry + sumSuffix)
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
