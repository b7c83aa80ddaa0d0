#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Modules that mean harm or are broken: a clear word, the right exit status, nothing hangs.
set -u
. "$(dirname "$0")/programs/programs.bash"
require_runner hostile
command -v wat2wasm >/dev/null || skip_all hostile "no wat2wasm (package wabt)"

# expect NAME STATUS TEXT: what the last record of ours must have ended with, and said on stderr.
expect() {
  local status
  status=$(cat "$scratch/ours.status")
  if [ "$status" != "$2" ]; then
    fail "$1" "exit status $status instead of $2: $(tail -1 "$scratch/ours.err")"
  elif [ -n "$3" ] && ! grep -qF -- "$3" "$scratch/ours.err"; then
    fail "$1" "said \"$(tail -1 "$scratch/ours.err")\" instead of \"$3\""
  else
    pass "$1"
  fi
}

# refused NAME STATUS TEXT: compiles $scratch/module.wasm.
refused() {
  record ours "$scratch/module.wasm" timeout 60 "$S3N_BUILD/bin/s3n-compile"
  expect "$@"
  [ ! -s "$scratch/ours.out" ] || fail "$1" "printed an image"
}

# runs NAME STATUS TEXT OPTIONS...: a text module on stdin, compiled and run.
runs() {
  local name=$1 status=$2 text=$3
  shift 3
  cat >"$scratch/module.wat"
  wat2wasm --debug-names "$scratch/module.wat" -o "$scratch/module.wasm" && compile "$scratch/module.wasm" ||
    { fail "$name" "does not compile"; return; }
  record ours /dev/null run_with_options "$@"
  expect "$name" "$status" "$text"
}
run_with_options() {
  timeout 60 "${runner[@]}" --image-fd 3 "$@" -- program 3<"$scratch/module.wasm.image"
}

text_module() {
  cat >"$scratch/module.wat"
  wat2wasm "$@" "$scratch/module.wat" -o "$scratch/module.wasm"
}

# --- broken or wanting what is not there

text_module <<'WAT'
(module (import "env" "foo" (func (param i32) (result i64))) (func (export "_start")))
WAT
refused "an unknown import is named" 3 'unknown import "env"."foo" (func (param i32) (result i64))'
text_module <<'WAT'
(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64) (result i32))))
WAT
refused "both types of a wrong import are named" 3 'is imported as (func (param i64) (result i32)), S3N has (func (param i32 i32 i32 i32) (result i32))'
text_module --enable-exceptions <<'WAT'
(module (func (try (do))))
WAT
refused "a proposal is named" 3 'exception handling not supported'
printf 'not a module at all' >"$scratch/module.wasm"
refused "what is no module" 3 'magic header not detected'
: >"$scratch/module.wasm"
refused "nothing" 3 'unexpected end'
head -c 9000 "$S3N_SOURCE/tests/data/wasm/environ.wasm" >"$scratch/module.wasm"
refused "a truncated module" 3 'at offset 0x'
truncate -s 129M "$scratch/module.wasm"
refused "a module over the size limit" 9 'at most 134217728'

# --- at run time

