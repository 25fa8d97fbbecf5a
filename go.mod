module github.com/yimmo-host/yimmo-host

go 1.26
