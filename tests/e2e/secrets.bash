#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An application's secrets: sealed on the owner's side, released to functions that may have them, rotated, removed, and
# what does not work with them.
set -u
. "$(dirname "$0")/node.bash"
require_node secrets
node_start || { fail "start"; finish; }
claim || fail "claim"

# holder NAME [LINES]: an application whose one function asks for secrets
holder() {
  mkdir -p "$scratch/$1"
  cp "$modules/custody.wasm" "$scratch/$1/f"
  cat >"$scratch/$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
version = "${3:-1.0.0}"
[function.f]
source = "f"
abi = "reactor"
limits = { memory_mib = 16, timeout_ms = 60000 }
${2:-}
[[trigger.http]]
route = "/:what"
function = "f"
TOML
  deploy "$1"
}
secret() { timeout 90 s3n -q secret "$@"; }
ask() { timeout 90 curl -sk --data-binary "$3" "$url/a/$1/$2"; }
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }

holder shop 'permissions.secrets = ["API_KEY", "OTHER"]' && holder plain && holder twin 'permissions.secrets = ["API_KEY"]' || fail "deploy"

# --- set, get, ls
has "before it is set" "$(ask shop secret API_KEY)" "-4 there is no secret"
printf 'correct horse' | secret set shop API_KEY && pass "set: stdin" || fail "set: stdin"
is "get" "$(ask shop secret API_KEY)" "correct horse"
is "get: by its version" "$(ask shop secret 'API_KEY 1')" "correct horse"
has "get: a version that is not there" "$(ask shop secret 'API_KEY 2')" "-4 there is no version 2 of secret"
has "another application of the same owner has its own" "$(ask twin secret API_KEY)" "-4 there is no secret"
is "a secret without permission" "$(ask plain secret API_KEY)" \
  "-3 no permission for secret 'API_KEY': add \`permissions.secrets = [\"API_KEY\"]\` to [function.f] in s3n.toml"
head -c 65536 /dev/urandom >"$scratch/value"
secret set shop OTHER --file "$scratch/value" && pass "set: a file, binary, the largest" || fail "set: a file"
ask shop secret OTHER >"$scratch/back"
cmp -s "$scratch/value" "$scratch/back" && pass "get: byte for byte" || fail "get: byte for byte"
printf x >>"$scratch/value"
is "set: one byte too much" "$(code secret set shop OTHER --file "$scratch/value")" 9
is "set: empty" "$(: | code secret set shop OTHER)" 3
is "set: no name" "$(printf x | code secret set shop '')" 3
is "set: a name that is none" "$(printf x | code secret set shop 'a/b')" 3
is "set: invalid UTF-8 in a name" "$(printf x | code secret set shop $'\xff')" 3
is "set: never as an argument" "$(printf x | code secret set shop API_KEY value)" 2
is "set: an unknown application" "$(printf x | code secret set nobody API_KEY)" 5
is "ls" "$(secret ls shop | sed 's/  set .*//' | tr -s ' ' | tr '\n' ';')" "API_KEY 1 13 bytes;OTHER 1 65536 bytes;"
has "the function's answer is as before" "$(ask shop size OTHER)" 65536

