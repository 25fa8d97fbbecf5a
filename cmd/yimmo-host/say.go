package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/spf13/cobra"
)

func sayCommand() *cobra.Command {
	var s speaker
	cmd := &cobra.Command{
		Use:   "say URL TEXT...",
		Short: "Send text messages to a WebSocket server and print what comes back",
		Long: `Send each TEXT as one message and print what comes back, a line each:
"< text", with quotes if it has control characters, "< [3 bytes] 00ff10" if it is
binary. Leave when as many messages have come as were sent and then nothing for
--wait. Exit code 1 if the server cannot be reached, sends too few messages
within --timeout, or closes with a code other than 1000.`,
		Example: `  yimmo-host say ws://127.0.0.1:8081/ hello`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("say needs an address, as in yimmo-host say ws://127.0.0.1:8081/ hello")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s.out = cmd.OutOrStdout()
			if err := s.say(cmd.Context(), args[0], args[1:]); err != nil {
				return fmt.Errorf("say: %s: %w", args[0], err)
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&s.wait, "wait", 300*time.Millisecond, "how long it must be quiet before leaving")
	cmd.Flags().DurationVar(&s.timeout, "timeout", 10*time.Second, "the longest the whole conversation may take")
	cmd.Flags().BoolVarP(&s.insecure, "insecure", "k", false, "accept any TLS certificate")
	return cmd
}

// speaker holds one conversation.
type speaker struct {
	wait, timeout time.Duration
	insecure      bool
	out           io.Writer
}

func (s *speaker) say(ctx context.Context, address string, texts []string) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := s.dial(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	done := make(chan struct{})
	defer close(done)
	sent, received, failed := make(chan struct{}), make(chan string), make(chan error, 1)
	go func() {
		if sendAll(conn, texts) == nil { // else the reader learns more about the reason
			close(sent)
		}
	}()
	go func() { failed <- receiveAll(conn, received, done) }()
	return s.converse(ctx, conn, len(texts), sent, received, failed)
}

// converse prints messages until all was sent, as many came back and it has
// been quiet, then closes.
func (s *speaker) converse(ctx context.Context, conn *websocket.Conn, missing int,
	sent <-chan struct{}, received <-chan string, failed <-chan error) error {
	var quiet <-chan time.Time // nil, which never fires, while something is missing
	for sending := true; ; {
		select {
		case <-sent:
			sending, sent = false, nil
		case line := <-received:
			missing--
			if _, err := fmt.Fprintln(s.out, "< "+line); err != nil {
				return err
			}
		case err := <-failed:
			return closedBy(err)
		case <-quiet:
			return leave(conn, received, failed)
		case <-ctx.Done():
			if sending || missing > 0 {
				return fmt.Errorf("%s missing after %v: raise --timeout if the server is slow", plural(missing, "answer"), s.timeout)
			}
			return leave(conn, received, failed)
		}
		if !sending && missing <= 0 {
			quiet = time.After(s.wait)
		}
	}
}

func (s *speaker) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" {
		return nil, errors.New("an address is ws://host:port/path or wss://host:port/path")
	}
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{InsecureSkipVerify: s.insecure}}
	conn, answer, err := d.DialContext(ctx, address, nil)
	if errors.Is(err, websocket.ErrBadHandshake) {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
		return nil, fmt.Errorf("no WebSocket there: the server answered %s %s", answer.Status, printable(strings.TrimSpace(string(body))))
	}
	if _, unknown := errors.AsType[*tls.CertificateVerificationError](err); unknown {
		return nil, fmt.Errorf("%w: -k accepts it all the same", err)
	}
	return conn, err
}

func sendAll(conn *websocket.Conn, texts []string) error {
	for _, text := range texts {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// receiveAll passes messages on, ready to print, until the connection ends.
func receiveAll(conn *websocket.Conn, received chan<- string, done <-chan struct{}) error {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		line := printable(string(data))
		if kind == websocket.BinaryMessage {
			line = fmt.Sprintf("[%s] %s", plural(len(data), "byte"), hex.EncodeToString(data))
		}
		select {
		case received <- line:
		case <-done:
			return nil
		}
	}
}

// leave says goodbye with 1000 and gives the server a second to do the same.
func leave(conn *websocket.Conn, received <-chan string, failed <-chan error) error {
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)); err != nil {
		return nil // it left first
	}
	enough := time.After(time.Second)
	for {
		select {
		case <-received: // too late to count
		case err := <-failed:
			return closedBy(err)
		case <-enough:
			return nil
		}
	}
}

// closedBy is nil for an end in good order.
func closedBy(err error) error {
	e, ok := errors.AsType[*websocket.CloseError](err)
	switch {
	case !ok:
		return err
	case e.Code == websocket.CloseNormalClosure, e.Code == websocket.CloseNoStatusReceived:
		return nil
	case e.Code == websocket.CloseAbnormalClosure:
		return errors.New("1006: the server cut the connection without a close frame")
	}
	return fmt.Errorf("the server closed with %d %s", e.Code, strconv.Quote(e.Text))
}

// printable is text as it is, or quoted if it could play tricks on a terminal.
func printable(text string) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	return strconv.Quote(text)
}
