#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What runs long is optimised in the background and swapped in under load: no answer is lost, none differs.
set -u
. "$(dirname "$0")/node.bash"
require_node optimise
[ -x "$S3N_BUILD/bin/s3n-optimise" ] || skip_all optimise "built without LLVM"
for tool in clang-19 wasm-ld-19 python3; do
  command -v $tool >/dev/null || skip_all optimise "no $tool"
done
modules=$scratch/modules
mkdir -p "$modules"
clang-19 --target=wasm32-wasi -O2 -o "$modules/grind.wasm" "$S3N_SOURCE/tests/programs/grind.c" ||
  { fail "compile grind.c"; finish; }
# The same, too large to be optimised whole: functions that nobody calls.
python3 - "$modules/grind.wasm" "$modules/large.wasm" <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
def leb(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def read(at):
    value = shift = 0
    while True:
        value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at
more, body = 3000, b"\0" + b"\x41\x01\x1a" * 12 + b"\x0b"
out, at = data[:8], 8
while at < len(data):
    number, (size, start) = data[at], read(at + 1)
    content = data[start:start + size]
    if number == 1:  # types: () -> () first of all that are new
        count, first = read(start)
        kind = count
        content = leb(count + 1) + data[first:start + size] + b"\x60\0\0"
    elif number in (3, 10):
        count, first = read(start)
        row = leb(kind) if number == 3 else leb(len(body)) + body
        content = leb(count + more) + data[first:start + size] + row * more
    if number != 0:
        out += bytes([number]) + leb(len(content)) + content
    at = start + size
open(sys.argv[2], "wb").write(out)
PY
tier() { timeout 90 s3n ls --json | json_field "$1"; }
# tier_of APP
tier_of() {
  timeout 90 s3n ls --json | python3 -c '
import json, sys
for application in json.load(sys.stdin)["applications"]:
    if application["application"] == sys.argv[1]:
        print(application["functions"][0]["tier"])' "$1"
}
# load APP COUNT: requests one after the other; prints each different answer once
load() {
  for ((i = 0; i < $2; i++)); do
    printf 'the same input' | fetch --data-binary @- -w ' %{http_code}\n' "$url/a/$1/run" | tr '\n' ' '
    echo
  done | sort | uniq
}

node_start && claim || { fail "start"; finish; }
application small grind
application large large
deploy small && deploy large || fail "deploy"
is "it begins with the baseline" "$(tier_of small)" baseline
expected=$(printf 'the same input' | timeout 90 s3n run "$modules/grind.wasm")
for name in small large; do
  # Two clients all the time, until it was swapped and for a while after it.
  for client in 1 2; do
    (
      deadline=$((SECONDS + 300))
      while [ $SECONDS -lt $deadline ] && ! [ -e "$scratch/$name.done" ]; do load $name 20; done >"$scratch/$name.$client"
    ) &
    clients[client]=$!
  done
  swapped() { [ "$(tier_of $name)" = optimised ]; }
  until_true 300 swapped
  is "$name: optimised" "$(tier_of $name)" optimised
  load $name 20 >"$scratch/$name.after"
  touch "$scratch/$name.done"
  wait "${clients[@]}"
  is "$name: every answer, before, meanwhile and after" "$(sort "$scratch/$name".[12a]* | uniq)" "$expected  200 "
done
invoke small --data 'the same input' --receipt "$scratch/receipt.json" >"$scratch/answer"
is "with a receipt" "$(cat "$scratch/answer")" "$expected"
timeout 90 s3n -q verify "$scratch/receipt.json" --trust-simulated >/dev/null
is "that verifies" $? 0
node_stop
is "stop" $? 0
grep -q 'event=optimised application=large' "$scratch/node.log" && pass "the log tells" || fail "the log tells"

# --- after a restart it is still there; and without the optimiser nothing is optimised
node_again && login || fail "restart"
is "kept over a restart" "$(tier_of small)" optimised
is "and right" "$(load small 3)" "$expected  200 "
node_stop
printf 'optimiser = "off"\n' >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" && login || fail "restart"
sed -i 's/1.0.0/1.0.1/' "$scratch/large/s3n.toml"
cat "$modules/grind.wasm" >"$scratch/other.wasm"
modules=$scratch
printf '\0\x02\x01x' >>"$scratch/other.wasm" # a custom section: another module, another image
application other other
deploy other || fail "deploy without the optimiser"
is "answers" "$(load other 150)" "$expected  200 "
is "by the baseline alone" "$(tier_of other)" baseline
grep -q 'event=optimising application=other' "$scratch/node.log" && fail "nothing is asked for" || pass "nothing is asked for"
node_stop
is "stop" $? 0
finish
