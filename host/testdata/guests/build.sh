#!/bin/sh
# Builds each .wat here (wat2wasm is in Debian's wabt) and notes the sums of
# sources and results; a test compares them, so that neither changes alone.
set -eu
cd "$(dirname "$0")"
rm -f ./*.wasm
for wat in *.wat; do
	wat2wasm --debug-names "$wat" -o "${wat%.wat}.wasm"
done
LC_ALL=C sha256sum *.wat *.wasm >SUMS
