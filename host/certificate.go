package host

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TLS names the certificate of the public listener. With it the listener speaks
// TLS 1.2 or later and nothing else, without it plain HTTP. Both files or none.
type TLS struct {
	// CertFile is in PEM form: the certificate, then those between it and its root.
	CertFile string

	// KeyFile is in PEM form: the certificate's private key, not encrypted.
	KeyFile string
}

// expiresSoon is how long before its end a certificate is warned of.
const expiresSoon = 14 * 24 * time.Hour

// Check reads the files and reports what would keep a host from using them:
// unreadable or malformed files, a key of another certificate, a certificate
// that is not valid now. The zero TLS is fine.
func (t *TLS) Check() error {
	if *t == (TLS{}) {
		return nil
	}
	_, err := t.load(time.Now())
	return err
}

func (t *TLS) validate(bad func(key string, value any, remedy string)) {
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		bad("tls.key", `""`, "name the file of the certificate's private key too")
	case t.CertFile == "" && t.KeyFile != "":
		bad("tls.cert", `""`, "name the file of the key's certificate too")
	}
}

// loaded is a certificate with what it was made of.
type loaded struct {
	tls.Certificate
	sum [sha256.Size]byte // of both files
}

func (t *TLS) load(now time.Time) (*loaded, error) {
	cert, err := os.ReadFile(t.CertFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert: %w", err)
	}
	key, err := os.ReadFile(t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %w", err)
	}
	if err := checkChain(cert); err != nil {
		return nil, fmt.Errorf("tls.cert: %q: %w", t.CertFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.key: %q with the certificate %q: %w", t.KeyFile, t.CertFile, err)
	}
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("tls.cert: %q: expired on %s, renew it", t.CertFile, leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("tls.cert: %q: not valid before %s, check the clock", t.CertFile, leaf.NotBefore.Format(time.RFC3339))
	}
	return &loaded{pair, sha256.Sum256(slices.Concat(cert, []byte{0}, key))}, nil
}

var errNoCertificate = errors.New("no certificate in PEM form")

// checkChain tells a file without certificates from one with a bad one.
func checkChain(file []byte) error {
	found := false
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return errNoCertificate
	}
	return nil
}

// certificate is the one in use and its files, which are read again when they
// change. A pair that is no good changes nothing.
type certificate struct {
	files TLS
	log   *slog.Logger
	now   atomic.Pointer[loaded]

	reloading sync.Mutex
	stop      chan struct{}
	closed    sync.Once
	stopped   sync.WaitGroup
}

// newCertificate loads the files and watches them until close.
func newCertificate(files TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log, stop: make(chan struct{})}
	first, err := files.load(time.Now())
	if err != nil {
		return nil, err
	}
	c.now.Store(first)
	c.warn()
	c.watch()
	return c, nil
}

// config is for the listener. There is no HTTP/2: WebSocket over it is another
// protocol, RFC 8441.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.now.Load().Certificate, nil
		},
	}
}

// reload reads the files again. Sessions keep what they began with.
func (c *certificate) reload() error {
	c.reloading.Lock()
	defer c.reloading.Unlock()
	next, err := c.files.load(time.Now())
	if err != nil {
		return err
	}
	if bytes.Equal(next.sum[:], c.now.Load().sum[:]) {
		return nil
	}
	c.now.Store(next)
	c.log.Info("certificate loaded", "cert", c.files.CertFile, "serial", next.Leaf.SerialNumber.String(), "not_after", next.Leaf.NotAfter)
	c.warn()
	return nil
}

// expiry is the end of the certificate in use.
func (c *certificate) expiry() time.Time { return c.now.Load().Leaf.NotAfter }

// warn tells of an end that is near.
func (c *certificate) warn() {
	if left := time.Until(c.expiry()); left < expiresSoon {
		c.log.Warn("certificate expires soon", "cert", c.files.CertFile, "not_after", c.expiry(), "left", left.Round(time.Minute))
	}
}

// settle is how long the directories must be quiet before the files are read:
// two files never change at once.
const settle = 250 * time.Millisecond

// watch follows the directories, not the files: those are replaced by renaming
// or, in containers, by pointing a link elsewhere.
func (c *certificate) watch() {
	w, err := watchDirs(filepath.Dir(c.files.CertFile), filepath.Dir(c.files.KeyFile))
	if err != nil {
		c.log.Warn("certificate files not watched, SIGHUP loads them again", "err", err)
		w = &fsnotify.Watcher{} // has nothing to say
	}
	c.stopped.Go(func() {
		if err == nil {
			defer w.Close()
		}
		c.follow(w)
	})
}

func watchDirs(dirs ...string) (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			w.Close()
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return w, nil
}

func (c *certificate) follow(w *fsnotify.Watcher) {
	var changed time.Time // first change that has not been looked at
	quiet := time.NewTimer(0)
	quiet.Stop()
	look := func() {
		if changed.IsZero() {
			changed = time.Now()
		}
		quiet.Reset(min(settle, time.Until(changed.Add(8*settle)))) // a busy directory is never quiet
	}
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-daily.C:
			c.warn()
		case <-w.Events:
			look()
		case <-w.Errors: // events were lost
			look()
		case <-quiet.C:
			changed = time.Time{}
			if err := c.reload(); err != nil {
				c.log.Error("certificate not loaded, the old one stays", "err", err)
			}
		}
	}
}

// close ends the watching. A nil certificate has nothing to end.
func (c *certificate) close() {
	if c != nil {
		c.closed.Do(func() { close(c.stop) })
		c.stopped.Wait()
	}
}
