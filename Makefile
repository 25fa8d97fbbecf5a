# Everything the project does, by name. A fresh machine needs Go and make; what
# else a target needs it says or installs itself.

GO      ?= go
PLUGINS := plugins/echo/echo.wasm plugins/chat/chat.wasm plugins/ticker/ticker.wasm plugins/broadcast/broadcast.wasm
MODULES := ./... ./guest-sdk/go/... ./plugins/...

# What has more than one goroutine is tested again under the race detector, which
# makes the tests several times slower: their short form every day, all of it with
# "make race". It needs cgo and a C compiler; without one these tests run plain.
RACED := ./host ./host/backlog ./host/bus ./host/guest ./host/lane ./host/poll ./host/recovery ./host/stream ./host/trace ./guest-sdk/go/...
RACE  := $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)

.PHONY: run test race check tools plugins generate fuzz bench clean FORCE

run: plugins/echo/echo.wasm
	YIMMO_PLUGINS_ECHO_PATH=plugins/echo/echo.wasm $(GO) run ./cmd/yimmo-host run --config server.toml

plugins: $(PLUGINS)

# Go knows best whether anything changed: its build cache makes this cheap.
plugins/%.wasm: FORCE
	GOOS=wasip1 GOARCH=wasm $(GO) build -buildmode=c-shared -trimpath -ldflags='-s -w' -o $@ ./$(dir $@)

test: tools check
	$(GO) test -timeout 20m $(MODULES)
	$(GO) test $(RACE) -short -timeout 20m $(RACED)

race:
	$(GO) test $(RACE) -timeout 60m $(RACED)

check:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet $(MODULES)
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 $(MODULES)

# The tests of the C SDK need a C compiler that targets wasm, those of the
# plugins' pages a browser and Node.js. What is there is left alone.
tools:
	@sh scripts/tools.sh

generate:
	$(GO) generate ./abi

# A minute of each fuzz target; FUZZTIME=1h for more.
FUZZTIME ?= 1m
fuzz:
	sh scripts/fuzz.sh $(FUZZTIME)

# Compares with native gorilla on this machine, which should have nothing else to
# do for the five minutes, and puts the table into README.md.
bench:
	$(GO) run ./bench/compare -update README.md

# Everything at once for as long as SOAK says; fails if anything is lost or left behind.
SOAK ?= 10m
.PHONY: soak
soak:
	$(GO) run ./bench/soak -for $(SOAK)

clean:
	rm -f $(PLUGINS)

FORCE:
