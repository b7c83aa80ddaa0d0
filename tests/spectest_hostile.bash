#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile input for spectest: its JSON and module files are outside data.  Whatever they hold, it reports and
# ends with exit status 0 or 1; it never dies by a signal, never hangs, never reads elsewhere.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
backend=${S3N_BACKEND:-kvm}
spectest=$S3N_BUILD/bin/spectest
passed=0 failed=0

skip_all() {
  echo "skip  spectest-hostile: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
command -v wast2json >/dev/null || skip_all "no wast2json (package wabt)"
[ "$backend" != kvm ] || [ -w /dev/kvm ] || skip_all "/dev/kvm can't be opened here"
[ -x "$spectest" ] || skip_all "spectest is not built"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

result() { # result OK NAME
  if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL  $2"; fi
}
# refuses NAME TEXT: the file x.json is reported with these words, and counts as a failure.
refuses() {
  timeout 60 "$spectest" --backend "$backend" x.json >out 2>&1
  local status=$?
  [ "$status" -eq 1 ] && grep -qF -- "$2" out && tail -n 1 out | grep -q ', [1-9][0-9]* failed,'
  result $? "$1: exit status $status, $(tail -n 2 out | tr '\n' ' ')"
}
# json TEXT: writes a file with this one command.
json() { printf '{"source_filename":"x.wast","commands":[%s]}' "$1" >x.json; }

cat >m.wast <<'W'
(module $M (memory (export "m") 1) (global (export "g") i32 (i32.const 5))
  (func (export "id") (param i32) (result i32) (local.get 0)))
(register "M" $M)
(module $N (import "M" "id" (func $id (param i32) (result i32)))
  (func (export "id") (param i32) (result i32) (call $id (local.get 0))))
(assert_return (invoke $N "id" (i32.const 7)) (i32.const 7))
(assert_return (get $M "g") (i32.const 5))
(assert_trap (invoke $N "id" (i32.const 7)) "unreachable")
W
wast2json m.wast -o m.json || exit 1
module='{"type":"module","line":1,"filename":"m.0.wasm"}'

printf '' >x.json; refuses "an empty file" "line 1"
printf '\0\0\0' >x.json; refuses "zeros" "line 1"
printf '{"commands":' >x.json; refuses "half an object" "line 1"
printf '[]' >x.json; refuses "an array" "no commands"
printf '{"commands":7}' >x.json; refuses "commands that are a number" "no commands"
printf '%0200000d' 0 | tr 0 '[' >x.json; refuses "depth" "line 1"
printf '\xff\xfe{"commands":[]}' >x.json; refuses "not UTF-8" "line 1"
rm -f x.json; mkdir x.json; refuses "a folder" "x.json"; rmdir x.json
refuses "no file" "x.json"
json '7'; refuses "a number as command" "a known command"
json '{"type":"explode","line":1}'; refuses "an unknown command" "a known command"
json '{"type":"module","line":1}'; refuses "a module without a file" "beside their file"
json '{"type":"module","line":1,"filename":"/etc/passwd"}'; refuses "an absolute path" "beside their file"
json '{"type":"module","line":1,"filename":"../m.0.wasm"}'; refuses "a path upwards" "beside their file"
json '{"type":"module","line":1,"filename":".."}'; refuses "the folder above" "beside their file"
json '{"type":"module","line":1,"filename":"none.wasm"}'; refuses "no module file" "none.wasm"
json "{\"type\":\"module\",\"line\":1,\"filename\":\"$(printf '%05000d' 0)\"}"
refuses "a long file name" "too long"
json '{"type":"assert_return","line":1,"action":{"type":"invoke","field":"id","args":[]},"expected":[]}'
refuses "an action before any module" "an instance to act on"
for action in '"type":"invoke","field":"none","args":[]' '"type":"invoke","field":"id","args":[]' \
  '"type":"invoke","field":"id","args":[{"type":"i32","value":"4294967296"}]' \
  '"type":"invoke","field":"id","args":[{"type":"i32","value":"-1"}]' \
  '"type":"invoke","field":"id","args":[{"type":"i9","value":"1"}]' \
  '"type":"invoke","field":"id","args":[{"type":"v128","lane_type":"i8","value":["1"]}]' \
  '"type":"invoke","field":"id","args":[{"type":"funcref","value":"3"}]' \
  "\"type\":\"invoke\",\"field\":\"id\",\"args\":[$(printf '{"type":"i32","value":"1"},%.0s' {1..200}){}]" \
  '"type":"get","field":"m"' '"type":"jump","field":"id"'; do
  json "$module,{\"type\":\"assert_return\",\"line\":1,\"action\":{$action},\"expected\":[]}"
  refuses "action ${action:0:60}" "an action"
done
id='"action":{"type":"invoke","field":"id","args":[{"type":"i32","value":"1"}]}'
for expected in '{"type":"i32","value":"2"}' '{"type":"i32"}' '{"type":"v128","lane_type":"i32","value":["1","0","0","0"]}' \
  '{"type":"i32","value":"1"},{"type":"i32","value":"1"}' '{"type":"q","value":"1"}' ''; do
  json "$module,{\"type\":\"assert_return\",\"line\":1,$id,\"expected\":[$expected]}"
  refuses "expected ${expected:0:60}" "expected"
done
json "{\"type\":\"register\",\"line\":1,\"as\":\"x\"}"; refuses "nothing to register" "to register"
json "$module,{\"type\":\"register\",\"line\":1,\"name\":\"\$none\",\"as\":\"x\"}"
refuses "an unknown name to register" "to register"
json "$module,{\"type\":\"assert_trap\",\"line\":1,$id,\"text\":\"\"}"; refuses "a trap without words" "no trap"
head -c 20 m.0.wasm >short.wasm
json '{"type":"module","line":1,"filename":"short.wasm"}'; refuses "half a module" "an instance"

# Every truncation and 1000 changes of a file that works: reported, never a crash.
size=$(stat -c %s m.json)
python3 - "$size" <<'P'
import random
random.seed(7)
text = open('m.json', 'rb').read()
for i in range(0, len(text), 7):
    open(f'cut{i}.json', 'wb').write(text[:i])
for i in range(1000):
    changed = bytearray(text)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] = random.choice(b'"{}[],:0123456789\\x\x00\xffaimv-')
    open(f'flip{i}.json', 'wb').write(changed)
P
timeout 300 "$spectest" --backend "$backend" cut*.json flip*.json >out 2>&1
status=$?
files=$(ls cut*.json flip*.json | wc -l)
[ "$status" -eq 1 ] && [ "$(grep -cE '^[^ ]+\.json: [0-9]+ passed, ' out)" -eq "$files" ]
result $? "changed files: exit status $status, $(tail -n 1 out)"
timeout 60 "$spectest" --backend "$backend" --json m.json flip1.json >out 2>&1
[ $? -eq 1 ] && python3 -c 'import json; r = json.load(open("out")); f = r["files"][0]
assert f["passed"] == 4 and f["failed"] == 1 and f["failures"][0]["got"] == "no trap", r'
result $? "--json says what the text says: $(head -c 300 out)"
timeout 90 "$spectest" --help | grep -q -- --tier
result $? "--help"
timeout 90 "$spectest" --tier none m.json >out 2>&1
[ $? -ne 0 ] && grep -q 'no tier "none"' out
result $? "an unknown tier: $(cat out)"
timeout 90 "$spectest" --backend none m.json >out 2>&1
[ $? -ne 0 ] && grep -q 'backend' out
result $? "an unknown backend: $(cat out)"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
