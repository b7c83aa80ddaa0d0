#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A full disk: uploads are refused with a clear error, what is there goes on answering, and space that comes back
# is used.
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
words() { timeout 30 s3n -q logs shop --json | python3 -c 'import json, sys
words = [json.loads(line).get("text", "(dropped) ").split(" ")[0] for line in sys.stdin]
print(" ".join(word for word in words if word.strip("x")))'; }
value() { curl -sS --max-time 10 "$admin/metrics" | sed -n "s|^$1 ||p"; }
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
node_stop
is "stop" $? 0
node_again || fail "start again"
is "after a restart: logs" "$(words)" "before one two three four"
is "after a restart" "$(invoke echo --data kept)$(invoke more --data both)" keptboth
node_stop
is "stop again" $? 0
finish
