#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs that nobody here wrote, deployed to a node and invoked over HTTPS: each answer is what the same program
# prints natively or under Node's WASI.
set -u
. "$(dirname "$0")/node.bash"
. "$S3N_SOURCE/tests/programs/build.bash"
require_node programs
node_start || { fail "start"; finish; }
claim || fail "claim"
modules=$built

# build_and_deploy NAME BUILD MODULE: false when the program can't be had here.
build_and_deploy() {
  local status=0
  "$2" || status=$?
  case $status in
    1) skip "$1" "$why"; return 1 ;;
    2) fail "$1: build" "$why"; return 1 ;;
  esac
  application "$1" "$3" 'limits = { memory_mib = 256, timeout_ms = 20000, output_kib = 8192 }'
  deploy "$1"
  is "$1: deploy" $? 0
}

# same NAME APPLICATION INPUT COMMAND...: what the function answers is what the command prints.
same() {
  local name=$1 application=$2 input=$3
  shift 3
  "$@" <"$scratch/$input" >"$scratch/theirs" 2>/dev/null
  fetch --data-binary "@$scratch/$input" "$url/a/$application/run" >"$scratch/ours"
  if cmp -s "$scratch/theirs" "$scratch/ours"; then
    pass "$application: $name ($(wc -c <"$scratch/ours") bytes)"
  else
    fail "$application: $name" "$(diff "$scratch/theirs" "$scratch/ours" | head -4)"
  fi
}

for i in $(seq 1 3000); do echo "{\"id\":$i,\"group\":[$((i * 7919 % 13)),null,\"ö\"],\"value\":$((i * i % 1009)).50}"; done >"$scratch/rows.json"
printf '{"b":[1,2.50,{"c":null}],"a":"Gr\\u00fc\\u00dfe"}' >"$scratch/small.json"
for i in $(seq 1 100); do echo "line $i of a hundred: ß"; done >"$scratch/hundred"
cat "$S3N_SOURCE/LICENSE" >"$scratch/license"
for i in $(seq 1 40); do cat "$S3N_SOURCE/LICENSE"; done >"$scratch/long"

if build_and_deploy gojq build_gojq gojq; then
  same "a small document" gojq small.json "$built/gojq"
  same "three thousand rows" gojq rows.json "$built/gojq"
  is "gojq: an input that is broken" "$(printf '{"a":' | fetch -o "$scratch/body" -w '%{http_code}' --data-binary @- "$url/a/gojq/run")" 500
  has "gojq: and its code" "$(cat "$scratch/body")" '"code":"function-failed"'
  printf '[1, 2,   3]' >"$scratch/list.json"
  invoke gojq --data "@$scratch/list.json" --receipt "$scratch/receipt.json" >"$scratch/ours"
  is "gojq: invoke with a receipt" $? 0
  "$built/gojq" <"$scratch/list.json" | cmp -s - "$scratch/ours"
  is "gojq: its answer" $? 0
  timeout 90 s3n verify "$scratch/receipt.json" --input "$scratch/list.json" --output "$scratch/ours" --trust-simulated >/dev/null 2>&1
  is "gojq: the receipt verifies" $? 0
fi
if build_and_deploy rust build_rust words; then
  same "the licence" rust license "$built/words"
  same "450 KB" rust long "$built/words"
fi
if build_and_deploy assemblyscript build_assemblyscript wordstat; then
  # Node tells a program its name where a node of S3N tells the function's.
  same "a hundred lines" assemblyscript hundred node_wasi "$built/wordstat.wasm"
fi
node_stop
is "stop" $? 0
finish
