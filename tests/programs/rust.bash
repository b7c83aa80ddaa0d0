#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Rust program (Debian's rustc, wasm32-wasi) in a micro-VM against the same source built natively.
set -u
. "$(dirname "$0")/programs.bash"
require_runner rust

require_program rust build_rust
compile "$built/words.wasm" || { fail "compile"; finish; }

head -c 200000 "$S3N_SOURCE/LICENSE" >"$scratch/license"
for i in $(seq 1 40); do cat "$S3N_SOURCE/LICENSE"; done >"$scratch/long"
printf 'Straße straße İstanbul 世界 世界\n\n\nlast line without end' >"$scratch/unicode"
: >"$scratch/empty"

same() {
  local name=$1 input=$2
  shift 2
  record theirs "$scratch/$input" env -i "${ENVIRONMENT[@]}" "$built/words" "$@"
  record ours "$scratch/$input" run_image "$built/words.wasm.image" "$@"
  compare "$name"
}

same license license
same long-input long
same unicode unicode
same empty empty
same arguments license one "two three" '"four"' ''
ENVIRONMENT=(MOST=50)
same environment license
ENVIRONMENT=()

record ours "$scratch/empty" run_image "$built/words.wasm.image" --panic
if [ "$(cat "$scratch/ours.status")" = 1 ] && grep -q "index out of bounds: the len is 3 but the index is 11" "$scratch/ours.err" &&
  grep -q "^s3n: .*unreachable" "$scratch/ours.err"; then
  pass "a panic is told and traps"
else
  fail "a panic is told and traps" "$(tail -2 "$scratch/ours.err")"
fi
finish
