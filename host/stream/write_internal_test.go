package stream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Cutting a connection takes no time, whatever its peer does: the lane waits for it.
func TestCutWaitsForNobody(t *testing.T) {
	cert := selfSigned(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe() // which keeps nothing: what is written waits until it is read
		defer far.Close()
		server := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{cert}})
		go tls.Client(far, &tls.Config{InsecureSkipVerify: true}).Handshake()
		if err := server.Handshake(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c := &conn{nc: server, opt: &Options{Queued: new(atomic.Int64)}, flushed: make(chan struct{})}
		from := time.Now()
		c.Cut()
		if took := time.Since(from); took > 0 {
			t.Errorf("got %v, want none", took)
		}
		<-c.flushed
	})
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
