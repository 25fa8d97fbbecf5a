#!/bin/sh
# Builds the guests whose compilers not every machine has, and notes the sums of
# sources and results; a test compares them, so that neither changes alone.
#
#   rustc with the target wasm32-unknown-unknown: Debian's rustc and libstd-rust-dev-wasm32
#   asc: npm install assemblyscript@0.28
set -eu
cd "$(dirname "$0")"
${RUSTC:-rustc} --edition 2021 --crate-type cdylib --target wasm32-unknown-unknown -O -C lto -C strip=debuginfo \
	-C linker="${WASM_LD:-wasm-ld}" -C link-arg=-zstack-size=65536 -o rust.wasm guest.rs
${ASC:-asc} guest.ts -O3 --runtime minimal --use abort= -o assemblyscript.wasm
LC_ALL=C sha256sum build.sh guest.rs guest.ts rust.wasm assemblyscript.wasm >SUMS
