#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The wall clock is set while the node works and between two runs, by hours, a day, a year, forward and back: for
# each of its processes, jailed ones too, by a preloaded library.  What has a time limit keeps it, what needs no
# wall clock notices nothing, and a node whose keyset is not valid any more makes another.
set -u
. "$(dirname "$0")/node.bash"
require_node clock
for tool in cc python3; do
  command -v $tool >/dev/null || skip_all clock "no $tool"
done
shim=$scratch/clock.so
clock=$scratch/wall-clock
cc -shared -fPIC -O1 -D_GNU_SOURCE -o "$shim" "$here/clock.c" -ldl || { fail "compile clock.c"; finish; }
nm -D "$S3N_BUILD/bin/s3nd" | grep -q __asan_ && skip_all clock "sanitizers want to be loaded first"
truncate -s 4096 "$clock"
chmod 644 "$clock" "$shim"

# The programs as they are, each behind a script that preloads: nothing of the environment reaches a child.
mkdir "$scratch/bin"
for program in s3nd s3n-keeper s3n-compile s3n-optimise s3n-outbound slipstream; do
  [ -x "$S3N_BUILD/bin/$program" ] || continue
  cp "$S3N_BUILD/bin/$program" "$scratch/bin/$program.real"
  # A static program can't be preloaded into: its twin is linked to the C library's own file.
  [ $program != slipstream ] || [ ! -x "$S3N_BUILD/tests/slipstream-dynamic" ] ||
    cp "$S3N_BUILD/tests/slipstream-dynamic" "$scratch/bin/$program.real"
  printf '#!/bin/sh\nexport LD_PRELOAD=%s TEST_CLOCK=%s\nexec %s.real "$@"\n' "$shim" "$clock" \
    "$scratch/bin/$program" >"$scratch/bin/$program"
  chmod 755 "$scratch/bin/$program"
done
# Ours has the same clock when it is told so: then it is the machine's clock that was set.
cp "$S3N_BUILD/bin/s3n" "$scratch/bin/s3n.real"
printf '#!/bin/sh\n[ -z "$WITH_NODE" ] || export LD_PRELOAD=%s TEST_CLOCK=%s\nexec %s.real "$@"\n' "$shim" "$clock" \
  "$scratch/bin/s3n" >"$scratch/bin/s3n"
chmod 755 "$scratch/bin/s3n"
PATH=$scratch/bin:$PATH
# By our own clock its certificate is often not valid.
fetch() { curl -sS --insecure --max-time 60 "$@"; }

# set_clock SECONDS: from now on the node is as far ahead of us
set_clock() {
  python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as file: file.write(struct.pack("<q", int(sys.argv[2])))' "$clock" "$1"
}
# Hours forward and back, every few milliseconds, for as long as it is not ended.
swinging() {
  exec python3 -c 'import struct, sys, time
with open(sys.argv[1], "r+b", buffering=0) as file:
    while True:
        for offset in 7200, 0, -7200, 36000, -100, 100:
            file.seek(0)
            file.write(struct.pack("<q", offset))
            time.sleep(0.007)' "$clock"
}
swing() { swinging & swinger=$!; }
stand() { kill "$swinger"; wait "$swinger" 2>/dev/null; set_clock 0; }
now_ms() { local now=$EPOCHREALTIME; echo $((${now/./} / 1000)); }
# timed COMMAND...: its output, with the milliseconds it took in $took_ms
timed() {
  local from
  from=$(now_ms)
  "$@" >"$scratch/timed" 2>&1
  took_ms=$(($(now_ms) - from))
  answer=$(cat "$scratch/timed")
}
# within NAME LEAST MOST: took_ms
within() { if [ "$took_ms" -ge "$2" ] && [ "$took_ms" -le "$3" ]; then pass "$1"; else fail "$1" "$took_ms ms"; fi; }
# ahead SECONDS: whether a function's wall clock is that far from ours, give or take a minute
ahead() {
  fetch -X POST "$url/a/clock/run" -o "$scratch/clocks" || return 1
  local seen=$(($(od -An -t u8 -j 24 -N 8 "$scratch/clocks") / 1000000000 - $(date +%s)))
  [ $((seen - $1)) -ge -60 ] && [ $((seen - $1)) -le 60 ]
}
# valid_at SECONDS: whether new connections show a certificate, and with it a keyset, that is valid with the clock so
valid_at() {
  local dates now=$(($(date +%s) + $1))
  dates=$(timeout 90 openssl s_client -connect "${url#https://}" </dev/null 2>/dev/null | openssl x509 -noout -dates) || return 1
  [ "$(date -d "$(sed -n 's/^notBefore=//p' <<<"$dates")" +%s)" -le $now ] &&
    [ "$(date -d "$(sed -n 's/^notAfter=//p' <<<"$dates")" +%s)" -ge $now ]
}
endless() { fetch -X POST "$url/a/loop/run"; }
has_receipt() { fetch --data x "$url/a/echo/run" -o /dev/null -D - | grep -qi '^s3n-receipt'; }

