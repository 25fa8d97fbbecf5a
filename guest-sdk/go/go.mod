module github.com/yimmo-host/yimmo-host/guest-sdk/go

go 1.26.0
