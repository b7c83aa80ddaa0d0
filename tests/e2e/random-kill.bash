#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of any process at any time under load: S3N_KILL_ROUNDS rounds (30; 1000 when asked).
set -u
. "$(dirname "$0")/node.bash"
require_node random-kill
command -v python3 >/dev/null || skip_all random-kill "no python3"
rounds=${S3N_KILL_ROUNDS:-30}
seed=${S3N_KILL_SEED:-$RANDOM}
node_start || { fail "start"; finish; }
claim || fail "claim"
application count counter 'permissions.kv = ["counts"]
limits = { timeout_ms = 5000 }
on_conflict = "retry"'
deploy count || fail "deploy"
if timeout $((120 + 4 * rounds)) python3 "$here/random_kill.py" "$url" "$node" "$rounds" "$seed" >"$scratch/told" 2>&1; then
  pass "$(head -n 1 "$scratch/told")"
else
  fail "seed $seed" "$(cat "$scratch/told")"
fi
login
digest() { head -n 1 "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["digest"])'; }
timeout 90 s3n -q kv export count "$scratch/before.jsonl" && pass "the state's digest holds" || fail "the state's digest holds"
node_stop
node_again || fail "start again"
login
timeout 90 s3n -q kv export count "$scratch/after.jsonl"
is "the same after a restart" "$(digest "$scratch/after.jsonl")" "$(digest "$scratch/before.jsonl")"
finish
