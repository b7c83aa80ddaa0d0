#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every kind of trap in both tiers: the same message, which names the instruction that trapped, and the same
# count of fuel.
set -u
. "$(dirname "$0")/cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
s3n=$S3N_BUILD/bin/s3n
backend=${S3N_BACKEND:-kvm}
for tool in wat2wasm wasm-objdump; do
  command -v $tool >/dev/null || skip_all traps "no $tool (package wabt)"
done
has_backend || skip_all traps "/dev/kvm can't be opened here"
[ -x "$S3N_BUILD/bin/s3n-optimise" ] || skip_all traps "this build has no LLVM"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Numbers that no compiler knows: $zero, $far (beyond the memory) and $nan are loaded from memory.
head='(module
  (type $void (func)) (type $other (func (param i64)))
  (memory 1) (data (i32.const 4) "\f0\ff\ff\ff\00\00\c0\7f\00\00\00\80\ff\ff\ff\ff") (data $passive "abc")
  (table $table 4 funcref) (elem (i32.const 1) $nothing $wide) (elem $spare func $nothing)
  (global $sum (mut i32) (i32.const 0))
  (func $nothing) (func $wide (param i64))
  (func $work (param $zero i32) (param $far i32) (param $nan f32) (param $least i32) (param $ones i32)
              (result i32) (local $i i32) (local $x i32) (local $v v128)
    (global.set $sum (i32.add (global.get $sum) (i32.const 1)))'
tail='(i32.const 0))
  (func (export "_start")
    (drop (call $work (i32.load (i32.const 0)) (i32.load (i32.const 4)) (f32.load (i32.const 8))
                      (i32.load (i32.const 12)) (i32.load (i32.const 16))))))'

