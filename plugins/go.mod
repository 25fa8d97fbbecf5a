module github.com/yimmo-host/yimmo-host/plugins

go 1.26.0

require (
	github.com/yimmo-host/yimmo-host v0.0.0
	github.com/yimmo-host/yimmo-host/guest-sdk/go v0.0.0
)

require (
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/yimmo-host/yimmo-host => ../
	github.com/yimmo-host/yimmo-host/guest-sdk/go => ../guest-sdk/go
)
