#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Native functions: built with the C SDK and from Rust, run without a node, deployed to one, and refused when
# anything about them is unusual.
set -u
. "$(dirname "$0")/e2e/node.bash"
require_node native
command -v cc >/dev/null || skip_all native "no C compiler"
sdk=$S3N_SOURCE/sdk/c
flags=(-O2 -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none -static -nostdlib -no-pie
  -Wl,-T,"$sdk/native.ld" -Wl,--build-id=none -Wl,--gc-sections -I "$sdk")
build() { # build NAME SOURCES...
  local name=$1
  shift
  cc "${flags[@]}" "$sdk/s3n.c" "$@" -o "$scratch/$name.elf" 2>"$scratch/cc.log" && pass "build $name" || fail "build $name" "$(cat "$scratch/cc.log")"
}
run() { timeout 60 s3n run --backend kvm --timeout-ms 2000 --memory-mib 32 "$@"; }

# --- one source, as a reactor and as an ELF
build reactor -Wall -Wextra -Wno-infinite-recursion "$modules/reactor.c"
native=$scratch/reactor.elf
is "stdin is the body, stdout the answer" "$(printf hello | run "$native")" hello
head -c 3000000 /dev/urandom >"$scratch/three"
run "$native" <"$scratch/three" | cmp -s - "$scratch/three"
is "three megabytes" $? 0
show() { printf body | run -i --method PUT --path '/show?x=1' --header 'X-Test: yes' --env FACT=1 "$1"; }
is "the same answer as the module's" "$(show "$native")" "$(show "$modules/reactor.wasm")"
first=$(run --path /count "$native" </dev/null)
has "initialised before the request" "$first" "prepared 500500 requests 1 "
output=$(run --path /exit "$native" </dev/null 2>&1)
is "an exit code" $? 3
has "the log" "$output" "going"
for trap in 'trap unreachable' 'recurse call stack exhausted' 'fault out of bounds memory access'; do
  output=$(run --path "/${trap%% *}" "$native" </dev/null 2>&1)
  is "${trap%% *} ends it" $? 1
  has "${trap%% *} is told" "$output" "trap: ${trap#* }"
done
run --path /loop "$native" </dev/null >/dev/null 2>&1
is "a loop" $? 8
memory=$(run --path /memory "$native" </dev/null)
[ "$memory" -ge 28 ] && [ "$memory" -le 32 ]
is "a heap up to the limit" $? 0
output=$(timeout 90 s3n run --backend process "$native" </dev/null 2>&1)
is "not without a micro-VM" $? 3
has "and it says so" "$output" "needs a micro-VM"

cp -r "$S3N_SOURCE/examples/checksum" "$scratch/checksum"
make -s -C "$scratch/checksum" SDK="$sdk" checksum.elf || fail "examples/checksum builds"
is "examples/checksum" "$(printf 123456789 | run "$scratch/checksum/checksum.elf")" '{"crc32":3421780262,"size":9}'