# --- what a receipt says
claims=$(timeout 90 curl -sk -D - -o /dev/null --data-binary API_KEY "$url/a/shop/secret" | tr -d '\r' | sed -n 's/^s3n-receipt: //p' | python3 -c '
import base64, json, sys
part = sys.stdin.read().split(".")[1]
print(json.dumps(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get("uses")))')
is "a receipt names the secret and its version, and nothing else" "$claims" '[{"name": "API_KEY:1", "service": "secret"}]'

# --- events and audit
has "the event log has the release" "$(fetch "$url/.well-known/s3n/events" | grep -c '"kind":"key"')" 2

# --- rotation
printf 'battery staple' | secret rotate shop API_KEY --overlap 3600 && pass "rotate" || fail "rotate"
is "rotate: the new one" "$(ask shop secret API_KEY)" "battery staple"
is "rotate: the old one by its version" "$(ask shop secret 'API_KEY 1')" "correct horse"
has "rotate: ls says how long" "$(secret ls shop)" "  until "
printf three | secret rotate shop API_KEY --overlap 2
is "rotate: three versions" "$(ask shop secret 'API_KEY 1')$(ask shop secret 'API_KEY 2')$(ask shop secret API_KEY)" \
  "correct horsebattery staplethree"
gone() { [[ $(ask shop secret 'API_KEY 2') == "-4 "* ]]; }
until_true 10 gone && pass "rotate: it ends" || fail "rotate: it ends"
is "rotate: what has longer stays" "$(ask shop secret 'API_KEY 1')" "correct horse"
is "rotate: nothing there" "$(printf x | code secret rotate shop NONE)" 5
printf four | secret set shop API_KEY
has "set: those before are gone" "$(ask shop secret 'API_KEY 1')" "-4 there is no version 1"
has "history: changes" "$(secret history shop API_KEY | tr -s ' ' | cut -d' ' -f2-4 | head -n 4 | tr '\n' ';')" "set version 1;rotate version 2;rotate version 3;set version 4;"
has "history: releases" "$(secret history shop API_KEY)" "given   version 1  to function f of 1.0.0"
is "history: unknown" "$(code secret history shop NONE)" 5

# --- removed
secret rm shop API_KEY && pass "rm" || fail "rm"
has "rm: gone" "$(ask shop secret API_KEY)" "-4 there is no secret"
is "rm: again" "$(code secret rm shop API_KEY)" 5
is "rm: ls" "$(secret ls shop | cut -d' ' -f1 | tr '\n' ';')" "OTHER;"

# --- a permission taken away by the next version
holder shop 'permissions.secrets = ["API_KEY"]' 1.1.0 || fail "deploy again"
has "a permission taken away" "$(ask shop secret OTHER)" "-3 no permission for secret 'OTHER'"

# --- requests made by hand: replayed, cut, for another keyset, place or version
key=$XDG_CONFIG_HOME/s3n/owner.key
recipient=$(fetch "$url/.well-known/ohttp-gateway" | tail -c +6 | head -c 32 | od -An -v -tx1 | tr -d ' \n')
owner=$(secret ls shop --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["owner"])')
# envelope NAME VERSION VALUE: sealed by code that is not S3N's, as base64
envelope() {
  local info
  info=$(printf 's3n/secret/1\0shop\0%s\0%s\0%s' "$owner" "$1" "$2" | od -An -v -tx1 | tr -d ' \n')
  command node "$here/hpke_seal.mjs" "$recipient" "$info" "" "$(printf %s "$3" | od -An -v -tx1 | tr -d ' \n')" |
    python3 -c 'import base64, sys; parts = sys.stdin.read().rstrip("\n").split(" "); print(base64.b64encode(bytes.fromhex(parts[1] + parts[3])).decode())'
}
# put NAME BODY: the HTTP status; the answer in $scratch/body
put() {
  printf %s "$2" >"$scratch/request"
  "$here/sign.py" "$key" PUT "$url/v1/applications/shop/secrets/$1" --body "$scratch/request" >"$scratch/headers"
  fetch -X PUT -H "@$scratch/headers" --data-binary "@$scratch/request" -o "$scratch/body" -w '%{http_code}' "$url/v1/applications/shop/secrets/$1"
}
body() { printf '{"version":%s,"key":"%s","envelope":"%s"}' "$1" "$2" "$3"; }
if command -v node >/dev/null && [ ${#recipient} = 64 ]; then
  sealed=$(envelope HAND 1 'by hand')
  is "by hand: a changed one" "$(put HAND "$(body 1 "$recipient" "${sealed:0:60}AAAA${sealed:64}")")" 422
  is "by hand: for another name" "$(put HAND2 "$(body 1 "$recipient" "$sealed")")" 422
  is "by hand: for another version" "$(put HAND "$(body 2 "$recipient" "$sealed")")" 422
  is "by hand: cut" "$(put HAND "$(body 1 "$recipient" "${sealed:0:72}")")" 422
  is "by hand: too short" "$(put HAND "$(body 1 "$recipient" "${sealed:0:40}")")" 400
  is "by hand: for a keyset that is over" "$(put HAND "$(body 1 "00${recipient:2}" "$sealed")")" 422
  has "by hand: what helps" "$(cat "$scratch/body")" "ask for evidence again"
  is "by hand: no version" "$(put HAND "{\"key\":\"$recipient\",\"envelope\":\"$sealed\"}")" 400
  is "by hand: version 0" "$(put HAND "$(body 0 "$recipient" "$sealed")")" 400
  is "by hand: an unknown field" "$(put HAND "{\"version\":1,\"key\":\"$recipient\",\"envelope\":\"$sealed\",\"value\":\"x\"}")" 400
  is "by hand: no base64" "$(put HAND "$(body 1 "$recipient" '####')")" 400
  is "by hand: a name that is none" "$(put '.HAND' "$(body 1 "$recipient" "$sealed")")" 400
  is "by hand: too large" "$(put HAND "$(body 1 "$recipient" "$(head -c 99000 /dev/zero | tr '\0' A)")")" 413
  is "by hand" "$(put HAND "$(body 1 "$recipient" "$sealed")")" 201
  is "by hand: replayed" "$(put HAND "$(body 1 "$recipient" "$sealed")")" 409
  secret rm shop HAND
  is "by hand: replayed after it was removed" "$(put HAND "$(body 1 "$recipient" "$sealed")")" 409
else
  skip "by hand" "needs node"
fi
is "without a signature" "$(fetch -o /dev/null -w '%{http_code}' "$url/v1/applications/shop/secrets")" 401
mkdir -p "$scratch/config2"
is "a stranger's key" "$(XDG_CONFIG_HOME=$scratch/config2 timeout 90 s3n -q login "$url" --trust-simulated; XDG_CONFIG_HOME=$scratch/config2 code secret ls shop)" 4

# --- from JavaScript: in Node, and from a page of the application in Chromium
verify=$S3N_BUILD/sdk/verify-js
lines() {
  local line
  while IFS= read -r line; do
    case $line in
      ok*) pass "${line#ok    }" ;;
      *) fail "${line#FAIL  }" ;;
    esac
  done
}
if command -v node >/dev/null && [ -f "$verify/wasm.js" ]; then
  holder page 'permissions.secrets = ["JS", "FROM_BROWSER"]
files = ["public/**"]' && fail "a page without its files" || pass "a page without its files"
  mkdir -p "$scratch/page/public/verify"
  cp "$S3N_SOURCE/tests/sealed/dashboard.html" "$S3N_SOURCE"/sdk/js/*.mjs "$scratch/page/public"
  cp "$verify"/*.js "$scratch/page/public/verify"
  printf '[[trigger.http]]\nroute = "/page/*"\nfunction = "f"\nstatic = "public"\n' >>"$scratch/page/s3n.toml"
  deploy page || fail "deploy a page"
  account=$(timeout 90 s3n owner keys --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["account"])')
  is "the account is the owner of secrets" "$account" "$owner"
  token=$(timeout 90 s3n -q token create --scope read,secrets --application page)
  NODE_EXTRA_CA_CERTS="$data/tls.crt" timeout 60 node "$S3N_SOURCE/tests/sealed/secrets.mjs" "$url" "$verify" "$account" "$token" page >"$scratch/lines" 2>&1 ||
    echo "the module's cases failed" >>"$scratch/lines"
  lines <"$scratch/lines"
  . "$S3N_SOURCE/tests/browser/find.bash"
  if chromium_find; then
    HOME=$scratch timeout 100 node "$S3N_SOURCE/tests/sealed/chromium.mjs" "$playwright" "$chromium" "$url/a/page/page/dashboard.html" \
      "$account" "$token" "swordfish-$RANDOM$RANDOM" >"$scratch/lines" 2>&1 || echo "the page's cases failed" >>"$scratch/lines"
    lines <"$scratch/lines"
  else
    skip "Chromium" "$why"
  fi
else
  skip "JavaScript" "needs node and the built verifier"
fi

# --- kept over a restart of everything, and over a new keyset
printf five | secret set shop API_KEY
kill -9 "$(pgrep -P "$node" -x s3n-keeper | head -n 1)" 2>/dev/null
back() { [ "$(ask shop secret API_KEY)" = five ]; }
until_true 20 back && pass "a killed keeper" || fail "a killed keeper" "$(ask shop secret API_KEY)"
printf six | secret set shop API_KEY && pass "set: to a new keyset, without a login" || fail "set: to a new keyset"
node_stop
node_again || fail "start again"
login
is "a restart" "$(ask shop secret API_KEY)" six
is "a restart: versions go on" "$(secret ls shop --json | python3 -c 'import json,sys; print([s["next"] for s in json.load(sys.stdin)["secrets"]])')" "[7, 2, 2]"

# --- an application that goes for good takes its secrets along; its keys come again with its name
# records PREFIX: how many the store has, in a copy of its files
records() {
  rm -rf "$scratch/copy" && mkdir "$scratch/copy" && cp "$data"/store/store.db* "$scratch/copy"
  python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM record WHERE key LIKE ?", (sys.argv[2] + "%",)).fetchone()[0])' "$scratch/copy/store.db" "$1"
}
values=secret-values/$owner/gone/
holder gone 'permissions.secrets = ["A", "B"]
permissions.keys = ["p256:k", "hkdf:k"]' || fail "deploy gone"
printf old-a | secret set gone A && printf old-b | secret rotate gone A --overlap 3600 2>/dev/null && printf old-c | secret set gone B || fail "set before a purge"
is "purge: what is on the disk before" "$(records "$values")" 3
key_before=$(ask gone public 'k 1')$(ask gone derive 'k 32')
is "deleted: the way back" "$(timeout 90 s3n -q rm gone; timeout 90 s3n -q restore gone; ask gone secret A)" old-b
timeout 90 s3n -q rm gone --purge || fail "purge"
is "purge: nothing is left on the disk" "$(records "$values")" 0
is "purge: others' are" "$(ask shop secret API_KEY)" six
is "purge: nor in the API" "$(code secret ls gone) $(code secret history gone A)" "5 5"
holder gone 'permissions.secrets = ["A", "B"]
permissions.keys = ["p256:k", "hkdf:k"]' || fail "deploy gone again"
for old in A 'A 1' 'A 2' B 'B 1'; do has "the same name again: $old" "$(ask gone secret "$old")" "-4 there is no "; done
is "the same name again: numbers go on" "$(printf new | secret set gone A; secret ls gone | tr -s ' ' | cut -d' ' -f1,2)" "A 3"
is "the same name again has the same keys, as documented" "$(ask gone public 'k 1')$(ask gone derive 'k 32')" "$key_before"
timeout 90 s3n -q rm gone --purge
node_stop
node_again || fail "start after a purge"
login
holder gone 'permissions.secrets = ["A", "B"]'
has "purge: over a restart" "$(ask gone secret A)" "-4 there is no "
finish
