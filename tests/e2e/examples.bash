#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The applications of examples/, and the first functions of sdk/: the sessions of their READMEs as they stand there
# (pages.bash), which build with each language's own SDK and deploy to a node, and then what these leave out.
set -u
. "$(dirname "$0")/node.bash"
. "$(dirname "$0")/pages.bash"
unset S3N_API_KEY
require_node examples
# What the oracle asks: files in a folder, on loopback, which a node must allow.
mkdir "$scratch/www"
(cd "$scratch/www" && exec python3 -u -m http.server --bind 127.0.0.1 0) >"$scratch/sources" 2>"$scratch/sources.log" &
sources_pid=$!
until_true 10 grep -q port "$scratch/sources"
sources=$(sed -n 's/.* port \([0-9]*\) .*/http:\/\/127.0.0.1:\1/p' "$scratch/sources" | head -n 1)
# And who says who somebody is.
mkdir "$scratch/issuer"
"$here/issuer.py" key "$scratch/issuer" one || fail "issuer"
"$here/issuer.py" serve "$scratch/issuer" 2>/dev/null &
issuer_pid=$!
until_true 20 test -s "$scratch/issuer/port" || fail "issuer"
issuer=http://127.0.0.1:$(cat "$scratch/issuer/port")
ISSUED=$("$here/issuer.py" token "$scratch/issuer" one "$issuer/good" 'aud="notary"')
printf '[outbound]\nallow_private = ["127.0.0.1/32"]\n[access]\nissuers = ["%s"]\n' "$issuer" >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"
# Builds leave files behind: not in the source tree.
mkdir "$scratch/tree"
cp -r "$S3N_SOURCE/examples" "$S3N_SOURCE/sdk" "$scratch/tree/"
examples=$scratch/tree/examples
cd "$scratch/tree" || exit 1

# example NAME: its README's session, which deploys it; 1: it did not.
example() {
  page "$1" "$examples/$1/README.md"
  timeout 90 s3n ls 2>&1 | grep -q "^\(sealed-\)\?$1 " || { fail "$1: deployed"; return 1; }
}
ask() { timeout 90 curl -sk "$@"; }
code() { ask -o /dev/null -w '%{http_code}' "$@"; }

# batches LANGUAGE COMMAND...: what an SDK makes of lists of calls, without a node and in one; COMMAND builds batches.wasm.
batches() {
  local wanted language=$1 folder=$scratch/tree/examples/batches-$1
  shift
  wanted=$(printf '%s\n' 0 0 "200000 9c1a" "none: there is no such key" "200000 f3c1" 1 0 1 0 1 \
    "Unsupported: there is no call 999 with these arguments" none "65: Invalid")
  mkdir "$folder"
  cp "$S3N_SOURCE"/tests/programs/batches/batches.* "$folder/"
  if ! (cd "$folder" && "$@") >"$scratch/batches.log" 2>&1; then
    fail "batches in $language: build" "$(tail -n 3 "$scratch/batches.log")"
    return
  fi
  is "batches in $language: without a node" "$(timeout 60 s3n -q run "$folder/batches.wasm" </dev/null)" "$wanted"
  mkdir "$scratch/batches-$language"
  cp "$folder/batches.wasm" "$scratch/batches-$language/"
  cat >"$scratch/batches-$language/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "batches-$language"
[function.batches]
source = "batches.wasm"
limits = { memory_mib = 64, timeout_ms = 10000 }
permissions.kv = ["s"]
TOML
  deploy "batches-$language"
  is "batches in $language: in a node" "$(timeout 60 s3n -q invoke "batches-$language/batches" </dev/null)" "$wanted"
}