# cases: name | instruction that traps | message | code
cases() {
  cat <<'CASES'
unreachable|unreachable|unreachable|(if (i32.eqz (local.get $zero)) (then (unreachable)))
two unreachables|unreachable|unreachable|(if (local.get $zero) (then (unreachable))) (if (local.get $far) (then (unreachable)))
load|i32.load|out of bounds memory access|(local.set $x (i32.load (local.get $far))) (global.set $sum (local.get $x))
narrow load|i64.load8_s|out of bounds memory access|(i64.store (i32.const 32) (i64.load8_s (local.get $far)))
load with an offset|i32.load16_u|out of bounds memory access|(global.set $sum (i32.load16_u offset=65536 (local.get $zero)))
load of a constant address|i32.load|out of bounds memory access|(global.set $sum (i32.load (i32.const -16)))
float load|f64.load|out of bounds memory access|(f64.store (i32.const 32) (f64.sqrt (f64.load (local.get $far))))
float operand|f32.load|out of bounds memory access|(f32.store (i32.const 32) (f32.mul (local.get $nan) (f32.load (local.get $far))))
vector load|v128.load|out of bounds memory access|(v128.store (i32.const 32) (v128.load (local.get $far)))
vector operand|v128.load|out of bounds memory access|(v128.store (i32.const 32) (i32x4.add (local.get $v) (v128.load (local.get $far))))
splat|v128.load32_splat|out of bounds memory access|(v128.store (i32.const 32) (v128.load32_splat (local.get $far)))
widening load|v128.load8x8_u|out of bounds memory access|(v128.store (i32.const 32) (v128.load8x8_u (local.get $far)))
lane load|v128.load16_lane|out of bounds memory access|(v128.store (i32.const 32) (v128.load16_lane 3 (local.get $far) (local.get $v)))
lane store|v128.store8_lane|out of bounds memory access|(v128.store8_lane 3 (local.get $far) (local.get $v))
vector store|v128.store|out of bounds memory access|(v128.store (local.get $far) (local.get $v))
dropped load|i32.load|out of bounds memory access|(drop (i32.load (local.get $far)))
masked load|i64.load16_s|out of bounds memory access|(i64.store (i32.const 32) (i64.and (i64.load16_s (local.get $far)) (i64.const 65520)))
load for one branch|i32.load|out of bounds memory access|(local.set $x (i32.load (local.get $far))) (if (local.get $zero) (then (global.set $sum (local.get $x))))
load for two branches|i32.load8_u|out of bounds memory access|(local.set $x (i32.load8_u (local.get $far))) (if (local.get $zero) (then (global.set $sum (local.get $x))) (else (i32.store (local.get $x) (i32.const 1))))
loads in two branches|i32.load|out of bounds memory access|(if (local.get $zero) (then (local.set $x (i32.load (local.get $zero)))) (else (local.set $x (i32.load (local.get $far))))) (global.set $sum (local.get $x))
loads of two bytes|i32.load8_u|out of bounds memory access|(global.set $sum (i32.or (i32.load8_u (i32.const 65535)) (i32.shl (i32.load8_u (i32.add (local.get $zero) (i32.const 65536))) (i32.const 8))))
two stores side by side|i32.store|out of bounds memory access|(i32.store (i32.add (local.get $zero) (i32.const 65532)) (i32.const 1)) (i32.store (i32.add (local.get $zero) (i32.const 65536)) (i32.const 2))
compared load|i32.load|out of bounds memory access|(if (i32.eq (i32.load (local.get $far)) (i32.const 7)) (then (global.set $sum (i32.const 3))))
selected load|i32.load|out of bounds memory access|(global.set $sum (select (i32.load (local.get $far)) (local.get $zero) (local.get $ones)))
load plus load|i32.load|out of bounds memory access|(global.set $sum (i32.add (i32.load (local.get $zero)) (i32.load (local.get $far))))
load that is stored back|i32.load|out of bounds memory access|(i32.store (local.get $far) (i32.add (i32.load (local.get $far)) (i32.const 1)))
load in a loop|i32.load|out of bounds memory access|(loop $l (local.set $x (i32.add (local.get $x) (i32.load (local.get $far)))) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))) (global.set $sum (local.get $x))
load at the end of a loop|i32.load|out of bounds memory access|(loop $l (local.set $x (i32.add (local.get $x) (i32.load (local.get $i)))) (local.set $i (i32.add (local.get $i) (i32.const 4))) (br $l))
store|i32.store|out of bounds memory access|(i32.store (local.get $far) (local.get $far))
narrow store|i64.store16|out of bounds memory access|(i64.store16 (local.get $far) (i64.const 5))
stores in two branches|i32.store|out of bounds memory access|(if (local.get $zero) (then (i32.store (local.get $far) (i32.const 1))) (else (i32.store (local.get $far) (i32.const 1))))
store at the end of a loop|i32.store|out of bounds memory access|(loop $l (i32.store (local.get $i) (local.get $i)) (local.set $i (i32.add (local.get $i) (i32.const 4096))) (br $l))
memory.fill|memory.fill|out of bounds memory access|(memory.fill (local.get $far) (i32.const 1) (i32.const 100))
memory.copy|memory.copy|out of bounds memory access|(memory.copy (i32.const 0) (local.get $far) (i32.const 100))
memory.init|memory.init|out of bounds memory access|(memory.init $passive (i32.const 0) (i32.const 2) (i32.const 2))
table.get|table.get|out of bounds table access|(global.set $sum (ref.is_null (table.get $table (local.get $far))))
table.set|table.set|out of bounds table access|(table.set $table (local.get $far) (ref.null func))
table.fill|table.fill|out of bounds table access|(table.fill $table (i32.const 3) (ref.null func) (i32.const 2))
table.copy|table.copy|out of bounds table access|(table.copy $table $table (i32.const 0) (local.get $far) (i32.const 1))
table.init|table.init|out of bounds table access|(table.init $table $spare (i32.const 0) (i32.const 1) (i32.const 1))
div_s by zero|i32.div_s|integer divide by zero|(global.set $sum (i32.div_s (local.get $far) (local.get $zero)))
div_u by zero|i64.div_u|integer divide by zero|(i64.store (i32.const 32) (i64.div_u (i64.const 5) (i64.extend_i32_u (local.get $zero))))
rem_s by zero|i64.rem_s|integer divide by zero|(i64.store (i32.const 32) (i64.rem_s (i64.const 5) (i64.extend_i32_u (local.get $zero))))
rem_u by zero|i32.rem_u|integer divide by zero|(global.set $sum (i32.rem_u (local.get $far) (local.get $zero)))
division by a constant zero|i32.div_u|integer divide by zero|(global.set $sum (i32.div_u (local.get $far) (i32.const 0)))
two divisions|i32.div_u|integer divide by zero|(global.set $sum (i32.div_u (i32.const 3) (local.get $far))) (global.set $sum (i32.div_u (i32.const 3) (local.get $zero)))
division overflow|i32.div_s|integer overflow|(global.set $sum (i32.div_s (local.get $least) (local.get $ones)))
NaN to an integer|i32.trunc_f32_s|invalid conversion to integer|(global.set $sum (i32.trunc_f32_s (local.get $nan)))
NaN to a wide integer|i64.trunc_f32_u|invalid conversion to integer|(i64.store (i32.const 32) (i64.trunc_f32_u (local.get $nan)))
too large for an integer|i32.trunc_f64_u|integer overflow|(global.set $sum (i32.trunc_f64_u (f64.neg (f64.convert_i32_u (local.get $far)))))
call beyond the table|call_indirect|undefined element|(call_indirect $table (type $void) (local.get $far))
call of null|call_indirect|uninitialized element|(call_indirect $table (type $void) (local.get $zero))
call of another type|call_indirect|indirect call type mismatch|(call_indirect $table (type $void) (i32.const 2))
endless recursion|-|call stack exhausted|(drop (call $work (local.get $zero) (local.get $far) (local.get $nan) (local.get $least) (local.get $ones)))
endless loop|loop|out of fuel|(loop $l (br $l))
long block without fuel|if|out of fuel|(loop $l (if (i32.eqz (local.get $zero)) (then (global.set $sum (i32.add (global.get $sum) (i32.const 3))))) (br $l))
CASES
}

