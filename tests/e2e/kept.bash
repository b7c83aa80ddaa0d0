#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The folder of a node as the first version left it: today's node starts on it, with all that is in it.
set -u
. "$(dirname "$0")/node.bash"
require_node kept
kept=$S3N_SOURCE/tests/data/kept/node-v1.tar.xz
mkdir -p "$data" && tar -C "$data" -xJf "$kept" || { fail "unpack"; finish; }
mv "$data/config" "$XDG_CONFIG_HOME"
chmod 700 "$data/keeper" "$data/store" && chmod 600 "$data/keeper/"* "$XDG_CONFIG_HOME"/s3n/* 2>/dev/null
# A node that root starts has users for its parts.
[ "$(id -u)" != 0 ] || chown -R 63000:63000 "$data/store"
is "check" "$(timeout 60 s3n -q node check --data-dir "$data" >"$scratch/out" 2>&1; echo $?)" 0
node_start || { fail "start"; cat "$scratch/out"; finish; }
login || fail "login: its owner's key is known"
is "applications" "$(s3n ls --json | grep -o '"application": *"[a-z]*"' | grep -o '[a-z]*"$' | sort -u | tr -d '\n')" 'other"shop"' 
is "versions" "$(s3n versions shop --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)["versions"]))')" 2
is "a function answers" "$(invoke shop --data hello)" hello
is "its state" "$(s3n -q kv get shop kept first)" one
is "its state: large" "$(s3n -q kv get shop kept second | wc -c)" 9000
is "its state: removed" "$(s3n -q kv get shop kept third >/dev/null 2>&1; echo $?)" 5
is "the version before" "$(s3n -q rollback shop >/dev/null 2>&1; invoke shop --data back)" back
printf new | s3n -q kv set shop kept fourth && is "it goes on" "$(s3n -q kv get shop kept fourth)" new
node_stop
is "stop" $? 0
is "check again" "$(timeout 60 s3n -q node check --data-dir "$data" >/dev/null 2>&1; echo $?)" 0
finish
