#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The wall clock is set while the node works, by hours, forward and back: for each of its processes, jailed ones
# too, by a preloaded library.  What has a time limit keeps it, what needs no wall clock notices nothing, and a
# node whose keyset is not valid any more makes another.
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
PATH=$scratch/bin:$PATH
# By our own clock its certificate is often not valid.
fetch() { curl -sS --insecure --max-time 30 "$@"; }

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
  dates=$(timeout 10 openssl s_client -connect "${url#https://}" </dev/null 2>/dev/null | openssl x509 -noout -dates) || return 1
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
  output=$(timeout 20 s3n ls 2>&1) && fail "a signature that is $jump s off is refused" "$output"
  [[ $output =~ "the signature was created "[0-9]+" s "(ago|in the future) || $output == *"not valid at this time"* ]] &&
    pass "a signature that is $jump s off is refused, saying why" || fail "a signature that is $jump s off is refused, saying why" "$output"
  set_clock 0
  until_true 10 valid_at 0
done
set_clock 0
renewed() { timeout 20 s3n ls; }
until_true 10 renewed && pass "and with the clock right again all is well" || fail "and with the clock right again all is well"

# --- a keyset that ends while nobody is there to make another: the supervisor stands still
ready() { curl -sS --max-time 10 "$admin/readyz"; }
ends() { [[ $(ready) == *"the keyset is past its end"* ]]; }
is_ready() { [ "$(ready)" = ready ]; }
until_true 10 is_ready || fail "the node is ready" "$(ready)"
kill -STOP "$node"
kill -KILL "$(pid_of s3n-keeper)"
set_clock 7200
until_true 5 ends && pass "not ready: the keyset has ended" || fail "not ready: the keyset has ended" "$(ready)"
is "503" "$(curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "$admin/readyz")" 503
has "status says so" "$(curl -sS --max-time 10 "$admin/status")" '"cause":"keyset"'
[[ $(curl -sS --max-time 10 "$admin/metrics" | sed -n 's/^s3n_keyset_valid_seconds //p') == -* ]] && pass "metrics say so" || fail "metrics say so"
kill -CONT "$node"
until_true 20 is_ready && pass "ready with another" || fail "ready with another" "$(ready)"
until_true 5 valid_at 7200 && pass "which is valid" || fail "which is valid"
set_clock 0
node_stop && pass "the node stops" || fail "the node stops"
finish
