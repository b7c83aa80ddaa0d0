#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Reactors without a node, on both backends, and the C SDK: the same function built for wasm32-wasi, for bare wasm32
# and as it stands in tests/data.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
. "$S3N_SOURCE/tests/cases.bash"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/s3n-reactor.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
data=$S3N_SOURCE/tests/data/functions
sdk=$S3N_SOURCE/sdk/c
PATH=$S3N_BUILD/bin:$PATH
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got «$2», want «$3»"; fi; }
has() { if [[ $2 == *"$3"* ]]; then pass "$1"; else fail "$1" "«$3» is not in «${2:0:600}»"; fi; }

built=("$data/reactor.wasm")
if command -v clang-19 >/dev/null && [ -e /usr/include/wasm32-wasi/stdlib.h ]; then
  strict=(-O2 -Wall -Wextra -Wno-infinite-recursion -Werror -I "$sdk")
  if clang-19 --target=wasm32-wasi -mexec-model=reactor "${strict[@]}" "$sdk/s3n.c" "$data/reactor.c" -o "$scratch/wasi.wasm"; then
    pass "sdk/c builds for wasm32-wasi"
  else
    fail "sdk/c builds for wasm32-wasi"
  fi
  if clang-19 --target=wasm32 -ffreestanding -nostdlib -Wl,--no-entry "${strict[@]}" "$sdk/s3n.c" "$data/reactor.c" -o "$scratch/bare.wasm"; then
    pass "sdk/c builds for bare wasm32"
  else
    fail "sdk/c builds for bare wasm32"
  fi
  built+=("$scratch/wasi.wasm" "$scratch/bare.wasm")
  cp -r "$S3N_SOURCE/examples/checksum" "$scratch/checksum"
  make -s -C "$scratch/checksum" SDK="$sdk" checksum.wasm || fail "examples/checksum builds"
  is "examples/checksum" "$(printf 123456789 | s3n run "$scratch/checksum/checksum.wasm")" '{"crc32":3421780262,"size":9}'
else
  skip "sdk/c builds" "clang-19 with wasi-libc is not installed"
fi
# What is initialised keeps its open files and what it wrote; requests leave nothing.
cat >"$scratch/prepared.c" <<'C'
#include "s3n.h"
#include <stdio.h>
static FILE *kept;
static char line[64];
void s3n_setup(void)
{
    FILE *made = fopen("/made.txt", "w");
    kept = fopen("/note.txt", "r");
    fputs("made", made);
    fclose(made);
}
static void show(struct s3n_response *response, FILE *file)
{
    s3n_write(response, line, fread(line, 1, sizeof(line), file));
}
int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    FILE *made = fopen("/made.txt", "r"), *left = fopen("/left.txt", "r");
    (void)request;
    show(response, kept);
    show(response, made);
    s3n_print(response, left == NULL ? " nothing left" : " left over");
    left = fopen("/left.txt", "w");
    fputs("left", left);
    return fclose(left);
}
C
if [ -n "${strict:-}" ] && clang-19 --target=wasm32-wasi -mexec-model=reactor "${strict[@]}" "$sdk/s3n.c" "$scratch/prepared.c" -o "$scratch/prepared.wasm"; then
  mkdir "$scratch/folder"
  printf 'note, ' >"$scratch/folder/note.txt"
  for backend in kvm process; do
    [ $backend = process ] || [ -w /dev/kvm ] || continue
    is "$backend: files of the initialisation" "$(s3n run --backend $backend --dir "$scratch/folder::/" "$scratch/prepared.wasm" </dev/null)" "note, made nothing left"
  done
fi
head -c 3000000 /dev/urandom >"$scratch/three"
for backend in kvm process; do
  if [ $backend = kvm ] && [ ! -w /dev/kvm ]; then
    skip "kvm" "/dev/kvm can't be opened here"
    continue
  fi
  for module in "${built[@]}"; do
    name="$backend, ${module##*/}"
    run() { timeout 60 s3n run --backend $backend --timeout-ms 2000 --memory-mib 32 "$@"; }
    is "$name: stdin is the body, stdout the answer" "$(printf hello | run "$module")" hello
    run "$module" <"$scratch/three" | cmp -s - "$scratch/three"
    is "$name: three megabytes" $? 0
    output=$(printf body | run -i --method PUT --path '/show?x=1' --header 'X-Test: yes' --header 'Content-Type: a/b' --env FACT=1 "$module")
    has "$name: status" "$output" "Status: 201"
    has "$name: answered header" "$output" "x-method: PUT"
    has "$name: path and query" "$output" "/show?x=1 trigger 0"
    has "$name: headers" "$output" "header x-test: yes
header content-type: a/b"
    has "$name: facts" "$output" "fact FACT=1"
    has "$name: body" "$output" "body body"
    is "$name: defaults" "$(printf '' | run -i --path /show "$module" | sed -n 's/^x-method: //p')" POST
    has "$name: initialised before" "$(run --path /count "$module" </dev/null)" "prepared 500500 requests 1 "
    output=$(run --path /exit "$module" </dev/null 2>&1)
    is "$name: an exit code" $? 3
    has "$name: the log" "$output" "going"
    output=$(run --path /trap "$module" </dev/null 2>&1)
    is "$name: a trap" $? 1
    has "$name: is told" "$output" "unreachable"
    output=$(run --path /recurse "$module" </dev/null 2>&1)
    is "$name: runaway recursion" $? 1
    output=$(run --path /fault "$module" </dev/null 2>&1)
    has "$name: a wild pointer" "$output" "out of bounds memory access"
    run --path /loop --timeout-ms 100 "$module" </dev/null >/dev/null 2>&1
    is "$name: a loop" $? 8
    memory=$(run --path /memory "$module" </dev/null)
    [ "$memory" -ge 25 ] && [ "$memory" -le 32 ]
    is "$name: memory up to its limit" $? 0
    now=$(date +%s)
    then=$(run --path /time "$module" </dev/null)
    [ $((then - now)) -ge -1 ] && [ $((then - now)) -le 5 ]
    is "$name: the time" $? 0
  done
  run() { timeout 60 s3n run --backend $backend "$@"; }
  output=$(run "$data/init-print.wasm" </dev/null 2>&1)
  is "$backend: printing at initialisation" $? 3
  has "$backend: is told" "$output" 'it printed "ready'
  output=$(run "$data/init-exit.wasm" </dev/null 2>&1)
  is "$backend: exiting at initialisation" $? 1
  has "$backend: is told" "$output" "exit during initialisation"
  output=$(printf 'no envelope' | run "$data/raw.wasm" 2>&1)
  is "$backend: a malformed answer" $? 1
  has "$backend: is told" "$output" "malformed answer"
  printf '!.......\377\377\377\377\0\0\0\0' >"$scratch/wild"
  output=$(run "$data/raw.wasm" <"$scratch/wild" 2>&1)
  has "$backend: an answer outside memory" "$output" "malformed answer"
  run --abi cgi "$data/reactor.wasm" </dev/null >/dev/null 2>&1
  is "$backend: a reactor is no cgi program" $? 3
  is "$backend: a command finds the request in its environment" \
    "$(run --method PUT --path '/a?b' --header 'X-Y: z' "$data/environment.wasm" </dev/null | tr '\0' ' ')" \
    "REQUEST_METHOD=PUT PATH_INFO=/a QUERY_STRING=b HTTP_X_Y=z "
done
finish
