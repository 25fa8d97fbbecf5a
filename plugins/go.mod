module github.com/yimmo-host/yimmo-host/plugins

go 1.26.0

require (
	github.com/yimmo-host/yimmo-host v0.0.0
	github.com/yimmo-host/yimmo-host/guest-sdk/go v0.0.0
)

replace (
	github.com/yimmo-host/yimmo-host => ../
	github.com/yimmo-host/yimmo-host/guest-sdk/go => ../guest-sdk/go
)
