#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every limit of a function at its edge: what just fits is answered, one more is refused with its reason.
set -u
. "$(dirname "$0")/node.bash"
require_node limits
for tool in clang-19 wasm-ld-19 python3; do
  command -v $tool >/dev/null || skip_all limits "no $tool"
done
modules=$scratch/modules
mkdir -p "$modules"
clang-19 --target=wasm32-wasi -O1 -mbulk-memory -o "$modules/spend.wasm" "$S3N_SOURCE/tests/programs/spend.c" ||
  { fail "compile spend.c"; finish; }
printf '[limits]\ninput_kib = 64\nblob_kib = 1024\n' >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" && claim || { fail "start"; finish; }

# limit APP LINE: an application with that line
limit() { application "$1" spend "$2" && deploy "$1" || fail "deploy $1"; }
# spend APP WHAT AMOUNT: status, then the first line of the answer
spend() {
  local status
  status=$(printf '%s %s' "$2" "$3" | fetch --data-binary @- -o "$scratch/body" -w '%{http_code}' "$url/a/$1/run")
  echo "$status $(tr -d '\0' <"$scratch/body" | head -c 300 | head -n 1)"
}

limit output 'limits = { output_kib = 4 }'
is "4 KiB of output fit" "$(spend output output 4096 | cut -d' ' -f1)" 200
is "all of them come" "$(wc -c <"$scratch/body")" 4096
answer=$(spend output output 8193)
has "more do not" "$answer" '507 {"error":{"code":"limit"'
has "and the key is named" "$answer" limits.output_kib

limit log 'limits = { log_kib = 4 }'
is "4 KiB of standard error fit" "$(spend log log 4096 | cut -d' ' -f1)" 200
answer=$(spend log log 8193)
has "more do not" "$answer" '507 {"error":{"code":"limit"'
has "and the key is named" "$answer" limits.log_kib

limit memory 'limits = { memory_mib = 3 }'
is "48 pages are 3 MiB" "$(spend memory memory 48)" "200 ok"
is "49 are refused to the program" "$(spend memory memory 49)" "200 refused"
answer=$(application memory spend 'limits = { memory_mib = 3 }' && cp "$modules/spend.wasm" "$scratch/memory/module.wasm" &&
  python3 - "$scratch/memory/module.wasm" <<'PY'
import sys
# The memory section's minimum of 2 pages (05 03 01 00 02) becomes 64 pages.
path = sys.argv[1]
data = open(path, "rb").read()
assert data.count(b"\x05\x03\x01\x00\x02") == 1
open(path, "wb").write(data.replace(b"\x05\x03\x01\x00\x02", b"\x05\x03\x01\x00\x40"))
PY
  deploy memory 2>&1; spend memory memory 0)
has "more than that from the start can't be deployed or run" "$answer" limit

limit stack 'limits = { stack_kib = 64 }'
is "1000 levels fit 64 KiB" "$(spend stack stack 1000)" "200 500"
has "a thousand times as many do not" "$(spend stack stack 1000000)" '500 {"error":{"code":"trapped","message":"trap: call stack exhausted'

limit calls 'limits = { host_calls = 20 }'
is "20 host calls fit" "$(spend calls calls 20)" "200 ok"
answer=$(spend calls calls 21)
has "21 do not" "$answer" '507 {"error":{"code":"limit"'
has "and the key is named" "$answer" limits.host_calls

limit time 'limits = { timeout_ms = 300 }'
has "an endless loop" "$(spend time time 0)" '504 {"error":{"code":"timeout"'

limit fuel 'metering = "fuel"
limits = { fuel = 1000000 }'
is "little fits a million of fuel" "$(spend fuel loop 1000)" "200 ok"
has "much does not" "$(spend fuel loop 10000000)" '500 {"error":{"code":"trapped","message":"trap: out of fuel'
# used AMOUNT: the fuel that the receipt claims
used() {
  printf 'loop %s' "$1" | fetch --data-binary @- -o /dev/null -D "$scratch/head" "$url/a/fuel/run"
  sed -n 's/^s3n-receipt: //pI' "$scratch/head" | python3 -c 'import base64, json, sys
claims = sys.stdin.read().strip().split(".")[1]
print(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["usage"].get("fuel"))'
}
first=$(used 1000)
is "receipts claim the same count every time" "$(used 1000)" "$first"
is "and more for more" "$(($(used 2000) > first && first > 1000))" 1
is "all of it when it ran out" "$(used 10000000)" 1000000

head -c 65536 /dev/zero >"$scratch/fits"
head -c 65537 /dev/zero >"$scratch/large"
is "an input of the node's limit" "$(fetch --data-binary "@$scratch/fits" -o /dev/null -w '%{http_code}' "$url/a/output/run")" 500
is "one byte more" "$(fetch --data-binary "@$scratch/large" -o /dev/null -w '%{http_code}' "$url/a/output/run")" 413

# --- modules: a custom section makes any size
# padded SIZE: a module of exactly that many bytes
padded() {
  python3 - "$scratch/modules/spend.wasm" "$1" >"$scratch/padded.wasm" <<'PY'
import sys
module, size = open(sys.argv[1], "rb").read(), int(sys.argv[2])
left = size - len(module) - 1 - 5  # id, a length of five bytes
length = bytes([left & 127 | 128, left >> 7 & 127 | 128, left >> 14 & 127 | 128, left >> 21 & 127 | 128, left >> 28 & 127])
sys.stdout.buffer.write(module + b"\0" + length + b"\x01p" + bytes(left - 2))
PY
}
padded 1048576
modules=$scratch
application size padded
deploy size
is "a module of the node's limit" $? 0
padded 1048577
application size padded
message=$(deploy size 2>&1)
is "one byte more" $? 9
has "says so" "$message" 1048576

# --- the compiler's own limits
# refused NAME TEXT OPTIONS...: s3n-compile does not make it
refused() {
  local name=$1 text=$2 message status
  shift 2
  message=$(timeout 60 s3n-compile "$@" <"$scratch/big.wasm" 2>&1 >/dev/null)
  status=$?
  [ $status != 0 ] && [ $status != 124 ] && pass "$name" || fail "$name" "exit code $status"
  [[ -z $text || $message == *"$text"* ]] && pass "$name: says so" || fail "$name: says so" "$message"
}
python3 - >"$scratch/big.wasm" <<'PY'
import sys
def leb(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def section(number, content):
    return bytes([number]) + leb(len(content)) + content
count = 20000
body = b"\0" + b"\x20\0\x20\0\x6a\x20\0\x6c\x1a" * 40 + b"\x20\0\x0b"
code = leb(len(body)) + body
sys.stdout.buffer.write(b"\0asm\x01\0\0\0" + section(1, b"\x01\x60\x01\x7f\x01\x7f") + section(3, leb(count) + b"\0" * count) +
                        section(10, leb(count) + code * count))
PY
timeout 60 s3n-compile <"$scratch/big.wasm" >/dev/null
is "a large module compiles" $? 0
refused "within 1 MiB of image it does not" limit --output-mib 1
refused "within 24 MiB of memory it does not" "" --memory-mib 24
node_stop
is "stop" $? 0
finish