# told TIER FUEL: what running it says
told() {
  "$s3n" compile --fuel --tier "$1" "$scratch/m.wasm" -o "$scratch/m.image" >/dev/null 2>&1 || return 1
  "$s3n" run --backend "$backend" --fuel "$2" --usage "$scratch/m.image" 2>&1 |
    sed 's/s3n: used .*, \([0-9]* units\)/\1/'
}

while IFS='|' read -r name instruction message code; do
  printf '%s %s %s' "$head" "$code" "$tail" >"$scratch/m.wat"
  if ! wat2wasm "$scratch/m.wat" -o "$scratch/m.wasm" 2>"$scratch/errors"; then
    fail "$name" "$(head -n 2 "$scratch/errors")"
    continue
  fi
  fuel=1000000
  [ "$message" != "call stack exhausted" ] || fuel=1000000000
  told baseline $fuel >"$scratch/baseline"
  told optimised $fuel >"$scratch/optimised"
  [ "$instruction" != - ] || sed -i '/units/d' "$scratch/baseline" "$scratch/optimised" # its depth is the tier's
  offset=$(sed -n "s/.*trap: $message in wasm function 2 at offset 0x\([0-9a-f]*\).*/\1/p" "$scratch/optimised")
  at=$(wasm-objdump -d "$scratch/m.wasm" | sed -n "s/^ *0*$offset: [^|]*| *\([^ ]*\).*/\1/p")
  if [ -z "$offset" ] || ! cmp -s "$scratch/baseline" "$scratch/optimised"; then
    fail "$name" "$(cat "$scratch/baseline" "$scratch/optimised" | tr '\n' ' ')"
  elif [ "$instruction" != - ] && [ "$at" != "$instruction" ]; then
    fail "$name" "offset 0x$offset is of ${at:-nothing}"
  else
    pass "$name"
  fi
done < <(cases)

# --- behind a million tail calls, each in its tier or across: the same place, the same count
cat >"$scratch/tail.wat" <<'WAT'
(module (memory 1)
  (func $a (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.load (i32.const -4)))))
    (return_call $b (i64.const 1) (i32.sub (local.get $n) (i32.const 1))))
  (func $b (param i64) (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (i32.store (i32.const -4) (i32.const 1))))
    (return_call $a (i32.sub (local.get $n) (i32.const 1))))
  (func (export "_start") (drop (call $a (i32.const LENGTH)))))
WAT
# of LENGTH OPTIONS...: what running it says
of() {
  sed "s/LENGTH/$1/" "$scratch/tail.wat" >"$scratch/m.wat"
  shift
  wat2wasm --enable-tail-call "$scratch/m.wat" -o "$scratch/m.wasm" &&
    "$S3N_BUILD/bin/s3n-optimise" --fuel "$@" <"$scratch/m.wasm" >"$scratch/m.image" &&
    "$S3N_BUILD/bin/slipstream" --run --backend "$backend" --fuel 1000000000 --usage --image-fd 3 -- m 3<"$scratch/m.image" 2>&1 |
    sed 's/s3n: used .*, \([0-9]* units\)/\1/'
}
for length in 1000000 1000001; do
  of $length --tier baseline >"$scratch/baseline"
  grep -q 'out of bounds memory access in wasm function [01] at offset' "$scratch/baseline" && grep -q units "$scratch/baseline" &&
    pass "$length tail calls" || fail "$length tail calls" "$(cat "$scratch/baseline")"
  for functions in 0-2 0 1 2 0,2 1-2; do
    of $length --tier optimised --functions $functions >"$scratch/optimised"
    cmp -s "$scratch/baseline" "$scratch/optimised" && pass "$length tail calls, optimised $functions" ||
      fail "$length tail calls, optimised $functions" "$(cat "$scratch/optimised" | tr '\n' ' ')"
  done
done
finish
