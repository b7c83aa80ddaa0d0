#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of each process in the middle of its work: what was acknowledged is there and answers afterwards.
set -u
. "$(dirname "$0")/node.bash"
require_node kill
node_start || { fail "start"; finish; }
claim || fail "claim"
application echo echo
application loop loop 'limits = { timeout_ms = 20000 }'
deploy echo && deploy loop || fail "deploy"
answers() { [ "$(invoke echo --data "$1" 2>/dev/null)" = "$1" ]; }
is_ready() { [ "$(curl -sS --max-time 2 "$admin/readyz" 2>/dev/null)" = ready ]; }
looping() { curl -sS --max-time 60 "$admin/metrics" | grep -q '^s3n_instances{state="running"} 1'; }

# --- a worker, while it runs a function
answers before && pass "before" || fail "before"
fetch -o "$scratch/body" -w '%{http_code}' --data-binary x "$url/a/loop/run" >"$scratch/status" &
client=$!
until_true 10 looping || fail "the loop does not run"
for worker in $(pgrep -P "$node" -f 'slipstream'); do kill -9 "$worker"; done
wait $client
is "a killed worker: 503" "$(cat "$scratch/status")" 503
has "a killed worker: code" "$(cat "$scratch/body")" '"code":"crashed"'
answers worker && pass "a killed worker: the other function answers" || fail "a killed worker: the other function answers"
# more, when one that waited ahead of need was taken in place of the first and killed, too
counted() { curl -sS --max-time 60 "$admin/metrics" | grep -q '^s3n_workers_lost_total [2-9]'; }
until_true 10 counted && pass "a killed worker: both were counted" || fail "a killed worker: both were counted"
# the one of `echo` and at least one ahead of need
two_workers() { [ "$(pgrep -P "$node" -f 'slipstream' | wc -l)" -ge 2 ]; }
until_true 10 two_workers && pass "a killed worker: it is replaced" || fail "a killed worker: it is replaced"

# --- the keeper
for _ in $(seq 60); do
  curl -sS -k --max-time 60 -o /dev/null -w '%{http_code}\n' --data-binary x "$url/a/echo/run"
done >"$scratch/statuses" 2>&1 &
client=$!
kill -9 "$(pid_of s3n-keeper)"
wait $client
is "a killed keeper, a renewed keyset: no request is dropped" "$(sort "$scratch/statuses" | uniq -c | xargs)" "60 200"
until_true 10 is_ready || fail "a killed keeper: not ready again"
answers keeper && pass "a killed keeper: functions answer" || fail "a killed keeper: functions answer"
application after-keeper echo
deploy after-keeper && pass "a killed keeper: deploy" || fail "a killed keeper: deploy"
is "a killed keeper: the new function answers" "$(invoke after-keeper --data new)" new
fetch -o /dev/null "$url/.well-known/s3n/health" && pass "a killed keeper: tls.crt is the new one" || fail "a killed keeper: tls.crt is the new one"

# --- the compiler, while it compiles something large
python3 - >"$scratch/large.wat" <<'PY'
print("(module (memory 1)")
for i in range(60000):
    print(f"(func (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const {i})) (i32.const 7)))")
print('(func (export "_start")))')
PY
application large echo
if wat2wasm "$scratch/large.wat" -o "$scratch/large/module.wasm" 2>/dev/null; then
  deploy large >"$scratch/out" 2>&1 &
  client=$!
  # Builtins only: a compiler lives for milliseconds.
  killed=
  while [ -z "$killed" ] && kill -0 $client 2>/dev/null; do
    for pid in $(<"/proc/$node/task/$node/children"); do
      read -r name <"/proc/$pid/comm" && [ "$name" = s3n-compile ] && kill -9 "$pid" && killed=$pid
    done 2>/dev/null
  done
  wait $client
  status=$?
  if [ "$status" = 0 ]; then
    skip "a killed compiler" "it was faster than the kill"
  else
    is "a killed compiler: exit code" $status 7
    has "a killed compiler: says so" "$(cat "$scratch/out")" "compiler"
  fi
  deploy large && pass "a killed compiler: the next deploy works" || fail "a killed compiler: the next deploy works"
  timeout 90 s3n -q rm large
else
  skip "a killed compiler" "wat2wasm is not there"
fi

# --- the server, while it is being deployed to
: >"$scratch/acknowledged"
for i in $(seq 12); do
  application "app-$i" echo
  timeout 90 s3n -q deploy "$scratch/app-$i" >/dev/null 2>&1 && echo "app-$i" >>"$scratch/acknowledged"
done &
deploying=$!
for _ in 1 2 3; do
  sleep 0.2
  server=$(pid_of 'role server')
  [ -z "$server" ] || kill -9 "$server"
  until_true 10 is_ready || fail "a killed server: not ready again"
done
wait $deploying
until_true 10 is_ready || fail "a killed server: not ready again"
lost=0
while read -r name; do
  [ "$(invoke "$name" --data "$name" 2>/dev/null)" = "$name" ] || { lost=$((lost + 1)); echo "lost $name"; }
done <"$scratch/acknowledged"
is "a killed server: every acknowledged function answers ($(wc -l <"$scratch/acknowledged") of 12)" "$lost" 0
answers server && pass "a killed server: the old ones too" || fail "a killed server: the old ones too"

# --- the supervisor: everything ends with it, and everything is there after a start
children=$(pgrep -P "$node")
kill -9 "$node"
{ wait "$node"; } 2>/dev/null
gone() { for pid in $children; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }
until_true 10 gone && pass "a killed supervisor: no process is left" || fail "a killed supervisor: no process is left" "$(ps -o pid,args $children)"
node=
node_again || fail "start after the kill"
answers supervisor && pass "a killed supervisor: functions answer" || fail "a killed supervisor: functions answer"
lost=0
while read -r name; do
  [ "$(invoke "$name" --data "$name" 2>/dev/null)" = "$name" ] || lost=$((lost + 1))
done <"$scratch/acknowledged"
is "a killed supervisor: every acknowledged function answers" "$lost" 0
node_stop
is "stop" $? 0
finish
