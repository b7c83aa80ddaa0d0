#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A build without LLVM configures, compiles without a warning, has no optimising program, and passes: the compiler's
# tests, the command line's, and generated modules.
set -u
. "$(dirname "$0")/cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
for tool in meson ninja; do
  command -v $tool >/dev/null || skip_all without_optimiser "no $tool"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build=$scratch/build
tests="wasm-compile wasm-linker wasm-metering cli cross-generated-corpus"

meson setup "$build" "$S3N_SOURCE" -Doptimiser=disabled >"$scratch/log" 2>&1 && pass configures ||
  { fail configures "$(tail -n 5 "$scratch/log")"; finish; }
ninja -C "$build" -j2 bin/s3n bin/s3n-compile bin/s3n-keeper bin/s3n-outbound bin/s3n-relay bin/s3nd bin/slipstream bin/spectest tests/fuzz/replay-cross-generated \
  test-wasm-compile test-wasm-linker test-wasm-metering >"$scratch/log" 2>&1 && pass compiles ||
  { fail compiles "$(grep -E 'error|FAILED' "$scratch/log" | head -n 5)"; finish; }
[ ! -e "$build/bin/s3n-optimise" ] && pass "no s3n-optimise" || fail "no s3n-optimise"
ldd "$build"/bin/s3n* 2>/dev/null | grep -q LLVM && fail "nothing loads LLVM" || pass "nothing loads LLVM"
# shellcheck disable=SC2086 # a list
meson test -C "$build" --no-rebuild --print-errorlogs $tests >"$scratch/log" 2>&1
for name in $tests; do
  grep -qE " $name +(OK|SKIP)" "$scratch/log" && pass "$name" || fail "$name" "$(tail -n 20 "$scratch/log")"
done
finish
