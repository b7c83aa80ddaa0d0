#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A full disk, at every kind of write: refused with a clear error, whole or not at all; what is there goes on
# answering, and space that comes back is used.
set -u
. "$(dirname "$0")/node.bash"
require_node disk
mkdir -p "$data"
[ "$(id -u)" = 0 ] && mount -t tmpfs -o size=6m,mode=755 none "$data" 2>/dev/null ||
  skip_all disk "a small file system can't be mounted here (needs root)"
node_start || { fail "start"; finish; }
claim || fail "claim"
application echo echo
deploy echo || fail "deploy"
application shop stderr
deploy shop || fail "deploy shop"
# say WORD: logs it, and 48 KiB behind it
say() { { printf '%s ' "$1"; head -c 49152 /dev/zero | tr '\0' x; } | invoke shop --data - >/dev/null 2>&1; }
words() { timeout 90 s3n -q logs shop --json | python3 -c 'import json, sys
words = [json.loads(line).get("text", "(dropped) ").split(" ")[0] for line in sys.stdin]
print(" ".join(word for word in words if word.strip("x")))'; }
value() { curl -sS --max-time 60 "$admin/metrics" | sed -n "s|^$1 ||p"; }
say before
is "a log" "$(words)" before
# No room at all, for a while: logs wait.
head -c $((64 << 20)) /dev/zero >"$data/filler" 2>/dev/null
for i in one two three four; do say "$i"; done
waits() { [ "$(value s3n_logs_write_failures_total)" != 0 ] && [ "$(value s3n_logs_pending_bytes)" -gt 100000 ]; }
until_true 10 waits && pass "logs wait" || fail "logs wait" "$(value s3n_logs_write_failures_total) $(value s3n_logs_pending_bytes)"
has "what was logged before can be read" "$(words)" before
is "no log is dropped" "$(value 's3n_logs_dropped_total{reason="memory"}') $(value 's3n_logs_dropped_total{reason="rate"}')" "0 0"
rm -f "$data/filler"
written() { [ "$(value s3n_logs_pending_bytes)" = 0 ]; }
until_true 10 written && pass "with room again: logs are written" || fail "with room again: logs are written"
is "with room again: all of them" "$(words)" "before one two three four"
room() { df --output=avail -k "$data" | tail -n 1; }
before=$(room)
application large echo
head -c $((8 << 20)) /dev/urandom >"$scratch/large/module.wasm"
output=$(timeout 60 s3n -q deploy "$scratch/large" 2>&1)
is "a full disk: exit code" $? 7
has "a full disk: says so" "$output" "full"
[ "$(room)" -ge $((before - 512)) ] && pass "a full disk: the room of what failed is given back" || fail "a full disk: the room of what failed is given back" "$before $(room)"
is "what is there answers" "$(invoke echo --data still)" still
head -c $((64 << 20)) /dev/zero >"$data/filler" 2>/dev/null
output=$(timeout 60 s3n -q deploy "$scratch/large" 2>&1)
is "no room at all: exit code" $? 7
is "what is there still answers" "$(invoke echo --data on)" on
rm -f "$data/filler"
application more echo
deploy more
is "with room again: deploy" $? 0
is "with room again: answers" "$(invoke more --data back)" back

# --- no room at all, and each thing that writes
application clock clock
code() { timeout 100 "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
# From standard input, which is $1.
fed() { local text=$1; shift; printf '%s' "$text" | timeout 60 s3n -q "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
printf old | s3n -q kv set echo names k || fail "a value"
printf old | s3n -q secret set echo WORD || fail "a secret"
is "a token that was" "$(code s3n -q token create --scope read --name before)" 0
token=$(cat "$scratch/out")
application tally counter 'permissions.kv = ["counts"]'
is "a function with a state" "$(code s3n -q deploy "$scratch/tally")" 0
# One more; the status, with the answer in $scratch/body and its fields in $scratch/fields.
count() { fetch -o "$scratch/body" -D "$scratch/fields" -w '%{http_code}' --data-binary I "$url/a/tally/run"; }
is "a function's state" "$(count) $(tr -d '\0' <"$scratch/body")" "200 0000000001"
fill() { head -c $((64 << 20)) /dev/zero >"$data/filler" 2>/dev/null; }
audit_size() { timeout 20 s3n -q audit export | wc -l; }
entries=$(audit_size)
fill
# refused NAME CODE: the command before
refused() {
  is "no room: $1" "$2" 7
  [[ $(cat "$scratch/err") == *full* || $(cat "$scratch/err") == *"No space"* ]] && pass "no room: $1: says so" || fail "no room: $1: says so" "$(cat "$scratch/err")"
}
large=$(head -c 60000 /dev/zero | tr '\0' x)
refused "state" "$(fed "$large" kv set echo names k)"
last=1 # small ones find room where the log of writes has been before
until [ $last = 1000 ] || [ "$(count)" != 200 ]; do last=$((last + 1)); done
is "no room: a function's state" "$(grep -o '"code":"[a-z-]*"' "$scratch/body") $(grep -ci '^s3n-receipt' "$scratch/fields")" '"code":"no-space" 0'
refused "a secret" "$(fed "$large" secret set echo WORD)"
refused "another secret" "$(fed "$large" secret set echo NEW)"
refused "a deployment" "$(code s3n -q deploy "$scratch/clock")"
i=0 # small ones find room in pages that are there, for a while
until [ $i = 60 ] || [ "$(code s3n -q token create --scope read --name "t$i")" != 0 ]; do i=$((i + 1)); done
refused "a token" "$(code s3n -q token create --scope read --name never)"
refused "a backup of this node" "$(code s3n node backup --data-dir "$data" "$scratch/a.backup")"
is "no room: a backup: nothing is left" "$(ls "$scratch"/a.backup* "$data"/store/*.copy 2>/dev/null)" ""
refused "a proof of this node" "$(code s3n node check --data-dir "$data")"
is "no room: a proof: nothing is left" "$(ls "$data/store" | grep -c check)" 0
is "no room: the token that was" "$(S3N_API_KEY=$token code s3n -q ls)" 0
is "no room: the value that was" "$(s3n -q kv get echo names k)" old
is "no room: functions" "$(invoke echo --data on)" on
rm -f "$data/filler"
recovered() { [ "$(fed new kv set echo names k)" = 0 ]; }
until_true 20 recovered && pass "room again: state" || fail "room again: state" "$(cat "$scratch/err")"
is "room again: a function's state, and nothing of what was refused" "$(count) $(tr -d '\0' <"$scratch/body")" "200 $(printf %010d $((last + 1)))"
is "room again: the value" "$(s3n -q kv get echo names k)" new
is "room again: a secret" "$(fed new secret set echo WORD)" 0
is "room again: nothing of what was refused" "$(s3n -q secret ls echo --json | grep -c NEW) $(s3n -q token ls --json | grep -c never)" "0 0"
is "room again: a token" "$(code s3n -q token create --scope read)" 0
# Tokens while there was a page, and since then a value, a secret, a token.
is "room again: the log has what was done, and no more" "$(audit_size)" $((entries + i + 3))
timeout 20 s3n -q audit export >"$scratch/audit"
is "room again: the log is whole" "$(code s3n -q audit verify "$scratch/audit" --trust-simulated)" 0
is "room again: all that is stored is good" "$(code s3n node check --data-dir "$data")" 0
is "room again: a backup" "$(code s3n node backup --data-dir "$data" "$scratch/a.backup")" 0

# --- a backup's own disk, and a restored node's
mkdir "$scratch/small"
mount -t tmpfs -o size=256k,mode=755 none "$scratch/small"
head -c 150000 /dev/zero >"$scratch/small/filler"
is "no room for a backup" "$(code s3n node backup --data-dir "$data" "$scratch/small/b")" 7
has "no room for a backup: says so" "$(cat "$scratch/err")" "No space"
is "no room for a backup: nothing is left" "$(ls "$scratch/small")" filler
is "no room for a restored node" "$(s3n -q node init --data-dir "$scratch/small/two" --root "$data/keeper/root"; code s3n node restore --data-dir "$scratch/small/two" "$scratch/a.backup")" 7
is "no room for a restored node: nothing is left" "$(ls "$scratch/small/two/store" "$scratch/small/two" | grep -E 'db|restored')" ""
umount "$scratch/small"
node_stop
is "stop" $? 0
fill
is "at rest, no room: a backup" "$(code s3n node backup --data-dir "$data" "$scratch/b.backup")" 7
is "at rest, no room: nothing is left" "$(ls "$scratch"/b.backup* "$data"/store/*.copy 2>/dev/null)" ""
is "at rest, no room: check needs none" "$(code s3n node check --data-dir "$data")" 0
rm -f "$data/filler"
node_again || fail "start again"
is "after a restart: logs" "$(words)" "before one two three four"
is "after a restart" "$(invoke echo --data kept)$(invoke more --data both)" keptboth
node_stop
is "stop again" $? 0
finish