# --- oracle: Rust, outbound HTTP, state, a key
oracle() {
  local statement
  printf '{"price":"12.5"}' >"$scratch/www/a"
  printf '{"data":{"base":"NEO","amount":"12.7"}}' >"$scratch/www/b"
  python3 - "$examples/oracle/s3n.toml" "$sources" <<'PYTHON'
import re, sys
path, sources = sys.argv[1:]
text = open(path).read()
text = re.sub(r'permissions.http = \[.*?\]', f'permissions.http = ["{sources}"]', text, flags=re.S)
text = re.sub(r'SOURCES = "[^"]*"', f'SOURCES = "{sources}/a?of={{BASE}}{{QUOTE}} price;{sources}/b amount;{sources}/c price"', text)
open(path, "w").write(text)
PYTHON
  printf '{"data":{"price":"12.9"}}' >"$scratch/www/c"
  example oracle || return
  printf '{"data":{"price":"999"}}' >"$scratch/www/c"
  ask "$url/a/oracle/price/neo-usdt" >"$scratch/price"
  has "oracle: the median of three" "$(cat "$scratch/price")" '{"statement":{"pair":"neo-usdt","price":"12.70000000","sources":3,"time_s":'
  statement=$(sed 's/.*"statement":\({[^}]*}\).*/\1/' "$scratch/price")
  ask "$url/a/oracle/key" >"$scratch/key"
  is "oracle: who reads it checks its signature" "$(python3 - "$statement" "$scratch/price" "$scratch/key" <<'PYTHON'
import json, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
key = bytes.fromhex(json.load(open(sys.argv[3]))["public_key"])
made = bytes.fromhex(json.load(open(sys.argv[2]))["signature"])
made = utils.encode_dss_signature(int.from_bytes(made[:32], "big"), int.from_bytes(made[32:], "big"))
ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key).verify(made, sys.argv[1].encode(), ec.ECDSA(hashes.SHA256()))
print("holds")
PYTHON
)" holds
  is "oracle: a contract recovers its address" "$("$here/recover.py" "$statement" "$(json_field signature_evm <"$scratch/price")")" "$(json_field evm_address <"$scratch/key")"
  is "oracle: any page may show it" "$(ask -D - -o /dev/null -H 'Origin: https://app.example.com' "$url/a/oracle/key" | tr -d '\r' | sed -n 's/^access-control-allow-origin: //Ip')" '*'
  has "oracle: the pair is asked for" "$(cat "$scratch/sources.log")" "GET /a?of=NEOUSDT"
  printf '{"price":"30"}' >"$scratch/www/a"
  printf '{"data":{"amount":"31"}}' >"$scratch/www/b"
  is "oracle: a jump" "$(code "$url/a/oracle/price/neo-usdt")" 503
  printf '{"price":"13"}' >"$scratch/www/a"
  rm "$scratch/www/c"
  has "oracle: two are enough" "$(printf '{"data":{"amount":"13.5"}}' >"$scratch/www/b"; ask "$url/a/oracle/price/neo-usdt")" '"price":"13.25000000","sources":2'
  has "oracle: called by name" "$(timeout 90 s3n -q invoke oracle/price --data neo-usdt --receipt "$scratch/oracle.json")" '"price":"13.25000000","sources":2'
  timeout 90 s3n verify "$scratch/oracle.json" --trust-simulated >/dev/null 2>&1 && pass "oracle: verify" || fail "oracle: verify"
  rm "$scratch/www/b"
  is "oracle: one is too few" "$(code "$url/a/oracle/price/neo-usdt")" 502
  is "oracle: no pair" "$(code "$url/a/oracle/price/NEO")" 400
  # What a receipt says of it: who was asked, what was signed with, what was kept.
  printf '{"data":{"amount":"13.1"}}' >"$scratch/www/b"
  timeout 90 curl -sk -D "$scratch/head" -o /dev/null "$url/a/oracle/price/neo-usdt"
  is "oracle: its receipt names all that it used" "$(tr -d '\r' <"$scratch/head" | sed -n 's/^s3n-receipt: //Ip' | python3 -c '
import base64, json, sys
part = sys.stdin.read().split(".")[1]
uses = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["uses"]
print(*sorted({use["service"] for use in uses}))')" "http key kv"
}
if ! /usr/bin/rustc --version >/dev/null 2>&1 || ! command -v wasm-ld-14 >/dev/null; then
  skip oracle "no rustc with a wasm32 library and wasm-ld-14"
elif [ -z "$sources" ]; then
  fail "oracle: its sources"
