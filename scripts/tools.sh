#!/bin/sh
# Installs what the C SDK's tests need, where that is possible unattended.
set -eu
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	echo 'the tests of the C SDK need clang and wasm-ld; on Debian: apt-get install clang lld' >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends clang lld libclang-rt-14-dev >/dev/null
