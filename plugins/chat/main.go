package main

import "github.com/yimmo-host/yimmo-host/guest-sdk/go"

func init() { guest.Register(&chat{}, guest.FeatureMessages, guest.FeatureTopics) }

func main() {}