node_start && claim || { fail "start"; finish; }
application echo echo && deploy echo && application clock clock && deploy clock || fail "deploy"
application loop loop 'limits = { timeout_ms = 700 }' && deploy loop || fail "deploy loop"
ahead 0 && pass "functions see the wall clock" || fail "functions see the wall clock"
set_clock 7200
ahead 7200 && pass "the jailed process sees it set" || { fail "the jailed process does not see it set"; finish; }
set_clock 0

# --- time limits
timed endless
for jump in 36000 -36000; do
  { sleep 0.25; set_clock "$jump"; } &
  timed endless
  wait $!
  has "it ends with the clock set by $jump" "$answer" '"code":"timeout"'
  within "after its 700 ms" 600 30000 # the jump is of ten hours
  set_clock 0
done
swing
timed endless
has "and while it swings" "$answer" '"code":"timeout"'
within "after its 700 ms" 600 30000 # the jump is of ten hours

# --- requests
wrong=0
timed eval 'for i in $(seq 60); do [ "$(fetch --data "$i" "$url/a/echo/run")" = "$i" ] || wrong=$((wrong + 1)); done'
is "60 requests are answered meanwhile" "$wrong" 0
within "and none hangs" 0 100000
stand
kill -0 "$node" && [ -n "$(pid_of slipstream)" ] && pass "nothing has crashed" || fail "nothing has crashed"
is "nor says so" "$(grep -ciE 'crash|assert|signal' "$scratch/node.log")" 0

# --- keysets: an hour is all they are valid
for jump in 36000 0 -36000 0; do
  set_clock "$jump"
  until_true 15 valid_at "$jump" && pass "a valid keyset with the clock at $jump" || fail "a valid keyset with the clock at $jump"
  until_true 5 has_receipt && pass "and receipts" || fail "and receipts"
done
login && pass "a client trusts the node" || fail "a client trusts the node"
fetch --data x "$url/a/echo/run" -o "$scratch/output" -D "$scratch/head" || fail "a request after all"

# --- signatures: the request is refused with its age, or what the node shows by then is by its validity
for jump in 4000 -4000; do
  set_clock "$jump"
  output=$(timeout 90 s3n ls 2>&1) && fail "a signature that is $jump s off is refused" "$output"
  [[ $output =~ "the signature was created "[0-9]+" s "(ago|in the future) || $output == *"not valid at this time"* ]] &&
    pass "a signature that is $jump s off is refused, saying why" || fail "a signature that is $jump s off is refused, saying why" "$output"
  set_clock 0
  until_true 10 valid_at 0
done
set_clock 0
renewed() { timeout 90 s3n ls; }
until_true 10 renewed && pass "and with the clock right again all is well" || fail "and with the clock right again all is well"

# --- a keyset that ends while nobody is there to make another: the supervisor stands still
ready() { curl -sS --max-time 60 "$admin/readyz"; }
ends() { [[ $(ready) == *"the keyset is past its end"* ]]; }
is_ready() { [ "$(ready)" = ready ]; }
until_true 10 is_ready || fail "the node is ready" "$(ready)"
kill -STOP "$node"
kill -KILL "$(pid_of s3n-keeper)"
set_clock 7200
until_true 5 ends && pass "not ready: the keyset has ended" || fail "not ready: the keyset has ended" "$(ready)"
is "503" "$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "$admin/readyz")" 503
has "status says so" "$(curl -sS --max-time 60 "$admin/status")" '"cause":"keyset"'
[[ $(curl -sS --max-time 60 "$admin/metrics" | sed -n 's/^s3n_keyset_valid_seconds //p') == -* ]] && pass "metrics say so" || fail "metrics say so"
kill -CONT "$node"
until_true 20 is_ready && pass "ready with another" || fail "ready with another" "$(ready)"
until_true 5 valid_at 7200 && pass "which is valid" || fail "which is valid"
set_clock 0
until_true 20 valid_at 0

