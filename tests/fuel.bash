#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Metering in whole programs: the same count every time and on each backend, exact at its edge, and what a
# trap in the middle used.
set -u
. "$(dirname "$0")/cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
s3n=$S3N_BUILD/bin/s3n
command -v wat2wasm >/dev/null || skip_all fuel "no wat2wasm (package wabt)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cat >"$scratch/loop.wat" <<'WAT'
(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory 1)
  (func (export "_start") (local $i i32)
    (drop (call $random (i32.const 8) (i32.const 8)))      ;; 4
    (local.set $i (i32.const 1000))                         ;; 2
    (loop $l                                                ;; 1
      (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))  ;; 1000 * 5
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 800))))          ;; 4 + 100
WAT
sed 's/(memory.fill.*/(i32.store (i32.const -1) (local.get $i))))/' "$scratch/loop.wat" >"$scratch/fault.wat"
sed 's/(memory.fill.*/(call $exit (i32.const 3)))) /; s/^(module/(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))/' \
  "$scratch/loop.wat" >"$scratch/exit.wat"
for name in loop fault exit; do
  wat2wasm "$scratch/$name.wat" -o "$scratch/$name.wasm" || { fail "assemble $name"; finish; }
done

# expect NAME BACKEND FUEL STATUS UNITS
expect() {
  local status units
  "$s3n" run --backend "$2" --fuel "$3" --usage "$scratch/$1.wasm" 2>"$scratch/errors" >/dev/null
  status=$?
  units=$(sed -n 's/.* \([0-9]*\) units of fuel$/\1/p' "$scratch/errors")
  if [ "$status" = "$4" ] && [ "$units" = "$5" ]; then
    pass "$1 $2 fuel $3"
  else
    fail "$1 $2 fuel $3" "status $status, $units units; $(tr '\n' ' ' <"$scratch/errors")"
  fi
}

for backend in kvm process; do
  if ! "$s3n" run --backend $backend "$scratch/loop.wasm" 2>"$scratch/errors"; then
    skip "$backend" "$(head -n 1 "$scratch/errors")"
    continue
  fi
  for _ in 1 2 3; do expect loop $backend 1000000 0 5111; done
  expect loop $backend 5111 0 5111
  expect loop $backend 5110 1 5110
  expect loop $backend 1 1 1
  expect fault $backend 1000000 1 5010
  expect exit $backend 1000000 3 5009
done
if "$s3n" compile "$scratch/loop.wasm" -o "$scratch/loop.image" >/dev/null && ! "$s3n" run --fuel 10 "$scratch/loop.image" 2>"$scratch/errors" &&
  grep -q 'does not count fuel' "$scratch/errors"; then
  pass "a limit needs a metered image"
else
  fail "a limit needs a metered image" "$(cat "$scratch/errors")"
fi
finish