# --- what a module can't do
cat >"$scratch/wild.c" <<'C'
#include "s3n.h"
static volatile uint64_t sink;
static const char constant[] = "constant";
static uint64_t call(uint64_t address) { return ((uint64_t(*)(void))address)(); }
int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    uint64_t address = 0;
    struct s3n_text body = request->body;
    for (size_t i = 1; i < body.size && body.data[i] != '\n'; i++)
        address = address * 16 + (uint64_t)(body.data[i] <= '9' ? body.data[i] - '0' : body.data[i] - 'a' + 10);
    if (address == 1)
        address = (uint64_t)constant;
    if (address == 2)
        address = (uint64_t)s3n_main;
    if (address == 3)
        address = (uint64_t)s3n_allocate(64);
    switch (body.data[0]) {
    case 'r': sink = *(volatile unsigned char *)address; break;
    case 'w': *(volatile unsigned char *)address = 1; break;
    case 'x': sink = call(address); break;
    case 'd': sink = 1 / (address - address); break;
    case 's': __asm__ volatile("syscall" ::: "rcx", "r11", "memory"); break;
    case 'i': __asm__ volatile("int $0x80" ::: "memory"); break;
    case 'o': __asm__ volatile("outb %%al, $0x80" ::: "memory"); break;
    case 'p': __asm__ volatile("outl %%eax, $0x53" :: "a"(77) : "memory"); break;
    case 'h': __asm__ volatile("hlt"); break;
    case 'g': __asm__ volatile("movq %%cr3, %%rax" ::: "rax"); break;
    case 'v': __asm__ volatile("vpxor %%ymm0, %%ymm0, %%ymm0" ::: "xmm0"); break;
    }
    s3n_print(response, "survived");
    return 0;
}
C
build wild "$scratch/wild.c"
wild() { printf '%s' "$1" | run "$scratch/wild.elf" 2>&1; }
is "vectors may be used" "$(wild v0)" survived
is "code may be read" "$(wild r2)" survived
for case in 'r0 null pointers fault' 'w0 null pointers fault' 'rffff the guard reaches 64 KiB' 'w1 constants stay' 'w2 code stays' \
  'r280000000 ring 0 is out of reach' 'w280100000 the control page is read-only' 'w280120000 the runtime stays' 'rffff800000000000 no kernel' \
  'x3 the heap is not code' 'd0 divisions' 's0 system calls' 'i0 interrupts' 'o0 ports' 'h0 halting' 'g0 control registers' \
  'r2f0000000 files that are not there' 'r10000000000 other memories'; do
  output=$(wild "${case%% *}")
  [ $? = 1 ] && [[ $output == *trap:* ]]
  is "wild: ${case#* }" $? 0
done
wild p0 >/dev/null 2>&1
is "wild: an exit that nobody knows" $? 7

# --- other files
expect() { # expect NAME FILE TEXT
  local output
  output=$(run "$2" </dev/null 2>&1)
  is "$1" $? 3
  has "$1 says why" "$output" "$3"
}
printf 'int main(void){return 0;}\n' >"$scratch/main.c"
cc "$scratch/main.c" -o "$scratch/pie.elf" 2>/dev/null && expect "an ordinary program" "$scratch/pie.elf" "position-independent"
cc -no-pie "$scratch/main.c" -o "$scratch/dynamic.elf" 2>/dev/null && expect "a dynamic program" "$scratch/dynamic.elf" ""
sed 's/text PT_LOAD FLAGS(5)/text PT_LOAD FLAGS(7)/' "$sdk/native.ld" >"$scratch/wx.ld"
cc "${flags[@]/$sdk\/native.ld/$scratch/wx.ld}" "$modules/reactor.c" "$sdk/s3n.c" -o "$scratch/wx.elf" 2>/dev/null
expect "a writable code segment" "$scratch/wx.elf" "writable and executable"
sed 's/0x290000000/0x390000000/' "$sdk/native.ld" >"$scratch/far.ld"
cc "${flags[@]/$sdk\/native.ld/$scratch/far.ld}" "$scratch/main.c" -o "$scratch/far.elf" -Wl,--entry=main 2>/dev/null
expect "code outside its window" "$scratch/far.elf" "outside its window"
head -c 1000 "$native" >"$scratch/short.elf"
expect "a truncated ELF" "$scratch/short.elf" "reaches beyond the file"
output=$(s3n-compile <"$native" 2>&1)
has "an ELF is no module" "$output" 'kind = "native"'
output=$(s3n-compile --native <"$modules/echo.wasm" 2>&1)
has "a module is no ELF" "$output" "not an ELF"

# --- inspect
output=$(s3n inspect "$native")
is "inspect" $? 0
has "inspect: entry" "$output" "entry       0x29000"
has "inspect: code" "$output" "read, execute"
has "inspect: needs" "$output" "/dev/kvm"
output=$(s3n inspect --json "$native")
has "inspect --json" "$output" '"kind": "native"'
output=$(s3n inspect "$scratch/wx.elf")
is "inspect of what can't run" $? 3
has "says why" "$output" "can run     no: the segment at"

# --- Rust
if command -v rustc >/dev/null && rustc --crate-type staticlib -O -C panic=abort -C relocation-model=pic "$S3N_SOURCE/tests/data/native/words.rs" \
  -o "$scratch/libwords.a" 2>"$scratch/rust.log"; then
  build words "$scratch/libwords.a"
  is "Rust answers" "$(echo 'three little words' | run "$scratch/words.elf")" 3
  echo panic | run "$scratch/words.elf" >/dev/null 2>&1
  is "Rust panics" $? 101
