#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An AssemblyScript program with its WASI shim in a micro-VM against Node's node:wasi.
set -u
. "$(dirname "$0")/programs.bash"
require_runner assemblyscript

require_program assemblyscript build_assemblyscript
compile "$built/wordstat.wasm" || { fail "compile"; finish; }

printf 'zebra\napple\napple\nößü\n世界 😀\n' >"$scratch/small"
for i in $(seq 1 3000); do echo "line $((i * 7919 % 1000))"; done >"$scratch/large"
: >"$scratch/empty"

same() {
  local name=$1 input=$2
  shift 2
  record theirs "$scratch/$input" node_wasi "$built/wordstat.wasm" "$@"
  record ours "$scratch/$input" run_image "$built/wordstat.wasm.image" "$@"
  compare "$name"
}

same small small
same large large
same empty empty
same arguments small one 'two "three"' ''
finish
