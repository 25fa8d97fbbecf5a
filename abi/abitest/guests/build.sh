#!/bin/sh
# Builds every guest and records what came from what. Needs wat2wasm of wabt.
set -eu
cd "$(dirname "$0")"
for wat in *.wat good/*.wat bad/*.wat; do
	wat2wasm "$wat" -o "${wat%.wat}.wasm"
done
LC_ALL=C sha256sum *.wat *.wasm good/*.wat good/*.wasm bad/*.wat bad/*.wasm >SUMS