# --- the machine's clock, a year forward and a day back, under a node that works and between two runs
export WITH_NODE=1
year=31536000 day=86400 turn=0
s3n_timed() { timeout 60 s3n -q "$@" 2>"$scratch/err"; }
with_token() { S3N_API_KEY=$1 s3n_timed ls >/dev/null; echo $?; }
operator() { timeout 60 s3n -q node "$1" --data-dir "$data" --json; }
# works NAME: all that reads, writes, is signed, dated or proved, at the clock as it is
works() {
  local name=$1
  turn=$((turn + 1))
  until_true 20 login && pass "$name: trusted" || fail "$name: trusted" "$(cat "$scratch/err")"
  is "$name: state of the beginning" "$(s3n_timed kv get echo kept forever)" first
  is "$name: state of the last turn" "$(s3n_timed kv get echo kept turn)" $((turn - 1))
  printf '%s' $turn | s3n_timed kv set echo kept turn && pass "$name: state is written" || fail "$name: state is written" "$(cat "$scratch/err")"
  printf 'short' | s3n_timed kv set echo kept brief --ttl 1000 && is "$name: what is new has its time to live" "$(s3n_timed kv get echo kept brief)" short
  printf '%s' $turn | s3n_timed secret set echo "S$turn" || fail "$name: a secret" "$(cat "$scratch/err")"
  is "$name: a new token" "$(with_token "$(s3n_timed token create --scope read --expires 1h)")" 0
  s3n_timed deploy "$scratch/echo" && pass "$name: deploy" || fail "$name: deploy" "$(cat "$scratch/err")"
  is "$name: answers" "$(invoke echo --data $turn --receipt "$scratch/receipt")" $turn
  timeout 20 s3n -q verify "$scratch/receipt" --trust-simulated >/dev/null 2>"$scratch/err" && pass "$name: its receipt" || fail "$name: its receipt" "$(cat "$scratch/err")"
  printf 'line %s' $turn | invoke noisy --data - >/dev/null 2>&1
  logged() { [[ $(s3n_timed logs noisy) == *"line $turn"* ]]; }
  until_true 10 logged && pass "$name: logs" || fail "$name: logs" "$(s3n_timed logs noisy)"
  s3n_timed audit export >"$scratch/audit" && timeout 20 s3n -q audit verify "$scratch/audit" --trust-simulated 2>"$scratch/err" &&
    pass "$name: the audit log is whole" || fail "$name: the audit log is whole" "$(cat "$scratch/err")"
  local uptime
  uptime=$(operator status | json_field uptime_s)
  [ "$uptime" -ge 0 ] && [ "$uptime" -le 2000 ] && pass "$name: how long it runs" || fail "$name: how long it runs" "$uptime"
  is "$name: what it has stored is good" "$(operator check | json_field problem_count)" 0
}
application noisy stderr && s3n_timed deploy "$scratch/noisy" || fail "deploy noisy"
printf first | s3n_timed kv set echo kept forever
printf soon | s3n_timed kv set echo kept soon --ttl 3600
printf 0 | s3n_timed kv set echo kept turn
token=$(s3n_timed token create --scope read --expires 30d)
is "the token" "$(with_token "$token")" 0
set_clock -$day
until_true 15 valid_at -$day
until_true 20 login || fail "a day back: trusted"
# What it has forgotten nonces of may not come again; another server has none to forget.
is "a day back: signatures from before what was seen" "$(s3n_timed ls >/dev/null; echo $?)" 4
has "a day back: and what helps" "$(cat "$scratch/err")" '`s3n node upgrade`'
is "a day back: a token goes on" "$(with_token "$token")" 0
is "a day back: functions, too" "$(fetch --data on "$url/a/echo/run")" on
operator upgrade >/dev/null && pass "a day back: upgrade" || fail "a day back: upgrade"
works "a day back"
is "a day back: what was to expire in an hour" "$(s3n_timed kv get echo kept soon)" soon
set_clock $year
until_true 15 valid_at $year
works "a year forward"
is "a year forward: what was to expire has" "$(s3n_timed kv get echo kept soon >/dev/null; echo $?)" 5
[[ $(s3n_timed logs noisy) != *"line $((turn - 1))"* ]] && pass "a year forward: what was logged is kept no longer" || fail "a year forward: what was logged is kept no longer"
is "a year forward: the token has, too" "$(with_token "$token")" 4
has "a year forward: and why" "$(cat "$scratch/err")" expired
between() { # NAME SECONDS
  node_stop && pass "$1: the node stops" || fail "$1: the node stops"
  set_clock "$2"
  is "$1: check at rest" "$(operator check | json_field problem_count)" 0
  node_again || { fail "$1: start"; finish; }
  works "$1"
}
between "a day before, from a year after" -$day
is "it does not come back" "$(s3n_timed kv get echo kept soon >/dev/null; echo $?)" 5
between "a year after, between two runs" $year
between "the present again" 0
node_stop && pass "the node stops" || fail "the node stops"
finish
