// Command broadcast is a plugin that sends what one session says to all others.
// The host does the sending: one topic, one encoding for all who get it.
package main

import "github.com/yimmo-host/yimmo-host/guest-sdk/go"

func init() { guest.Register(broadcast{}, guest.FeatureTopics, guest.FeatureMessages) }

func main() {}

type broadcast struct{}

const everybody = "everybody"

func (broadcast) Connect(s guest.Session) error {
	s.Subscribe(everybody)
	return nil
}

func (broadcast) Recv(s guest.Session, flags guest.Flags, data []byte) error {
	return s.Publish(everybody, flags, data)
}

func (broadcast) Close(guest.Session, uint16, string) {}
