#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The event log: what is loaded and released is in it and in the register, through kill -9 and restarts.
set -u
. "$(dirname "$0")/node.bash"
require_node events
node_start || { fail "start"; finish; }
claim || fail "claim"
log() { fetch "$url/.well-known/s3n/events"; }
kinds() { log | sed 's/.*"kind":"\([a-z-]*\)".*/\1/' | xargs; }
count() { log | grep -c "\"kind\":\"$1\""; }
register() { log >"$scratch/log" && timeout 90 s3n measure rtmr --event-log "$scratch/log" --format s3n --json | json_field rtmr3; }
# What the simulated register holds, in hexadecimal digits.
held() { tail -c 48 "$data/keeper/sim-rtmr3" | od -An -v -tx1 | tr -d ' \n'; }

# --- what is in it
is "a new log" "$(kinds)" "start policy keyset policy"
has "an owner is a change of policy" "$(log | sed -n 4p)" '"change":"owner"'
application echo echo
deploy echo || fail "deploy"
is "a deployment is a load" "$(count load)" 1
is "the log leads to the register" "$(register)" "$(held)"
for i in 1 2 3 4 5; do invoke echo --data "$i" >/dev/null; done
is "invocations are none" "$(count load)" 1
deploy echo || fail "deploy again"
is "the same version again is none" "$(count load)" 1
image=$(timeout 60 s3n deploy "$scratch/echo" --json 2>/dev/null | json_field image_digest)
has "the image that was loaded" "$(log | grep '"kind":"load"')" "\"image\":\"$image\""

# --- a receipt carries it, and tampering with it is refused
invoke echo --data hello --receipt "$scratch/receipt.json" >/dev/null || fail "a receipt is kept"
check() { timeout 90 s3n verify "$1" --trust-simulated "${@:2}" 2>&1; }
output=$(check "$scratch/receipt.json")
is "the receipt verifies with its log" $? 0
has "which is a step" "$output" "event log ✓"
has "that says where it was loaded" "$(check "$scratch/receipt.json" --json)" "5 entries lead to RTMR3; loaded at entry 5"
# tamper NAME REASON PROGRAM: what Python makes of the lines of the log is refused.
tamper() {
  python3 - "$scratch/receipt.json" "$scratch/tampered.json" "$3" <<'PY'
import json, sys
bundle = json.load(open(sys.argv[1], encoding="utf-8"))
lines = bundle["events"].splitlines(keepends=True)
scope = {"lines": lines}
exec(sys.argv[3], scope)
bundle["events"] = "".join(scope["lines"])
if not scope["lines"]:
    del bundle["events"]
json.dump(bundle, open(sys.argv[2], "w", encoding="utf-8"))
PY
  output=$(check "$scratch/tampered.json")
  is "$1: exit code" $? 6
  has "$1: reason" "$output" "$2"
}
tamper "the last entry is cut" "event log: register: no entry" 'lines.pop()'
tamper "all but the first is cut" "event log: cut: the log ends after entry 1" 'del lines[1:]'
tamper "no log" "event log: cut: the log is missing" 'lines.clear()'
tamper "an entry is dropped" "event log: gap: entry 3 is missing" 'del lines[2]'
tamper "two entries are swapped" "event log: swap: entry 3" 'lines[2], lines[3] = lines[3], lines[2]'
tamper "a payload is changed" "event log: changed" 'lines[1] = lines[1].replace("process", "kvm") if "process" in lines[1] else lines[1].replace("kvm", "process")'
tamper "something stands behind it" "event log: form: entry 6" 'lines.append("x\n")'
sleep 1
output=$(check "$url")
is "a node is checked with its log" $? 0
has "which is a step, too" "$output" "event log ✓"
for i in 1 2 3; do application "later-$i" echo; done
deploy later-1 || fail "deploy later-1"
python3 - "$scratch/receipt.json" "$scratch/later.json" "$(log)" <<'PY'
import json, sys
bundle = json.load(open(sys.argv[1], encoding="utf-8"))
bundle["events"] = sys.argv[3] + "\n"
json.dump(bundle, open(sys.argv[2], "w", encoding="utf-8"))
PY
has "entries that came later are told" "$(check "$scratch/later.json" --json)" "1 later ones, which it does not cover"
timeout 90 s3n -q rm later-1

# --- processes die
is_ready() { [ "$(curl -sS --max-time 2 "$admin/readyz" 2>/dev/null)" = ready ]; }
kill -9 "$(pid_of s3n-keeper)"
goes_on() { [ "$(count restart)" = 1 ]; }
until_true 10 goes_on && pass "a killed keeper: the next goes on" || fail "a killed keeper: the next goes on" "$(kinds)"
until_true 10 is_ready || fail "a killed keeper: ready again"
is "a killed keeper: the register too" "$(register)" "$(held)"
kill -9 "$(pid_of 'role server')"
until_true 10 is_ready || fail "a killed server: ready again"
is "a killed server: it answers" "$(invoke echo --data x)" x
is "a killed server: nothing is loaded twice" "$(count load)" 2
before=$(kinds)
node_stop
node_again || fail "start again"
is "a restart: it answers" "$(invoke echo --data y)" y
has "a restart: the log goes on" "$(kinds)" "$before restart"
is "a restart: nothing is loaded twice" "$(count load)" 2
is "a restart: the register" "$(register)" "$(held)"

# --- another policy
printf 'first_owner = "none"\n' >"$scratch/s3nd.toml"
policies=$(count policy)
node_stop
node_again --config "$scratch/s3nd.toml" || fail "start with another policy"
is "another policy is an entry" "$(count policy)" $((policies + 1))
node_stop
node_again --config "$scratch/s3nd.toml" || fail "start with the same policy"
is "the same policy is none" "$(count policy)" $((policies + 1))
is "the log still leads to the register" "$(register)" "$(held)"
node_stop

# --- somebody changes the file
cp "$data/keeper/events" "$scratch/events"
sed -i '$d' "$data/keeper/events"
is "a log that was cut: the node does not start" "$(node_start 2>/dev/null && echo started)" ""
has "and says why" "$(tail -n 30 "$scratch/node.log")" "does not explain register rtmr3"
wait "$node" 2>/dev/null
sed 's/"kind":"load"/"kind":"lost"/' "$scratch/events" >"$data/keeper/events"
is "a log that was changed: neither" "$(node_start 2>/dev/null && echo started)" ""
wait "$node" 2>/dev/null
cp "$scratch/events" "$data/keeper/events"
printf '{"details":{},"ki' >>"$data/keeper/events"
node_start || fail "start with a half-written entry"
is "a half-written entry is dropped" "$(register)" "$(held)"
node_stop

# --- another boot: zeros in the register
rm "$data/keeper/sim-rtmr3"
node_start || fail "start in another boot"
has "a new log begins" "$(kinds)" "start policy keyset"
login || fail "login"
is "a new log: it answers" "$(invoke echo --data z)" z
is "a new log: the load is recorded again, at the first invocation" "$(count load)" 1
is "a new log: the register" "$(register)" "$(held)"
node_stop
finish
