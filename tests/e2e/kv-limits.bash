#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sealed state at and over each limit, for a command, a reactor and a native function: the same results and texts.
set -u
. "$(dirname "$0")/node.bash"
require_node kv-limits
for tool in clang-19 wasm-ld-19; do
  command -v $tool >/dev/null || skip_all kv-limits "no $tool"
done
sdk=$S3N_SOURCE/sdk/c source=$S3N_SOURCE/tests/programs/keep.c
strict=(-O2 -Wall -Wextra -Werror -I "$sdk")
clang-19 --target=wasm32-wasi -DCOMMAND "${strict[@]}" "$source" "$sdk/s3n_calls.c" -o "$scratch/command" &&
  clang-19 --target=wasm32 -ffreestanding -nostdlib -Wl,--no-entry "${strict[@]}" "$source" "$sdk/s3n.c" "$sdk/s3n_calls.c" -o "$scratch/reactor" ||
  { fail "compile keep.c"; finish; }
ways=(command reactor)
if [ -w /dev/kvm ] && [ "${S3N_BACKEND:-kvm}" = kvm ] && command -v cc >/dev/null; then
  cc -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none -static -nostdlib -no-pie -Wl,-T,"$sdk/native.ld" -Wl,--build-id=none \
    -Wl,--gc-sections "${strict[@]}" "$source" "$sdk/s3n.c" "$sdk/s3n_calls.c" -o "$scratch/native" && ways+=(native) || fail "build an ELF"
else
  skip native "needs /dev/kvm and a C compiler"
fi
node_start && claim || { fail "start"; finish; }

longest=$(printf 'n%.0s' $(seq 63))
# service WAY: an application of that name
service() {
  local kind=wasm
  [ "$1" != native ] || kind=native
  mkdir -p "$scratch/app-$1"
  cp "$scratch/$1" "$scratch/app-$1/f"
  cat >"$scratch/app-$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
[state]
mib = 5
entries = 300
[function.f]
source = "f"
kind = "$kind"
limits = { memory_mib = 16, timeout_ms = 20000 }
permissions.kv = ["notes", "more", "$longest"]
[[trigger.http]]
route = "/run"
function = "f"
TOML
  timeout 60 s3n -q deploy "$scratch/app-$1" || fail "deploy $1"
}
# ask WAY LINES: one invocation; for each line its result and text
ask() { printf '%s' "$2" | fetch --data-binary @- "$url/a/$1/run"; }
# same NAME LINES WANTED: what every way gives; WANTED is what each line begins with
same() {
  local way answer
  for way in "${ways[@]}"; do
    answer=$(ask "$way" "$2")
    is "$way: $1" "$(echo "$answer" | cut -d' ' -f1 | tr '\n' ' ')" "$3 "
    [ "$way" = command ] && first=$answer
    is "$way: $1: as a command is told" "$answer" "$first"
  done
}
for way in "${ways[@]}"; do service "$way"; done

same "keys of 1, 512, 513 and no bytes" $'set notes 1 1 0\nset notes 512 1 0\nset notes 513 1 0\nset notes 0 1 0' "0 0 -1 -1"
same "and they are asked for alike" $'get notes 512\nget notes 513\nget notes 0\ndel notes 513\ncas notes 513 1 0\nlist notes 512 1\nlist notes 513 1' \
  "1 -1 -1 -1 -1 $((8 + 16 + 512)) -1"
same "keys that are none" "$(for i in 0 1 2 3 4 5 6 7 8 9; do echo "bad notes $i"; done)" "-1 -1 -1 -1 -1 -1 -1 -1 -1 -1"
same "values of 256 KiB and one byte more" $'set notes 2 262144 0\nset notes 3 262145 0\nget notes 2\nget notes 3\ncas notes 3 262145 0\ncas notes 3 262144 0\nshort notes 3' \
  "0 -5 262144 -4 -5 1 262144"
same "an empty value is one" $'set notes 4 0 0\nget notes 4\ndel notes 4\ndel notes 4' "0 0 1 0"
same "times to live" $'set notes 5 1 315360000000\nset notes 5 1 315360000001\nset notes 5 1 18446744073709551615' "0 -1 -1"
same "namespaces" "set $longest 1 1 0
set ${longest}n 1 1 0
set Notes 1 1 0
set others 1 1 0
get s3n.results 1
set s3n.results 1 1 0
del s3n.results 1
cas s3n.results 1 1 0
list s3n.results 0 1
list s3n.x 0 1" "0 -1 -1 -3 -3 -3 -3 -3 -3 -3"
has "the node's own are named as such" "$first" "namespaces that begin with s3n. are the node's"
same "pages of a list" $'list notes 0 1000\nlist notes 0 1001\nlist notes 0 0\nlist notes 0 131073' "$((8 + 5 * 16 + 1 + 512 + 2 + 3 + 5)) -1 -1 -1"
same "a swap of what is not there" $'cas notes 6 1 1\ncas notes 6 1 0\ncas notes 6 1 0\ncas notes 6 1 1\ndel notes 6' "0 1 0 1 1"
same "256 keys in one transaction" $'many notes 257 1' "256"
same "and the quota of entries ends the next" $'many more 256 1' "38"
same "4 MiB in one transaction" $'many more 17 262144' "15"
same "and the quota of bytes ends the next" $'many notes 17 262144' "2"
same "what was there before stays" $'get notes 2\nget notes 512\nshort more 4' "262144 1 -4"
finish
