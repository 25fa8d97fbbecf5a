package main

import "github.com/yimmo-host/yimmo-host/guest-sdk/go"

func init() { guest.Register(&ticker{}, guest.FeatureTimers, guest.FeatureTopics) }

func main() {}
