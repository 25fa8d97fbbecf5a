module github.com/yimmo-host/yimmo-host/plugins

go 1.26.0

require (
	github.com/yimmo-host/yimmo-host v0.0.0
	github.com/yimmo-host/yimmo-host/guest-sdk/go v0.0.0
)

require (
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace (
	github.com/yimmo-host/yimmo-host => ../
	github.com/yimmo-host/yimmo-host/guest-sdk/go => ../guest-sdk/go
)
