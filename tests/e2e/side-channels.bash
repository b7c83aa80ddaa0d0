#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What time and size tell: padded answers look alike on the wire, answers keep to their raster, clocks are coarse.
set -u
. "$(dirname "$0")/node.bash"
require_node side-channels
node_start && claim || { fail "start"; finish; }
application plain echo
application powers echo 'pad_output = "power-of-two"'
application fixed echo 'pad_output = 65536'
application failing trap 'pad_output = 65536'
application late echo 'pad_time = "300ms"'
application late-trap trap 'pad_time = "300ms"'
application clock clock
application clock-fine clock 'clock_resolution = "0"'
for name in plain powers fixed failing late late-trap clock clock-fine; do
  deploy $name || fail "deploy $name"
done
# wire APP SIZE: bytes, milliseconds, status, microseconds that are told
wire() { timeout 90 python3 "$here/wire.py" "${url#https://}" "/a/$1/run" "$2"; }
bytes_of() { wire "$@" | cut -d' ' -f1; }

# --- sizes
plain=$(bytes_of plain 10)
[ "$(bytes_of plain 300)" != "$plain" ] && pass "unpadded answers of two sizes differ" || fail "unpadded answers of two sizes differ"
# How large the head is, with its receipt, is not this test's business.
head=$(bytes_of plain 0)
class=1024
while [ $class -lt $((head + 600)) ]; do class=$((class * 2)); done
room=$((class - head))
powers=$(bytes_of powers $((room - 500)))
is "two sizes below a power of two" "$(bytes_of powers $((room - 100)))" "$powers"
larger=$(bytes_of powers $((room + 200)))
[ "$larger" -gt "$powers" ] && pass "a size above it is of another class" || fail "a size above it is of another class" "$larger"
is "of which a larger one is too" "$(bytes_of powers $((room + class / 2)))" "$larger"
fixed=$(bytes_of fixed 1)
[ "$fixed" -gt 65536 ] && [ "$fixed" -lt 66000 ] && pass "filled up to 64 KiB" || fail "filled up to 64 KiB" "$fixed"
is "whatever is in it" "$(bytes_of fixed 60000)" "$fixed"
is "also a failure" "$(bytes_of failing 1)" "$fixed"
[ "$(bytes_of fixed 70000)" -gt 131072 ] && pass "twice that for more" || fail "twice that for more"

# --- times: never earlier than the raster, and nothing finer is told
for name in late late-trap; do
  read -r _ ms status us < <(wire $name 10)
  [ "${ms:-0}" -ge 299 ] && pass "$name: not before its time" || fail "$name: not before its time" "$ms ms"
  is "$name: what is told" "$us" 300000
  is "$name: status" "$status" "$([ $name = late ] && echo 200 || echo 500)"
done
read -r _ ms _ us < <(wire plain 10)
[ "$us" -lt 300000 ] && pass "without padding the time is told" || fail "without padding the time is told" "$us"

# --- clocks
# clocks APP: resolution and reading of the monotonic and the realtime clock
clocks() { fetch -X POST "$url/a/$1/run" | od -An -v -t u8 | tr -s ' \n' ' '; }
read -r resolution now wall_resolution wall < <(clocks clock)
is "a coarse clock by default" "$resolution $wall_resolution" "1000000 1000000"
is "reads whole milliseconds" "$((now % 1000000)) $((wall % 1000000))" "0 0"
[ $((wall / 1000000000 - $(date +%s))) -ge -5 ] && pass "and the right time" || fail "and the right time" "$wall"
read -r resolution now _ _ < <(clocks clock-fine)
is "a fine one if it is asked for" "$resolution" 1
node_stop
is "stop" $? 0
finish
