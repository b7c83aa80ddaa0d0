#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An AssemblyScript program with its WASI shim in a micro-VM against Node's node:wasi.
set -u
. "$(dirname "$0")/programs.bash"
require_runner assemblyscript

command -v node >/dev/null || skip_all assemblyscript "no node"
command -v npm >/dev/null || skip_all assemblyscript "no npm"
folder=$built/assemblyscript
mkdir -p "$folder"
cp "$S3N_SOURCE"/tests/programs/assemblyscript/{package.json,package-lock.json,wordstat.ts} "$folder"
if [ ! -d "$folder/node_modules/assemblyscript" ]; then
  (cd "$folder" && timeout 300 npm ci --no-audit --no-fund) >"$scratch/log" 2>&1 ||
    skip_all assemblyscript "its compiler can't be fetched: $(tail -1 "$scratch/log")"
fi
(cd "$folder" && node node_modules/assemblyscript/bin/asc.js wordstat.ts \
  --config node_modules/@assemblyscript/wasi-shim/asconfig.json -O -o wordstat.wasm) >"$scratch/log" 2>&1 ||
  skip_all assemblyscript "its compiler doesn't run here: $(grep -m1 . "$scratch/log")"
compile "$folder/wordstat.wasm" || { fail "compile"; finish; }

printf 'zebra\napple\napple\nößü\n世界 😀\n' >"$scratch/small"
for i in $(seq 1 3000); do echo "line $((i * 7919 % 1000))"; done >"$scratch/large"
: >"$scratch/empty"

same() {
  local name=$1 input=$2
  shift 2
  record theirs "$scratch/$input" node --no-warnings "$S3N_SOURCE/tests/programs/node-wasi.mjs" "$folder/wordstat.wasm" "$@"
  record ours "$scratch/$input" run_image "$folder/wordstat.wasm.image" "$@"
  compare "$name"
}

same small small
same large large
same empty empty
same arguments small one 'two "three"' ''
finish
