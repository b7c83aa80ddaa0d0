#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Requests sealed to a node's keyset, end to end: the command line, the JavaScript module, and what must be refused.
set -u
. "$(dirname "$0")/../e2e/node.bash"
require_node sealed
here=$S3N_SOURCE/tests/sealed
canary=canary-$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')

cat >"$scratch/s3nd.toml" <<'TOML'
[access]
origins = ["https://app.example.com"]
hosts = ["127.0.0.1", "functions.example"]
TOML
node_start --config "$scratch/s3nd.toml" || { fail "the node starts"; finish; }
claim || { fail "claim"; finish; }
application open echo
application closed echo
sed -i 's|^route = "/run"|route = "/run"\nsealed = "required"|' "$scratch/closed/s3n.toml"
deploy open && deploy closed || { fail "deploy"; finish; }
is "a sealed call" "$(invoke open --seal -d "$canary")" "$canary"
is "and its receipt says so" "$(invoke open --seal --json -d x | python3 -c 'import json,sys; print(json.load(sys.stdin)["sealed"])')" True
is "a plain receipt doesn't" "$(invoke open --json -d x | python3 -c 'import json,sys; print(json.load(sys.stdin)["sealed"])')" False
is "a function that must be sealed" "$(invoke closed --seal -d "$canary")" "$canary"
has "is not called in the clear" "$(invoke closed -d x 2>&1)" "sealed requests only"
is "nor by its route" "$(fetch -o "$scratch/said" -w '%{http_code}' -d x "$url/a/closed/run")" 403
has "with a clear code" "$(cat "$scratch/said")" '"code":"denied"'
invoke open --seal -d x --receipt "$scratch/receipt" >/dev/null && timeout 90 s3n verify "$scratch/receipt" --trust-simulated >/dev/null 2>&1 &&
  pass "its receipt verifies" || fail "its receipt verifies"
head -c 200000 /dev/urandom >"$scratch/large"
invoke open --seal -d "@$scratch/large" >"$scratch/back" && cmp -s "$scratch/large" "$scratch/back" && pass "200,000 bytes" || fail "200,000 bytes"
has "a function that does not exist, told inside" "$(timeout 90 s3n invoke open/none --seal -d x 2>&1)" "no function"
is "the key" "$(fetch "$url/.well-known/ohttp-gateway" | wc -c)" 51

# --- pages of other origins
page() { fetch -o "$scratch/page" -D "$scratch/fields" -w '%{http_code}' -H "origin: ${origin:-https://app.example.com}" "$@"; }
said() { grep -i "^$1:" "$scratch/fields" | tr -d '\r' | cut -d' ' -f2-; }
gateway=$url/.well-known/ohttp-gateway
asks=(-X OPTIONS -H 'access-control-request-method: POST' -H 'access-control-request-headers: content-type')
is "a page may post sealed requests" "$(page "${asks[@]}" "$gateway") $(said access-control-allow-origin) $(said access-control-allow-methods)" "204 https://app.example.com POST"
has "with their type" "$(said access-control-allow-headers)" content-type
is "another page may not" "$(origin=https://evil.example page "${asks[@]}" "$gateway") $(said access-control-allow-origin)" "403 "
is "nor with another field" "$(page "${asks[@]}" -H 'access-control-request-headers: authorization' "$gateway")" 403
is "a page reads refusals" "$(page -d x "$gateway") $(said access-control-allow-origin)" "415 https://app.example.com"
is "another page does not" "$(origin=https://evil.example page -d x "$gateway") $(said access-control-allow-origin)" "415 "
is "a page fetches evidence" "$(page "$url/.well-known/s3n/attestation?nonce=$(printf %064d 1)") $(said access-control-allow-origin)" "200 https://app.example.com"
is "caches keep one for each" "$(said vary)" origin
is "a page asks nothing that needs a key" "$(page -X OPTIONS -H 'access-control-request-method: GET' "$url/v1/applications") $(said access-control-allow-origin)" "405 "
is "a body of another type" "$(fetch -o /dev/null -w '%{http_code}' -d x "$url/.well-known/ohttp-gateway")" 415

command -v node >/dev/null || { skip "the JavaScript module" "there is no node"; finish; }
if ! node "$here/vectors.mjs" >"$scratch/vectors"; then fail "vectors" "$(tail -3 "$scratch/vectors")"; else pass "the module on RFC 9458's example"; fi
while IFS= read -r line; do
  case $line in
    ok*) pass "${line#ok    }" ;;
    FAIL*) fail "${line#FAIL  }" ;;
  esac
done < <(NODE_EXTRA_CA_CERTS="$data/tls.crt" timeout 60 node "$here/client.mjs" "$url" "$canary" 2>&1 || echo "FAIL  the client ends")
! grep -rqa "$canary" "$scratch/node.log" && pass "nothing sealed is in the log" || fail "nothing sealed is in the log"
node_stop
node_again && has "a request to the keyset from before" "$(NODE_EXTRA_CA_CERTS="$data/tls.crt" timeout 60 node "$here/client.mjs" "$url" "$canary" stale "$scratch/keyset" 2>&1)" \
  "ok    stale" || fail "restart"
finish
