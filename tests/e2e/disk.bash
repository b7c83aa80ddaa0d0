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
application large echo
head -c $((8 << 20)) /dev/urandom >"$scratch/large/module.wasm"
output=$(timeout 60 s3n -q deploy "$scratch/large" 2>&1)
is "a full disk: exit code" $? 7
has "a full disk: says so" "$output" "full"
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
is "after a restart" "$(invoke echo --data kept)$(invoke more --data both)" keptboth
node_stop
is "stop again" $? 0
finish
