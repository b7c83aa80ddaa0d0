#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Functions on their sealed state: one invocation is one transaction, kept with its receipt or not at all.
set -u
. "$(dirname "$0")/node.bash"
require_node state
command -v python3 >/dev/null || skip_all state "no python3"
node_start || { fail "start"; finish; }
claim || fail "claim"
grant='permissions.kv = ["counts"]'
application short counter "$grant
limits = { timeout_ms = 2000 }"
grant+='
limits = { timeout_ms = 60000 }' # time is not what the others are about
application count counter "$grant
on_conflict = \"retry\""
application strict counter "$grant"
application denied counter
deploy count && deploy strict && deploy denied && deploy short || fail "deploy"
is "the first" "$(invoke count --data I)" 0000000001
is "the second, with a receipt" "$(invoke count --data I --receipt "$scratch/r2.json")" 0000000002
is "the owner sees it" "$(timeout 90 s3n -q kv get count counts n)" 0000000002
is "read" "$(invoke count --data R --receipt "$scratch/read.json")" 0000000002
claims() {
  python3 -c '
import base64, json, sys
text = json.load(open(sys.argv[1]))["receipt"].split(".")[1]
print(json.dumps(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["uses"]))' "$1"
}
use() { claims "$1" | python3 -c "import json,sys; print(json.load(sys.stdin)[0]['$2'])"; }
is "the receipt: which revision" "$(use "$scratch/r2.json" name)" revision:2
is "the receipt: the digest afterwards is the reader's" "$(use "$scratch/r2.json" after)" "$(use "$scratch/read.json" before)"
is "the receipt: a reader changes nothing" "$(use "$scratch/read.json" after)" "$(use "$scratch/read.json" before)"
timeout 90 s3n -q kv export count "$scratch/export.jsonl"
is "the receipt: its digest is the export's" "$(use "$scratch/r2.json" after)" \
  "$(head -n 1 "$scratch/export.jsonl" | python3 -c 'import json,sys; print(json.load(sys.stdin)["digest"])')"
has "verify shows it" "$(timeout 90 s3n verify "$scratch/r2.json" --trust-simulated 2>&1)" "$(use "$scratch/r2.json" after)"
invoke denied --data I >/dev/null 2>&1
is "without a permission" $? 1

# --- what does not end well leaves nothing
for kind in T X; do
  invoke count --data $kind >/dev/null 2>&1
  is "$kind leaves nothing" "$(invoke count --data R)" 0000000002
done
until_true 60 invoke short --data I
invoke short --data L >/dev/null 2>&1
is "L: out of time" $? 8
left() { short=$(invoke short --data R); }
until_true 60 left
is "L leaves nothing" "$short" 0000000001

# --- many at once
many() { seq 100 | xargs -P 16 -I{} curl -sS --max-time 60 --cacert "$data/tls.crt" -o /dev/null -w '%{http_code}\n' --data-binary I "$url/a/$1/run" | sort | uniq -c; }
many count >"$scratch/statuses"
good=$(awk '$2 == 200 { print $1 }' "$scratch/statuses")
is "100 increments at once: each that was answered counts once" "$(invoke count --data R)" "$(printf '%010d' $((2 + good)))"
[ "$good" -ge 60 ] && pass "100 increments at once: retried" || fail "100 increments at once: retried" "$(cat "$scratch/statuses")"
many strict >"$scratch/statuses"
good=$(awk '$2 == 200 { print $1 }' "$scratch/statuses")
is "without retries: the others are conflicts" "$(awk '$2 != 200 && $2 != 409' "$scratch/statuses")" ""
is "without retries: the sum" "$(invoke strict --data R)" "$(printf '%010d' "$good")"

# --- quota
for i in $(seq 10 99); do invoke count --data "Ffill00$i" >/dev/null 2>&1 || break; done
is "90 values of 200 KiB" "$i" 99

# --- receipts outlive the server
id=$(python3 -c '
import base64, json, sys
text = json.load(open(sys.argv[1]))["receipt"].split(".")[1]
print(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["jti"])' "$scratch/r2.json")
kill -9 "$(pgrep -P "$node" -x s3nd | head -n 1)"
is_ready() { [ "$(curl -sS --max-time 2 "$admin/readyz" 2>/dev/null)" = ready ]; }
until_true 20 is_ready || fail "a killed server: not ready again"
is "a receipt from before" "$(fetch "$url/.well-known/s3n/receipts/$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["receipt"])')" \
  "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["receipt"])' "$scratch/r2.json")"
finish