runs "an endless loop" 8 'time' --timeout-ms 200 <<'WAT'
(module (memory 1) (func (export "_start") (loop (br 0))))
WAT
runs "an endless loop without instructions to stop at" 8 'time' --timeout-ms 200 <<'WAT'
(module (func $spin (param i32) (loop (br_if 0 (local.get 0)))) (func (export "_start") (call $spin (i32.const 1))))
WAT
runs "a stack bomb" 1 'call stack exhausted' <<'WAT'
(module (func $f (export "_start") (call $f)))
WAT
runs "a stack bomb with many locals" 1 'call stack exhausted' <<WAT
(module (func \$f (export "_start") (local $(yes i64 | head -2000 | tr '\n' ' ')) (call \$f)))
WAT
runs "a trap says where" 1 'integer divide by zero' <<'WAT'
(module (func $divide (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func (export "_start") (drop (call $divide (i32.const 0)))))
WAT
grep -q '(divide)' "$scratch/ours.err" && pass "a trap names the function" || fail "a trap names the function" "$(cat "$scratch/ours.err")"
runs "a read far outside memory" 1 'out of bounds memory access' <<'WAT'
(module (memory 1) (func (export "_start") (drop (i64.load offset=4294967295 (i32.const -1)))))
WAT
runs "a call of nothing" 1 'undefined element' <<'WAT'
(module (table 1 funcref) (func (export "_start") (call_indirect (i32.const -1))))
WAT
# It asks until it is refused, touches each new page, and exits with the number of MiB it got.
runs "a memory hog stays within its limit" 32 '' --memory-mib 32 <<'WAT'
(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
  (func (export "_start")
    (loop
      (i32.store8 (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1)) (i32.const 1))
      (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (call $exit (i32.shr_u (memory.size) (i32.const 4)))))
WAT
runs "more memory at the start than its limit" 9 'memory' --memory-mib 32 <<'WAT'
(module (memory 1024) (func (export "_start")))
WAT
# 100 MB in writes of 64,000 bytes.
runs "100 MB of output arrive" 0 '' <<'WAT'
(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local i32)
    (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const 64000))
    (memory.fill (i32.const 1000) (i32.const 65) (i32.const 64000))
    (local.set 0 (i32.const 1600))
    (loop
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
      (if (i32.ne (i32.load (i32.const 8)) (i32.const 64000)) (then unreachable))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
WAT
[ "$(stat -c %s "$scratch/ours.out")" = 102400000 ] && pass "and are complete" ||
  fail "and are complete" "$(stat -c %s "$scratch/ours.out") bytes"
runs "pointers of a system call that lead outside" 0 '' <<'WAT'
(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func $must_fail (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
  (func (export "_start")
    (call $must_fail (call $write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 0)))
    (call $must_fail (call $write (i32.const 1) (i32.const 65528) (i32.const 2) (i32.const 0)))
    (i32.store (i32.const 0) (i32.const 65535)) (i32.store (i32.const 4) (i32.const 2))
    (call $must_fail (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 1)) (i32.store (i32.const 4) (i32.const -1))
    (call $must_fail (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $must_fail (call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8)))
    (call $must_fail (call $random (i32.const 65530) (i32.const 7)))
    (call $must_fail (call $random (i32.const 1) (i32.const -1)))
    (call $must_fail (call $args (i32.const 65535) (i32.const 0)))
    (call $must_fail (call $clock (i32.const 0) (i64.const 0) (i32.const 65529)))))
WAT

# --- compile bombs: linear in their size

# compiles_quickly NAME: the module of standard input, within ten seconds of processor time.
compiles_quickly() {
  wat2wasm - -o "$scratch/module.wasm" || { fail "$1" "wat2wasm"; return; }
  if (ulimit -t 10; compile "$scratch/module.wasm") 2>"$scratch/log"; then
    pass "$1 ($(stat -c %s "$scratch/module.wasm") bytes to $(stat -c %s "$scratch/module.wasm.image"))"
  else
    fail "$1" "$(tail -1 "$scratch/log")"
  fi
}
python3 - >"$scratch/bomb" <<'PYTHON'
print('(module (memory 1) (func (export "f") (param i32) (result i32) local.get 0')
print('i32.load ' * 60000 + '))')
PYTHON
compiles_quickly "60,000 loads that depend on each other" <"$scratch/bomb"
python3 - >"$scratch/bomb" <<'PYTHON'
print('(module (func (export "f") (param i32) (local %s) (loop' % ('i32 ' * 400))
for i in range(4000):
    print('(if (local.get %d) (then (local.set %d (i32.add (local.get %d) (local.get %d)))))'
          % (i % 400, (i * 7) % 400, (i * 13) % 400, (i * 31) % 400))
print('(br_if 0 (local.get 1))))')
print(')')
PYTHON
compiles_quickly "a loop of 4,000 blocks over 400 locals" <"$scratch/bomb"
python3 - >"$scratch/bomb" <<'PYTHON'
n = 4000
print('(module (func (export "f") (param i32)' + '(block ' * n + '(br_table ' + ' '.join(str(i) for i in range(n)) +
      ' (local.get 0))' + ')' * n + '))')
PYTHON
compiles_quickly "a br_table of 4,000 targets in 4,000 blocks" <"$scratch/bomb"
python3 - >"$scratch/bomb" <<'PYTHON'
types = 'i64 ' * 1000
print('(module (type (func (param %s) (result %s)))' % (types, types))
print('(func (export "f") (type 0) ' + ' '.join('local.get %d' % i for i in range(1000)))
print('call 0 ' * 3000 + '))')
PYTHON
compiles_quickly "3,000 calls with 1,000 parameters and results" <"$scratch/bomb"
python3 - >"$scratch/bomb" <<'PYTHON'
print('(module ' + '(func (result i32) i32.const 1)' * 100000 + ')')
PYTHON
compiles_quickly "100,000 functions" <"$scratch/bomb"
# A few bytes declare 50,000 locals, which all have to be cleared: the image's limit ends it.
python3 - >"$scratch/module.wasm" <<'PYTHON'
import sys
def leb(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)
def section(number, content):
    return bytes([number]) + leb(len(content)) + content
body = b'\x01' + leb(50000) + b'\x7e\x0b'
sys.stdout.buffer.write(b'\0asm\1\0\0\0' + section(1, b'\x01\x60\0\0') + section(3, leb(100000) + bytes(100000)) +
                        section(10, leb(100000) + (leb(len(body)) + body) * 100000))
PYTHON
refused "100,000 functions of 50,000 locals" 9 'limit'
finish
