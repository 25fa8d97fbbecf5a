#!/bin/sh
# Installs what tests run besides Go, where that is possible unattended: for the C
# SDK a compiler for wasm, for the plugins' pages a browser and what drives it.
set -eu
cd "$(dirname "$0")/.."

has() {
	command -v "$1" >/dev/null
}

missing=
has clang && has wasm-ld || missing="$missing clang lld libclang-rt-14-dev"
has "${CHROMIUM:-chromium}" || has chromium-browser || has google-chrome || missing="$missing chromium"
has node || missing="$missing nodejs"
has npm || missing="$missing npm"

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
cd plugins/browser
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent
