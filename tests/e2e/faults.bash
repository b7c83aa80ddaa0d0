#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk that becomes full, and one that can't be written any more, under a node that works: it says that it is not
# well, serves what it can, loses nothing that it acknowledged, and recovers. (e2e/clock.bash has the clock.)
set -u
. "$(dirname "$0")/node.bash"
require_node faults
[ "$(id -u)" = 0 ] || skip_all faults "file systems can't be mounted here (needs root)"
image=$scratch/disk.img
mkdir -p "$data"
ready() { curl -sS -o "$scratch/ready.txt" -w '%{http_code}' --max-time 60 "http://${admin#http://}/readyz"; }
is_ready() { [ "$(ready)" = "$1" ]; }
set_kv() { printf '%s' "$2" | timeout 90 s3n -q kv set "$1" fault "k$2" 2>"$scratch/err"; }
# Writes until one is refused; $last is the last that was acknowledged.
write_until_refused() {
  for ((at = last + 1; at < last + 400; at++)); do
    { head -c 100000 /dev/zero | tr '\0' x; printf '%s' "$at"; } | timeout 90 s3n -q kv set shop fault "k$at" 2>"$scratch/err" || return 0
    last=$at
  done
  return 1
}
all_there() {
  local i
  for ((i = 1; i <= last; i++)); do
    [[ $(timeout 90 s3n -q kv get shop fault "k$i") == *x"$i" ]] || { echo "k$i is missing of $last"; return 1; }
  done
}
begin() {
  last=0
  node_start && claim && application shop echo && deploy shop || { fail "$1: start"; return 1; }
  is "$1: ready at first" "$(ready)" 200
}

# --- full
if mount -t tmpfs -o size=5m,mode=755 none "$data" 2>/dev/null; then
  begin full
  write_until_refused && pass "full: a write is refused" || fail "full: a write is refused"
  has "full: and says why" "$(cat "$scratch/err")" "full"
  [ $last -ge 3 ] && pass "full: $last writes before" || fail "full: writes before" "$last"
  until_true 20 is_ready 503 && pass "full: not ready" || fail "full: not ready"
  has "full: and says why it is not ready" "$(cat "$scratch/ready.txt")" "store"
  is "full: status" "$(timeout 90 s3n node status --data-dir "$data" >"$scratch/status"; echo $?)" 7
  has "full: status says why" "$(cat "$scratch/status")" "store"
  is "full: functions answer" "$(invoke shop --data still)" still
  is "full: all that was acknowledged can be read" "$(all_there)" ""
  is "full: a deployment is refused" "$(application more counter; deploy more >/dev/null 2>&1; echo $?)" 7
  mount -o remount,size=40m "$data"
  until_true 20 is_ready 200 && pass "full: ready when there is room" || fail "full: ready when there is room" "$(cat "$scratch/ready.txt")"
  { head -c 100000 /dev/zero | tr '\0' x; printf '%s' $((last + 1)); } | s3n -q kv set shop fault "k$((last + 1))" && last=$((last + 1)) &&
    pass "full: writes go on" || fail "full: writes go on"
  deploy more && pass "full: deployments go on" || fail "full: deployments go on"
  node_stop
  is "full: check" "$(timeout 60 s3n -q node check --data-dir "$data" >/dev/null 2>&1; echo $?)" 0
  node_again && login && is "full: all is there after a restart" "$(all_there)" ""
  node_stop
  umount "$data"
else
  skip "a full disk" "tmpfs can't be mounted here"
fi

# --- read-only: ext4 after an error of its own
truncate -s 48M "$image"
disk=
if mkfs.ext4 -q "$image" 2>/dev/null && mount -o loop,errors=remount-ro "$image" "$data" 2>/dev/null; then
  disk=$(basename "$(findmnt -no SOURCE "$data")")
fi
if [[ $disk =~ ^loop[0-9]+$ && -w /sys/fs/ext4/$disk/trigger_fs_error ]]; then
  rm -rf "$scratch/config"
  begin read-only
  for i in 1 2 3 4 5; do { printf x; printf '%s' $i; } | s3n -q kv set shop fault "k$i" && last=$i; done
  is "read-only: writes before" $last 5
  echo "a test" >"/sys/fs/ext4/$disk/trigger_fs_error"
  touch "$data/probe" 2>/dev/null && fail "read-only: it is" || pass "read-only: it is"
  printf x6 | timeout 90 s3n -q kv set shop fault k6 2>"$scratch/err" && fail "read-only: a write is refused" || pass "read-only: a write is refused"
  until_true 20 is_ready 503 && pass "read-only: not ready" || fail "read-only: not ready"
  is "read-only: functions answer" "$(invoke shop --data still)" still
  is "read-only: all that was acknowledged can be read" "$(all_there)" ""
  is "read-only: status" "$(timeout 90 s3n node status --data-dir "$data" >/dev/null; echo $?)" 7
  node_stop
  is "read-only: a start says so" "$(timeout 90 s3nd --data-dir "$data" --listen 127.0.0.1:0 >/dev/null 2>"$scratch/err"; echo $?)" 4
  has "read-only: and why" "$(cat "$scratch/err")" "Read-only"
  umount "$data"
  e2fsck -fp "$image" >/dev/null 2>&1
  mount -o loop "$image" "$data"
  is "read-only: check when it can be written again" "$(timeout 60 s3n -q node check --data-dir "$data" >/dev/null 2>&1; echo $?)" 0
  node_again && login && is "read-only: all is there afterwards" "$(all_there)" ""
  printf x6 | s3n -q kv set shop fault k6 && pass "read-only: writes go on" || fail "read-only: writes go on"
  node_stop
  umount "$data"
else
  ! mountpoint -q "$data" || umount "$data"
  skip "a read-only disk" "ext4 can't be mounted here, or takes no orders"
fi
finish
