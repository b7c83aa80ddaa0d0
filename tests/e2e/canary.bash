#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Secrets stand nowhere in what a node writes: values that nobody could guess are set, used, rotated, printed to logs by
# a careless function, met by crashes and kills, and then looked for in every file, in all that went over the network, in
# metrics, traces, receipts, errors and logs (also those that the owner opens), in several encodings (canary.py).  What keys
# derive and what they open is looked for like secrets.
set -u
. "$(dirname "$0")/node.bash"
require_node canary
command -v python3 >/dev/null || skip_all canary "needs python3"
canary=$here/canary.py
mkdir -p "$scratch/seen" "$scratch/values"
ulimit -c unlimited 2>/dev/null
export S3N_LOG=debug
exec 8< <(exec python3 "$canary" sink "$scratch/seen/telemetry")
sink=$!
read -r -t 60 port <&8 || fail "the sink does not start"
OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port OTEL_BSP_SCHEDULE_DELAY=100 OTEL_METRIC_EXPORT_INTERVAL=700 node_start || { fail "start"; finish; }
# All connections go through a proxy that keeps what passes.
real=$url real_admin=$admin
python3 "$canary" proxy "$scratch/seen/network" "${real#https://}" >"$scratch/port" &
proxy=$!
python3 "$canary" proxy "$scratch/seen/admin" "${real_admin#http://}" >"$scratch/port2" &
proxy2=$!
has_ports() { [ -s "$scratch/port" ] && [ -s "$scratch/port2" ]; }
until_true 10 has_ports || fail "the proxies do not start"
url=https://127.0.0.1:$(cat "$scratch/port") admin=http://127.0.0.1:$(cat "$scratch/port2")
claim >"$scratch/seen/claim" 2>&1 || fail "claim"

hex() { od -An -v -tx1 | tr -d ' \n'; }
want() { hex <"$scratch/values/$1" >>"$scratch/wanted"; echo >>"$scratch/wanted"; }
# value NAME: a new one, kept with those to look for
value() {
  head -c 40 /dev/urandom | base64 -w 0 | tr -d '\n' >"$scratch/values/$1"
  want "$1"
}
mkdir -p "$scratch/shop"
cp "$modules/custody.wasm" "$scratch/shop/f"
cat >"$scratch/shop/s3n.toml" <<'TOML'
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "shop"
[function.f]
source = "f"
abi = "reactor"
limits = { memory_mib = 16, timeout_ms = 60000 }
permissions.secrets = ["KEY", "RAW"]
permissions.keys = ["hkdf:tokens", "x25519:inbox"]
[[trigger.http]]
route = "/:what"
function = "f"
TOML
timeout 60 s3n deploy "$scratch/shop" >"$scratch/seen/deploy" 2>&1 || fail "deploy"
secret() { timeout 90 s3n secret "$@" >>"$scratch/seen/cli" 2>&1; }
ask() { timeout 90 curl -sk -i --data-binary "$2" "$url/a/shop/$1" >>"$scratch/seen/answers" 2>&1; }

# --- the life of a secret
value one && value two && value three && value raw
head -c 64 /dev/urandom >"$scratch/values/raw"
want raw
secret set shop KEY <"$scratch/values/one" && secret set shop RAW --file "$scratch/values/raw" && pass "set" || fail "set"
ask size KEY && ask size RAW
grep -q '^56' "$scratch/seen/answers" && pass "a function has it" || fail "a function has it" "$(tail -n 3 "$scratch/seen/answers")"
ask leak KEY && ask leak RAW # to its log, and fails
# What keys give: asked for past the proxy, so that nothing but the node could have written it.
timeout 90 curl -sk --data-binary 'tokens 48' "$real/a/shop/derive" | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$scratch/values/derived"
[ "$(wc -c <"$scratch/values/derived")" = 48 ] && want derived || fail "bytes are derived"
ask leak-derived 'tokens 48'
leaks=3
if command -v node >/dev/null; then
  value opened
  sealed=$(command node "$here/hpke_seal.mjs" "$(timeout 90 curl -sk --data-binary 'inbox 4' "$real/a/shop/public")" "" "" "$(hex <"$scratch/values/opened")")
  ask leak-opened "inbox $sealed"
  leaks=4
else
  skip "what hpke_open opens" "needs node"