else
  oracle
  build_batches() {
    local compile="/usr/bin/rustc --edition 2021 --target wasm32-wasi -C opt-level=s -C panic=abort -C linker=wasm-ld-14 -C strip=symbols"
    $compile --crate-type rlib --crate-name s3n ../../sdk/rust/src/lib.rs -o libs3n.rlib &&
      $compile --crate-type cdylib --extern s3n=libs3n.rlib batches.rs -o batches.wasm
  }
  batches rust build_batches
  page "sdk/rust" sdk/rust/README.md
fi

# --- ballot: C, keys (sealed to, derived), state, the owner's own routes
ballot() {
  local ada grace
  example ballot || return # which closes it
  timeout 90 s3n -q rm --purge ballot && timeout 60 s3n -q deploy "$examples/ballot" || fail "ballot: anew"
  vote() { timeout 60 env NODE_EXTRA_CA_CERTS="$data/tls.crt" node "$examples/ballot/vote.mjs" "$url/a/ballot" "$@" 2>&1; }
  printf 'ada\ngrace\n' | timeout 90 s3n -q invoke ballot/voters --data @- >"$scratch/tickets"
  is "ballot: tickets" "$(grep -cE '^(ada|grace) [0-9a-f]{32}$' "$scratch/tickets")" 2
  ada=$(sed -n 's/^ada //p' "$scratch/tickets") grace=$(sed -n 's/^grace //p' "$scratch/tickets")
  is "ballot: a vote" "$(vote ada "$ada" yes)" taken
  is "ballot: another one" "$(vote ada "$ada" no)" "voted before"
  is "ballot: with another's ticket" "$(vote grace "$ada" no)" "not this voter's ticket"
  is "ballot: an unknown name" "$(vote mallory "$grace" no)" "not this voter's ticket"
  is "ballot: open" "$(ask "$url/a/ballot/result")" '{"votes":1,"closed":false}'
  is "ballot: not sealed" "$(ask --data-binary "ada 0123456789abcdef0123456789abcdef yes and more behind it" "$url/a/ballot/vote")" "not sealed to this ballot's key"
  is "ballot: grace votes" "$(vote grace "$grace" no)" taken
  printf '%s no' "grace $grace" >"$scratch/vote"
  for _ in 1 2; do
    code -H 'Idempotency-Key: a-vote-1' --data-binary "@$scratch/vote" "$url/a/ballot/vote" -D "$scratch/head.vote" >/dev/null
  done
  has "ballot: sent again, answered once" "$(tr '[:upper:]' '[:lower:]' <"$scratch/head.vote")" "s3n-replayed: true"
  has "ballot: its page" "$(ask "$url/a/ballot/")" "<h1>A secret ballot</h1>"
  has "ballot: no such page" "$(ask -H 'Accept: text/html' "$url/a/ballot/nothing")" "Nothing is here"
  is "ballot: closed by who is not its owner" "$(code -X POST "$url/a/ballot/close")" 401
  is "ballot: closed" "$(timeout 90 s3n -q invoke ballot/close </dev/null)" closed
  is "ballot: the result" "$(ask "$url/a/ballot/result")" '{"votes":2,"closed":true,"result":{"yes":1,"no":1}}'
}
if ! command -v clang-19 >/dev/null; then
  skip ballot "no clang-19"
elif ! command -v node >/dev/null; then
  skip ballot "no node"
else
  ballot
fi

