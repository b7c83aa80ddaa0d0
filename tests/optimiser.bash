#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The optimising compiler as a program: its options, and the same image however many processes work on it.
set -u
. "$(dirname "$0")/cases.bash"
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
optimise=$S3N_BUILD/bin/s3n-optimise
[ -x "$optimise" ] || skip_all optimiser "this build has no LLVM"
command -v wat2wasm >/dev/null || skip_all optimiser "no wat2wasm (package wabt)"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Some parts of 64 KiB.
python3 - >"$scratch/large.wat" <<'PY'
print("(module (memory 1)")
for i in range(300):
    steps = "".join(f"(local.set $x (i32.add (i32.load (i32.and (local.get $x) (i32.const 65532))) (i32.const {i + k})))" for k in range(60))
    print(f"(func $f{i} (param $x i32) (result i32) {steps} {f'(call $f{i - 1} (local.get $x))' if i else '(local.get $x)'})")
print('(func (export "_start") (drop (call $f299 (i32.const 1)))))')
PY
wat2wasm "$scratch/large.wat" -o "$scratch/large.wasm" || { fail "assemble"; finish; }

# refused PROGRAM STATUS TEXT OPTIONS...
refused() {
  local program=$1 wanted=$2 text=$3 status
  shift 3
  timeout 90 "$S3N_BUILD/bin/$program" "$@" <"$scratch/large.wasm" >"$scratch/out" 2>"$scratch/errors"
  status=$?
  if [ "$status" = "$wanted" ] && [ ! -s "$scratch/out" ] && grep -qF "$text" "$scratch/errors"; then
    pass "$program $*"
  else
    fail "$program $*" "status $status, $(wc -c <"$scratch/out") bytes; $(head -n 2 "$scratch/errors" | tr '\n' ' ')"
  fi
}
for program in s3n-compile s3n-optimise; do
  for name in fast magic Optimised optimised2 ''; do
    refused $program 2 "no tier is called $name" --tier "$name"
  done
done
for list in x 1- 3-1 1, 99999999999; do
  refused s3n-optimise 2 'not a list like' --tier optimised --functions "$list"
done

for workers in 1 2 3 7; do
  timeout 120 "$optimise" --tier optimised --workers $workers <"$scratch/large.wasm" >"$scratch/image.$workers" 2>"$scratch/errors" ||
    fail "$workers workers" "$(cat "$scratch/errors")"
  cmp -s "$scratch/image.1" "$scratch/image.$workers" && pass "the image of $workers workers" || fail "the image of $workers workers"
done
timeout 120 "$optimise" --tier optimised <"$scratch/large.wasm" >"$scratch/image" 2>"$scratch/errors"
cmp -s "$scratch/image.1" "$scratch/image" && pass "the image of as many as there are processors" || fail "as many as processors"
timeout 120 "$optimise" --tier baseline <"$scratch/large.wasm" >"$scratch/baseline"
cmp -s "$scratch/image" "$scratch/baseline" && fail "not the baseline's" || pass "not the baseline's"
finish
