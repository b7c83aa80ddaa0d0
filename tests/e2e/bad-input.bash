#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad functions, bad manifests, bad requests: a clear error, and the node serves others all the while.
set -u
. "$(dirname "$0")/node.bash"
require_node bad-input
node_start || { fail "start"; finish; }
claim || fail "claim"
for name in echo trap exit hog bomb flood; do
  application "$name" "$name" 'limits = { memory_mib = 16, timeout_ms = 5000, output_kib = 256 }'
  deploy "$name" || fail "deploy $name"
done
application loop loop 'limits = { timeout_ms = 1000, concurrency = 2 }'
deploy loop || fail "deploy loop"

# --- functions that misbehave
# failing NAME STATUS CODE EXIT: the answer over HTTPS, its receipt, and the command line's exit code
failing() {
  local status body
  status=$(fetch -o "$scratch/body" -D "$scratch/head" -w '%{http_code}' --data-binary x "$url/a/$1/run")
  is "$1: HTTP status" "$status" "$2"
  has "$1: code" "$(cat "$scratch/body")" "\"code\":\"$3\""
  is "$1: a receipt records the failure" "$(grep -ci '^s3n-receipt: ' "$scratch/head")" 1
  invoke "$1" --receipt "$scratch/$1.receipt" >"$scratch/out" 2>"$scratch/err"
  is "$1: exit code" $? "$4"
  is "$1: nothing is printed" "$(cat "$scratch/out")" ""
  is "$1: the receipt is kept" "$(grep -c s3n_receipt_bundle "$scratch/$1.receipt")" 1
}
failing trap 500 trapped 1
has "trap: says which" "$(cat "$scratch/err")" "unreachable"
has "trap: and where" "$(cat "$scratch/err")" "1"
failing exit 500 function-failed 1
failing hog 500 trapped 1
failing bomb 500 trapped 1
has "bomb: says why" "$(cat "$scratch/err")" "stack"
failing flood 507 limit 9
fetch --data-binary x "$url/a/loop/run" -o "$scratch/loop.body" -w '%{http_code}' >"$scratch/loop.status" &
busy=$!
served=0
for _ in 1 2 3 4 5; do [ "$(fetch --data-binary served "$url/a/echo/run")" = served ] && served=$((served + 1)); done
is "others are served while one loops" "$served" 5
wait $busy
is "loop: 504" "$(cat "$scratch/loop.status")" 504
has "loop: code" "$(cat "$scratch/loop.body")" '"code":"timeout"'
failing loop 504 timeout 8
application start-loop start-loop 'limits = { timeout_ms = 1500 }'
deploy start-loop >"$scratch/start.out" 2>&1 &
busy=$!
is "others are served while one starts for ever" "$(fetch --data-binary served "$url/a/echo/run")" served
wait $busy
is "a start function that never ends is not deployed" $? 8
has "and the deployment says why" "$(cat "$scratch/start.out")" "initialisation: the function ran out of time"
seq 120 | xargs -P 120 -I{} curl -sS --max-time 60 --cacert "$data/tls.crt" -o /dev/null -D "$scratch/many.{}" --data-binary x "$url/a/loop/run" 2>/dev/null &
flood=$!
until_true 20 grep -lqs '429' "$scratch"/many.*
is "over concurrency and queue: 429" "$(grep -ls ' 429' "$scratch"/many.* | head -c 1 | wc -c)" 1
is "with Retry-After" "$(cat $(grep -ls ' 429' "$scratch"/many.* | head -n 1) | grep -ci '^retry-after:')" 1
kill $flood 2>/dev/null
wait $flood 2>/dev/null

# --- modules and manifests
application rocket import
output=$(timeout 60 s3n deploy "$scratch/rocket" 2>&1)
is "an unknown import" $? 3
has "names the module" "$output" "env"
has "names the field" "$output" "launch_rocket"
has "names the type" "$output" "i64"
application broken echo
head -c 100 "$modules/echo.wasm" >"$scratch/broken/module.wasm"
output=$(timeout 60 s3n deploy "$scratch/broken" 2>&1)
is "a truncated module" $? 3
application entry echo
printf '\0asm\1\0\0\0' >"$scratch/entry/module.wasm"
output=$(timeout 60 s3n deploy "$scratch/entry" 2>&1)
is "a module with nothing to run" $? 3
has "says what it lacks" "$output" "no function _start"
application typo echo 'limitz = { memory_mib = 1 }'
output=$(timeout 60 s3n deploy "$scratch/typo" 2>&1)
is "an unknown key" $? 3
has "file, line, key, nearest" "$output" "typo/s3n.toml:8: function.f.limitz: unknown key; did you mean \`limits\`?"
application later echo 'require = { tee = ["tdx"] }'
output=$(timeout 60 s3n deploy "$scratch/later" 2>&1)
has "a key of a later version" "$output" "not supported yet"
application large echo
head -c $((65 << 20)) /dev/zero >"$scratch/large/module.wasm"
output=$(timeout 60 s3n deploy "$scratch/large" 2>&1)
is "a module over the size limit" $? 9
rm -f "$scratch/large/module.wasm"
has "what was there before still answers" "$(invoke echo --data still)" "still"

