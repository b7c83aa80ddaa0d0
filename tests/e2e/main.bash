#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job: start, log in, claim, deploy, invoke, check receipts, list, delete, stop, start again.
set -u
. "$(dirname "$0")/node.bash"
require_node main
node_start || { fail "start"; finish; }
pass "start"

# --- login
output=$(timeout 90 s3n login "$url" 2>&1)
is "a simulated platform is refused" $? 6
has "and says so" "$output" "SIMULATED"
output=$(login --claim wrong-wrong-wrong-wrong 2>&1)
is "a wrong claim code is refused" $? 4
code=$(cat "$data/claim-code")
is "the claim code is for the operator alone" "$(stat -c %a "$data/claim-code")" 600
claim
is "claim" $? 0
until_true 3 test ! -e "$data/claim-code"
is "the claim code is gone" "$(ls "$data" | grep -c claim)" 0
output=$(XDG_CONFIG_HOME=$scratch/other login --claim "$code" 2>&1)
is "a second claim is refused" $? 4
is "the owner's key is private" "$(stat -c %a "$XDG_CONFIG_HOME/s3n/owner.key")" 600
is "the profile is private" "$(stat -c %a "$XDG_CONFIG_HOME/s3n/profile.json")" 600

# --- deploy
application echo echo 'environment = { COLOUR = "blue" }'
output=$(timeout 60 s3n deploy "$scratch/echo" --json 2>/dev/null)
is "deploy" $? 0
is "deploy tells the code" "$(json_field code_digest <<<"$output")" "$(sha256sum <"$modules/echo.wasm" | cut -c1-64)"
has "deploy tells how long it compiled" "$output" '"compile_ms"'
output=$(timeout 60 s3n deploy "$scratch/echo" 2>&1)
has "a second deploy uploads nothing" "$output" "the node has it"
has "and is the same deployment" "$(timeout 90 s3n ls)" "deployment 1,"

# --- invoke
is "invoke" "$(invoke echo --data hello)" "hello"
is "invoke from a file" "$(printf 'from a file' >"$scratch/in"; invoke echo --data "@$scratch/in")" "from a file"
is "invoke from standard input" "$(printf 'from a pipe' | invoke echo --data -)" "from a pipe"
is "an empty input" "$(invoke echo)" ""
head -c 3000000 /dev/urandom >"$scratch/three"
application big echo 'limits = { output_kib = 4096 }'
deploy big
invoke big --data "@$scratch/three" | cmp -s - "$scratch/three"
is "three megabytes in and out" $? 0
output=$(invoke echo --data hi --json)
is "invoke --json" "$(json_field output <<<"$output")" "hi"
is "the receipt names the backend" "$(json_field backend <<<"$output")" "${S3N_BACKEND:-kvm}"
is "the receipt counts" "$(($(invoke echo --json | json_field sequence) - $(json_field sequence <<<"$output")))" 1
invoke echo --data hello --receipt "$scratch/receipt.json" >"$scratch/answer"
is "a receipt is kept" "$(grep -c s3n_receipt_bundle "$scratch/receipt.json")" 1
if s3n help | grep -q '^  verify'; then
  printf hello >"$scratch/input"
  output=$(timeout 90 s3n verify "$scratch/receipt.json" --input "$scratch/input" --output "$scratch/answer" --trust-simulated 2>&1)
  is "the receipt verifies" $? 0
  has "and says where it ran" "$output" ", backend ${S3N_BACKEND:-kvm}"
  printf hellp >"$scratch/answer"
  timeout 90 s3n verify "$scratch/receipt.json" --output "$scratch/answer" --trust-simulated >/dev/null 2>&1
  is "another answer does not" $? 6
else
  skip "the receipt verifies" "s3n verify is not built"
fi
output=$(invoke nothing 2>&1)
is "an unknown application" $? 5

# --- plain HTTPS
is "route" "$(fetch --data-binary over-http "$url/a/echo/run")" "over-http"
is "route over HTTP/1.1" "$(fetch --http1.1 --data-binary one "$url/a/echo/run")" "one"
is "route without a function" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/echo/nowhere")" 404
sed -i 's|^route = .*|&\nmethods = ["GET", "PUT"]|' "$scratch/echo/s3n.toml"
deploy echo
is "a method that the route does not have" "$(fetch -D "$scratch/head" -o /dev/null -w '%{http_code}' --data-binary x "$url/a/echo/run")" 405
has "says which it has" "$(cat "$scratch/head")" "GET, PUT"
is "a method that it has" "$(fetch -X PUT --data-binary put "$url/a/echo/run")" put
application echo echo 'environment = { COLOUR = "blue" }'
deploy echo
application environment environment 'environment = { COLOUR = "blue" }'
deploy environment
output=$(fetch "$url/a/environment/run?x=1" -H 'X-Test: yes' --data-binary '' | tr '\0' '\n')
has "CGI: method" "$output" "REQUEST_METHOD=POST"
has "CGI: query" "$output" "QUERY_STRING=x=1"
has "CGI: field" "$output" "HTTP_X_TEST=yes"
has "the manifest's variable" "$output" "COLOUR=blue"
has "health" "$(fetch "$url/.well-known/s3n/health")" '"ok"'
has "info names the backend" "$(fetch "$url/.well-known/s3n/info")" "\"backend\":\"${S3N_BACKEND:-kvm}\""
has "info says SIMULATED" "$(fetch "$url/.well-known/s3n/info")" '"simulated":true'
output=$(fetch -D "$scratch/head" "$url/a/echo/run" --data-binary x >/dev/null; tr -d '\r' <"$scratch/head")
id=$(sed -n 's/^s3n-invocation-id: //pI' <<<"$output")
receipt=$(sed -n 's/^s3n-receipt: //pI' <<<"$output")
is "a receipt can be fetched later" "$(fetch "$url/.well-known/s3n/receipts/$id" | json_field receipt)" "$receipt"
is "an unknown receipt" "$(fetch -o /dev/null -w '%{http_code}' "$url/.well-known/s3n/receipts/$(printf 0%.0s {1..32})")" 404
is "evidence wants a nonce" "$(fetch -o /dev/null -w '%{http_code}' "$url/.well-known/s3n/attestation")" 400

# --- admin
is "healthz" "$(curl -sS --max-time 60 "$admin/healthz")" ok
is "readyz" "$(curl -sS --max-time 60 "$admin/readyz")" ready
has "metrics" "$(curl -sS --max-time 60 "$admin/metrics")" ',outcome="done"} '
is "no functions on the admin port" "$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "$admin/v1/applications")" 404

# --- list, delete
output=$(timeout 90 s3n ls)
has "ls" "$output" "echo/f  code sha256:"
timeout 90 s3n -q rm big
is "rm" $? 0
output=$(invoke big --data x 2>&1)
is "a deleted application is gone" $? 5
output=$(timeout 90 s3n rm big 2>&1)
is "rm of what is not there" $? 5

# --- stop, start
timeout 60 s3n -q deploy "$scratch/echo"
fetch --max-time 60 --data-binary last "$url/a/echo/run" >/dev/null
node_stop
is "a graceful stop" $? 0
node_again || fail "start again"
is "functions are there after a restart" "$(invoke echo --data again)" "again"
has "the list too" "$(timeout 90 s3n ls)" "environment/f"
node_stop
is "stop" $? 0
finish
