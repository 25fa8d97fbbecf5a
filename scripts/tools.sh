#!/bin/sh
# Installs what tests run besides Go, where that is possible unattended: for the C
# SDK a compiler for wasm, for the plugins' pages a browser and what drives it, and
# clients that others wrote.
set -eu
cd "$(dirname "$0")/.."

has() {
	command -v "$1" >/dev/null
}

links_wasi() {
	echo 'int main(void) { return 0; }' | clang --target=wasm32-wasi -mexec-model=reactor -x c - -o /dev/null 2>/dev/null
}

missing=
has clang && has wasm-ld || missing="$missing clang lld libclang-rt-14-dev"
links_wasi || missing="$missing wasi-libc libclang-rt-14-dev-wasm32"
has "${CHROMIUM:-chromium}" || has chromium-browser || has google-chrome || missing="$missing chromium"
has node || missing="$missing nodejs"
has npm || missing="$missing npm"
has curl || missing="$missing curl"
"${PYTHON:-python3}" -c 'import websockets' 2>/dev/null || /usr/bin/python3 -c 'import websockets' 2>/dev/null || missing="$missing python3-websockets"

if [ -n "$missing" ]; then
	if ! has apt-get || [ "$(id -u)" -ne 0 ]; then
		echo "some tests need more than Go; on Debian, as root: apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >/dev/null
	apt-get install -q -y --no-install-recommends $missing >/dev/null
fi

# npm writes the hidden file last: older than the lock file, it is of another time.
for dir in plugins/browser plugins/clients; do
	(cd "$dir" && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent; })
done

# Compiling it takes two minutes, once.
k6=v1.8.1
bin=$PWD/plugins/clients/bin
"$bin/k6" version 2>/dev/null | grep -qF "$k6" || GOBIN=$bin GOWORK=off go install "go.k6.io/k6@$k6"