# --- requests that the command line would not send
key=$XDG_CONFIG_HOME/s3n/owner.key
printf 'some bytes' >"$scratch/blob"
digest=$(sha256sum <"$scratch/blob" | cut -c1-64)
# signed METHOD PATH FILE [ARGUMENTS of sign.py]: the HTTP status; the answer in $scratch/body
signed() {
  local method=$1 path=$2 file=$3
  shift 3
  "$here/sign.py" "$key" "$method" "$url$path" --body "$file" "$@" >"$scratch/headers"
  fetch -X "$method" -H "@$scratch/headers" --data-binary "@$file" -o "$scratch/body" -w '%{http_code}' "$url$path"
}
is "a signed upload" "$(signed PUT "/v1/blobs/$digest" "$scratch/blob")" 201
is "the same request again" "$(fetch -X PUT -H "@$scratch/headers" --data-binary "@$scratch/blob" -o "$scratch/body" -w '%{http_code}' "$url/v1/blobs/$digest")" 401
is "a stale signature" "$(signed PUT "/v1/blobs/$digest" "$scratch/blob" --age 4000)" 401
is "a signature from the future" "$(signed PUT "/v1/blobs/$digest" "$scratch/blob" --age -4000)" 401
signed PUT "/v1/blobs/$digest" "$scratch/blob" >/dev/null
"$here/sign.py" "$key" PUT "$url/v1/blobs/$digest" --body "$scratch/blob" >"$scratch/headers"
printf 'other bytes' >"$scratch/other"
status=$(fetch -X PUT -H "@$scratch/headers" --data-binary "@$scratch/other" -o "$scratch/body" -w '%{http_code}' "$url/v1/blobs/$digest")
[[ $status == 40[01] ]] && pass "another body than was signed" || fail "another body than was signed" "$status"
wrong=$(printf wrong | sha256sum | cut -c1-64)
is "a blob whose digest differs" "$(signed PUT "/v1/blobs/$wrong" "$scratch/blob")" 400
has "says what it is" "$(cat "$scratch/body")" "$digest"
is "no signature" "$(fetch -X PUT --data-binary @"$scratch/blob" -o /dev/null -w '%{http_code}' "$url/v1/blobs/$digest")" 401
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$scratch/stranger.pem" 2>/dev/null
key=$scratch/stranger.pem
status=$(signed PUT "/v1/blobs/$digest" "$scratch/blob")
[[ $status == 40[13] ]] && pass "an unknown owner" || fail "an unknown owner" "$status"
key=$XDG_CONFIG_HOME/s3n/owner.key
printf '{"application": {}}' >"$scratch/manifest"
is "a manifest that is none" "$(signed PUT /v1/applications/echo "$scratch/manifest")" 400
has "with a code" "$(cat "$scratch/body")" '"code":"invalid"'
head -c 10485760 /dev/zero | tr '\0' ' ' >"$scratch/manifest"
is "a manifest of 10 MiB" "$(signed PUT /v1/applications/echo "$scratch/manifest")" 413
application heavy echo
{ printf '#'; head -c 10485760 /dev/zero | tr '\0' x; printf '\n'; } >>"$scratch/heavy/s3n.toml"
output=$(timeout 60 s3n deploy "$scratch/heavy" 2>&1)
is "an s3n.toml of 10 MiB" $? 9
has "says how large it may be" "$output" "s3n.toml"
rm -f "$scratch/heavy/s3n.toml"
cat >"$scratch/manifest" <<JSON
{"application":{"name":"absent","version":"1.0.0"},"compatibility_date":"2026-11-01","function":{"f":{"abi":"command","clock_resolution":1000000,"code":"$wrong","deterministic":false,"environment":{},"isolation":"batch","kind":"wasm","limits":{"concurrency":8,"host_calls":10000,"log_kib":64,"memory_mib":64,"output_kib":1024,"scratch_kib":16384,"stack_kib":8192,"timeout_ms":10000},"metering":"none","pad_output":"none","pad_time":0,"reuse":"none"}},"s3n_manifest_version":1,"trigger":{"http":[]}}
JSON
truncate -s -1 "$scratch/manifest"
is "a manifest whose module was not uploaded" "$(signed PUT /v1/applications/absent "$scratch/manifest")" 404
has "names the module" "$(cat "$scratch/body")" "$wrong"
has "and says what to do" "$(cat "$scratch/body")" "PUT /v1/blobs"
module=$(sha256sum <"$modules/files.wasm" | cut -c1-64)
signed PUT "/v1/blobs/$module" "$modules/files.wasm" >/dev/null
sed -i "s/\"code\":\"$wrong\"/\"code\":\"$module\"/; s/\"environment\":{},/&\"files\":\"$wrong\",/" "$scratch/manifest"
is "a manifest whose files were not uploaded" "$(signed PUT /v1/applications/absent "$scratch/manifest")" 404
has "names them" "$(cat "$scratch/body")" "its files sha256:$wrong"
sed -i "s/\"files\":\"$wrong\"/\"files\":\"$digest\"/" "$scratch/manifest"
is "files that are no archive" "$(signed PUT /v1/applications/absent "$scratch/manifest")" 400
has "are refused before anybody maps them" "$(cat "$scratch/body")" "not an archive of files"

# --- a client that sends one byte a second
host=${url#https://}
( for char in G E T ' ' / h e a l t h z ; do printf '%s' "$char"; sleep 1; done ) >"/dev/tcp/${host%:*}/${host#*:}" 2>/dev/null &
slow=$!
is "a slow client holds nobody up" "$(fetch --data-binary quick "$url/a/echo/run")" quick
kill $slow 2>/dev/null
wait $slow 2>/dev/null
is "the node is ready" "$(curl -sS --max-time 60 "$admin/readyz")" ready
node_stop
is "stop" $? 0
finish