# --- notary: native C, a key, state, evidence
notary() {
  local digest bearer=(-H "Authorization: Bearer $ISSUED")
  sed -i "s|https://accounts.example.com|$issuer/good|" "$examples/notary/s3n.toml"
  example notary || return
  printf contract >"$scratch/contract"
  digest=$(sha256sum <"$scratch/contract" | cut -d' ' -f1)
  ask "$url/a/notary/head" >"$scratch/before"
  ask --data-binary "@$scratch/contract" "$url/a/notary/stamp" >"$scratch/stamp"
  has "notary: a stamp" "$(cat "$scratch/stamp")" '"stamp":"3 '
  has "notary: of the document" "$(cat "$scratch/stamp")" " $digest "
  ask --data-binary other "$url/a/notary/stamp" >"$scratch/stamp2"
  is "notary: the same document has the same one" "$(ask --data-binary "@$scratch/contract" "$url/a/notary/stamp")" "$(cat "$scratch/stamp")"
  is "notary: by its digest" "$(ask "$url/a/notary/stamp/$digest")" "$(cat "$scratch/stamp")"
  is "notary: none" "$(code "$url/a/notary/stamp/${digest//[0-9]/0}")" 404
  ask "${bearer[@]}" --data-binary "@$scratch/contract" "$url/a/notary/deed" >"$scratch/deed"
  has "notary: a deed names who brought it" "$(cat "$scratch/deed")" " $digest alice "
  is "notary: and is theirs" "$(ask "${bearer[@]}" "$url/a/notary/deed/$digest")" "$(cat "$scratch/deed")"
  is "notary: no deed of nobody" "$(code --data-binary x "$url/a/notary/deed")" 401
  is "notary: a name that has no place" "$(code -H "Authorization: Bearer $("$here/issuer.py" token "$scratch/issuer" one "$issuer/good" 'aud="notary"' 'sub="a b"')" --data-binary x "$url/a/notary/deed")" 400
  ask "$url/a/notary/head" >"$scratch/chain"
  ask "$url/a/notary/evidence" >"$scratch/evidence"
  is "notary: chain and evidence" "$(python3 - "$scratch/stamp" "$scratch/stamp2" "$scratch/deed" "$scratch/before" "$scratch/chain" "$scratch/evidence" <<'PYTHON'
import hashlib, json, sys
one, two, deed, other, head, evidence = [json.load(open(name)) for name in sys.argv[1:]]
chain = other["chain"]
for stamp in one, two, deed:
    text, was = stamp["stamp"].rsplit(" ", 1)
    chain = hashlib.sha256(f"{chain} {text}".encode()).hexdigest()
    assert chain == was, stamp
assert head == {"chain": chain, "number": 5}, head
assert evidence, evidence
print("hold")
PYTHON
)" hold
}
if [ -w /dev/kvm ] && [ "${S3N_BACKEND:-kvm}" = kvm ] && command -v cc >/dev/null; then
  notary
else
  skip notary "needs /dev/kvm and a C compiler"
fi

# --- counter: AssemblyScript, sealed requests, state
counter() {
  example counter || return
  is "counter: a plain request" "$(code --data 3 "$url/a/counter/add")" 403
  timeout 90 s3n -q invoke counter/add --seal --data 1 >/dev/null || fail "counter: add"
  is "counter: two are too few to show" "$(ask "$url/a/counter/")" '{"count":2}'
  is "counter: the third" "$(timeout 90 s3n -q invoke counter/add --seal --data 1)" '{"count":3}'
  is "counter: the sum" "$(ask "$url/a/counter/")" '{"count":3,"sum":42}'
  has "counter: no number" "$(timeout 90 s3n invoke counter/add --seal --data -1 2>&1)" "a number from 0 to 1000000000 is needed"
  is "counter: nothing was added" "$(ask "$url/a/counter/")" '{"count":3,"sum":42}'
}
if ! command -v npm >/dev/null; then
  skip counter "no npm"
elif ! (cd "$examples/counter" && timeout 200 npm ci --silent --no-audit --no-fund) >"$scratch/npm.log" 2>&1; then
  skip counter "its compiler can't be fetched: $(tail -n 1 "$scratch/npm.log")"
else
  counter
  page "sdk/assemblyscript" sdk/assemblyscript/README.md
  batches assemblyscript "$examples/counter/node_modules/.bin/asc" batches.ts -o batches.wasm -O --runtime stub \
    --use abort=../../sdk/assemblyscript/assembly/calls/abort
fi