fi
logged() { timeout 90 s3n logs shop --json >"$scratch/seen/logs" 2>>"$scratch/seen/cli" && [ "$(grep -c 'exited with code 5' "$scratch/seen/logs")" = "$leaks" ]; }
until_true 20 logged && pass "a careless function logged it all" || fail "a careless function logged it all" "$(tail -n 3 "$scratch/seen/logs")"
is "its owner sees stars" "$(grep -v exited "$scratch/seen/logs" | sed 's/.*"text":"\([^"]*\)".*/\1/' | tr -d ' A=' | sort -u | tr '\n' ' ')" "*** ****** "
timeout 90 s3n invoke shop/f --data x >"$scratch/seen/invoke" 2>&1
secret rotate shop KEY --overlap 3600 <"$scratch/values/two"
ask size 'KEY 1' && ask size KEY
printf '%s' "$(head -c 70000 /dev/zero | tr '\0' x)" | secret set shop KEY       # too large
secret set shop KEY "$(cat "$scratch/values/three")" </dev/null                # as an argument: refused
grep -q . "$scratch/seen/cli" || fail "the command line says nothing"
# --- when the invocations are over: in no process's memory
if [ "$(id -u)" = 0 ] && python3 "$canary" memory /dev/null "$node" >/dev/null 2>&1; then
  forgotten() { python3 "$canary" memory "$scratch/wanted" "$node" >"$scratch/found" 2>"$scratch/size"; }
  until_true 30 forgotten && pass "no value in $(cat "$scratch/size")" || fail "values are wiped" "$(cat "$scratch/found" "$scratch/size")"
else
  skip "values are wiped" "the memory of other processes can't be read"
fi
# What is written, and where to, is the same with every backend; only where values are in memory differs.
[ "${S3N_BACKEND:-kvm}" = kvm ] || { kill "$sink"; finish; }
# --- things break while values are about
for _ in 1 2 3 4; do ask size KEY & done
cell=$(pgrep -P "$node" -x slipstream | head -n 1)
[ -z "$cell" ] || kill -SEGV "$cell" 2>/dev/null
kill -SEGV "$(pgrep -P "$node" -x s3n-keeper | head -n 1)" 2>/dev/null
for job in $(jobs -p); do [ "$job" = "$node" ] || [ "$job" = "$proxy" ] || [ "$job" = "$proxy2" ] || [ "$job" = "$sink" ] || wait "$job"; done
back() { [[ $(timeout 90 curl -sk --data-binary KEY "$real/a/shop/size") == 56 ]]; }
until_true 30 back && pass "works on after crashes" || fail "works on after crashes"
kill -SEGV "$(pid_of role=server || true)" 2>/dev/null
timeout 90 s3n -q login "$url" --trust-simulated >>"$scratch/seen/cli" 2>&1
secret set shop KEY <"$scratch/values/three"
secret history shop KEY
secret ls shop
secret rm shop RAW
# --- what anybody can ask for
for page in metrics healthz readyz; do curl -sS --max-time 60 "$admin/$page" >>"$scratch/seen/admin-answers" 2>&1; done
for page in events info health; do curl -sk --max-time 60 "$url/.well-known/s3n/$page" >>"$scratch/seen/public" 2>&1; done
python3 "$canary" limits "$node" && pass "no process leaves a core file" || fail "no process leaves a core file"
timeout 90 s3n audit export >"$scratch/seen/audit" 2>&1
timeout 60 s3n node backup --data-dir "$data" "$scratch/seen/backup" >"$scratch/seen/backup-said" 2>&1 || fail "backup"
traced() { grep -qa '/v1/traces' "$scratch/seen/telemetry" && grep -qa '/v1/metrics' "$scratch/seen/telemetry"; }
until_true 10 traced && pass "traces and metrics were sent" || fail "traces and metrics were sent"
(for pid in "$node" $(pgrep -P "$node"); do tr '\0' ' ' <"/proc/$pid/cmdline"; tr '\0' ' ' <"/proc/$pid/environ"; done) >"$scratch/seen/processes" 2>/dev/null
node_stop
kill "$proxy" "$proxy2" "$sink" 2>/dev/null

# --- looking
control() { # control FORM TEXT: what is planted is found
  mkdir -p "$scratch/planted"
  printf '%s' "$2" >"$scratch/planted/file"
  python3 "$canary" search "$scratch/wanted" "$scratch/planted" >/dev/null 2>&1 && fail "the search sees $1" || pass "the search sees $1"
}
plain=$(cat "$scratch/values/one")
control plain "abc $plain def"
control hexadecimal "x$(printf %s "$plain" | od -An -v -tx1 | tr -d ' \n')"
control Base64 "$(printf 'ab%s' "$plain" | base64 -w 0)"
control "Base64 in a longer text" "$(printf 'abcd%sefgh' "$plain" | base64 -w 0)"
control "a secret in octets" "$(head -c 64 "$scratch/values/raw" | base64 -w 0)"
if found=$(python3 "$canary" search "$scratch/wanted" "$data" "$scratch/seen" "$scratch/node.log" "$scratch/config" /dev/shm 2>"$scratch/size"); then
  pass "no value in $(cat "$scratch/size")"
else
  fail "values stand where they may not" "$found"
fi
[ "$(wc -c <"$scratch/seen/network")" -gt 100000 ] && pass "the network was seen" || fail "the network was seen"
has "the disk was seen" "$(ls "$data/store")" store.db
finish