else
  skip "Rust" "rustc can't build for this machine"
fi

# --- on a node
node_start || { fail "start"; finish; }
claim || { fail "claim"; finish; }
application native echo $'kind = "native"\nlimits = { timeout_ms = 300, concurrency = 1 }\nenvironment = { COLOUR = "blue" }'
sed -i 's|^route = .*|route = "/*"|' "$scratch/native/s3n.toml"
cp "$native" "$scratch/native/module.wasm"
output=$(deploy native 2>&1)
is "deploy" $? 0
output=$(fetch -D "$scratch/head" "$url/a/native/show?x" -H 'X-Test: yes' --data-binary body)
is "its status" "$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$scratch/head")" 201
has "its headers" "$(tr -d '\r' <"$scratch/head")" "x-method: POST"
has "path and trigger" "$output" "/show?x trigger 2"
has "facts" "$output" "fact COLOUR=blue"
first=$(fetch "$url/a/native/count")
second=$(fetch "$url/a/native/count")
has "fresh state" "$second" "prepared 500500 requests 1 "
is "from one snapshot" "${first% fresh *}" "${second% fresh *}"
[ "${first##* fresh }" != "${second##* fresh }" ]
is "fresh random numbers" $? 0
is "a trap" "$(fetch -o "$scratch/answer" -w '%{http_code}' "$url/a/native/fault")" 500
has "is told" "$(cat "$scratch/answer")" "out of bounds memory access"
is "a loop" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/native/loop")" 504
is "a flood" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/native/flood")" 507
is "and it still answers" "$(invoke native --data again)" again
printf hello >"$scratch/input"
invoke native --data "@$scratch/input" --receipt "$scratch/receipt.json" >"$scratch/answer"
timeout 90 s3n verify "$scratch/receipt.json" --input "$scratch/input" --output "$scratch/answer" --code "$native" --trust-simulated >/dev/null 2>&1
is "its receipt verifies, code included" $? 0
claims=$(sed -n 's/.*"receipt": *"[^.]*\.\([^.]*\)\..*/\1/p' "$scratch/receipt.json" | tr '_-' '/+')
has "its receipt says native" "$(printf '%s==' "$claims" | base64 -d 2>/dev/null)" '"code_kind":"native"'
# pages are learned after some resets: null pointers must fault on
application wild echo $'kind = "native"\nlimits = { concurrency = 1 }'
cp "$scratch/wild.elf" "$scratch/wild/module.wasm"
deploy wild
survived=0
for _ in {1..40}; do [ "$(fetch --data-binary v0 "$url/a/wild/run")" = survived ] && survived=$((survived + 1)); done
is "forty in a row" "$survived" 40
is "null pointers fault after many resets" "$(fetch -o /dev/null -w '%{http_code}' --data-binary r0 "$url/a/wild/run")" 500
is "writes too" "$(fetch -o /dev/null -w '%{http_code}' --data-binary wfff8 "$url/a/wild/run")" 500
application native-reuse echo $'kind = "native"\nreuse = "instance"'
cp "$native" "$scratch/native-reuse/module.wasm"
output=$(deploy native-reuse 2>&1)
is "reuse is refused" $? 3
has "and says so" "$output" "is for reactors"
application no-kind echo
cp "$native" "$scratch/no-kind/module.wasm"
output=$(deploy no-kind 2>&1)
is "an ELF without its kind" $? 3
has "is told which" "$output" 'kind = "native"'
application no-elf echo 'kind = "native"'
output=$(deploy no-elf 2>&1)
is "a module of kind native" $? 3
has "is told" "$output" "not an ELF"

# --- on a node without micro-VMs
node_stop
rm -rf "$data" "$XDG_CONFIG_HOME"
S3N_BACKEND=process node_start || { fail "start without micro-VMs"; finish; }
claim || fail "claim"
output=$(deploy native 2>&1)
is "refused where there is no micro-VM" $? 3
has "at deployment, with the reason" "$output" "needs a micro-VM"
finish