# --- webhook: Go, a secret, state
webhook() {
  local body='{"action":"opened","number":1}' right
  example webhook || return
  timeout 90 s3n -q rm --purge webhook && timeout 60 s3n -q deploy "$examples/webhook" || fail "webhook: anew"
  signed() { # signed DELIVERY SIGNATURE BODY
    code -H "X-Hub-Signature-256: $2" -H "X-GitHub-Delivery: $1" -H "X-GitHub-Event: issue" --data-binary "$3" "$url/a/webhook/"
  }
  mac() { printf %s "$2" | openssl dgst -sha256 -hmac "$1" | sed 's/.* /sha256=/'; }
  has "webhook: no secret yet" "$(ask -H "X-Hub-Signature-256: sha256=00" --data x "$url/a/webhook/")" "WEBHOOK_SECRET"
  printf 'it is a secret' | timeout 90 s3n -q secret set webhook WEBHOOK_SECRET || fail "webhook: its secret"
  right=$(mac 'it is a secret' "$body")
  is "webhook: signed" "$(signed 1 "$right" "$body")" 202
  is "webhook: another delivery" "$(signed 2 "$right" "$body")" 202
  is "webhook: sent again" "$(signed 2 "$right" "$body")" 200
  is "webhook: a wrong signature" "$(signed 3 "$(mac other "$body")" "$body")" 401
  is "webhook: a changed body" "$(signed 3 "$right" "$body ")" 401
  is "webhook: no signature" "$(code --data-binary "$body" "$url/a/webhook/")" 401
  is "webhook: half a signature" "$(signed 3 "${right:0:39}" "$body")" 401
  is "webhook: not JSON" "$(signed 3 "$(mac 'it is a secret' '{')" '{')" 400
  is "webhook: the tally is not for all" "$(code "$url/a/webhook/tally")" 401
  is "webhook: the tally" "$(ask -H "Authorization: Bearer $(timeout 90 s3n -q token create --scope invoke --application webhook)" "$url/a/webhook/tally")" '{"issue/opened":"2"}'
}
if ! command -v go >/dev/null; then
  skip webhook "no Go"
else
  case $(go env GOVERSION) in
    go1.1[0-9]* | go1.2[0-3]*) skip webhook "Go is older than 1.24: $(go env GOVERSION)" ;;
    *)
      webhook
      build_batches() {
        mv batches.go main.go && cp ../webhook/go.mod . &&
          GOOS=wasip1 GOARCH=wasm go build -trimpath -buildmode=c-shared -ldflags='-s -w' -o batches.wasm .
      }
      batches go build_batches
      page "sdk/go" sdk/go/README.md
      ;;
  esac
fi

# The same source with TinyGo.
if ! command -v tinygo >/dev/null; then
  skip "webhook with TinyGo" "no tinygo"
elif (cd "$examples/webhook" && timeout 300 tinygo build -target=wasip1 -buildmode=c-shared -no-debug -o webhook.wasm .) >"$scratch/tinygo.log" 2>&1; then
  timeout 60 s3n -q deploy --no-build "$examples/webhook" && is "webhook with TinyGo" "$(code --data x "$url/a/webhook/")" 401 || fail "webhook with TinyGo"
else
  fail "webhook with TinyGo" "$(tail -n 3 "$scratch/tinygo.log")"
fi

# --- auction and checksum: their READMEs
if command -v clang-19 >/dev/null; then
  example auction
  page "sdk/c" sdk/c/README.md
  if [ -w /dev/kvm ] && [ "${S3N_BACKEND:-kvm}" = kvm ]; then
    example checksum
  else
    skip checksum "needs /dev/kvm"
  fi
else
  skip "auction and checksum" "no clang-19"
fi

# --- together they use all that a node has
for service in 'permissions.kv =' 'permissions.secrets =' 'permissions.http =' 'permissions.attest = true' 'p256:' 'secp256k1:' 'ed25519:' 'x25519:' 'hkdf:' \
  'on_conflict = "retry"' 'auth = "owner"' 'auth = "token"' 'auth = "jwt"' 'sealed = "required"' 'static =' 'kind = "native"' 'abi = "reactor"' \
  '[middleware.limits]' 'rate_per_address' concurrency '[middleware.cors]' '[middleware.idempotency]' '[middleware.errors]'; do
  grep -qF -- "$service" "$S3N_SOURCE"/examples/*/s3n.toml && pass "one of them has $service" || fail "one of them has $service"
done
for language in c rs go ts; do
  for source in "$S3N_SOURCE"/examples/*/*."$language" "$S3N_SOURCE"/examples/*/src/*."$language"; do
    [ ! -e "$source" ] || [ "$(wc -l <"$source")" -lt 300 ] || fail "$source is short" "$(wc -l <"$source") lines"
  done
done

kill "$sources_pid" "$issuer_pid"
wait "$sources_pid" "$issuer_pid" 2>/dev/null
finish
