#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a node's operator does: a node set up and run by `s3n node`, and its data proved; whatever was changed in it
# is found and named.
set -u
. "$(dirname "$0")/node.bash"
require_node operations
code() { timeout 60 "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
check() { code s3n --json node check --data-dir "$data"; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$scratch/out" "$1"; }
# sql FILE STATEMENT
sql() { python3 -c 'import sqlite3,sys
with sqlite3.connect(sys.argv[1]) as database: database.execute(sys.argv[2])' "$data/store/$1" "$2"; }

# flip FILE: each of its bytes is another
flip() { python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    content = file.read()
    file.seek(0)
    file.write(bytes(byte ^ 1 for byte in content))' "$1"; }

# --- init
is "init" "$(code s3n --json node init --data-dir "$data" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}")" 0
is "init: the platform" "$(field platform)" sim
node_id=$(field node)
is "init: mode of the root secret" "$(stat -c %a "$data/keeper/root")" 600
has "init: what was given is set" "$(cat "$data/s3nd.toml")" 'listen = "127.0.0.1:0"'
is "init: twice" "$(code s3n node init --data-dir "$data")" 3
rm -f "$data/s3nd.toml.kept"
mv "$data/s3nd.toml" "$data/s3nd.toml.kept"
is "init: where a node was" "$(code s3n node init --data-dir "$data")" 3
has "init: says so" "$(cat "$scratch/err")" "there is a node already"
mv "$data/s3nd.toml.kept" "$data/s3nd.toml"
is "check: nothing has run" "$(check)" 5
head -c 31 /dev/zero >"$scratch/short-root"
chmod 600 "$scratch/short-root"
is "init: a root secret that is none" "$(code s3n node init --data-dir "$scratch/other" --root "$scratch/short-root")" 3
cp "$data/keeper/root" "$scratch/open-root"
chmod 644 "$scratch/open-root"
is "init: a root secret that others can read" "$(code s3n node init --data-dir "$scratch/other" --root "$scratch/open-root")" 4
is "init: refused, so nothing is left" "$(ls "$scratch/other" 2>/dev/null)" ""

# --- run
mkfifo "$scratch/ready"
s3n node run --data-dir "$data" >"$scratch/ready" 2>>"$scratch/node.log" &
node=$!
read -r -t 60 line <"$scratch/ready"
rm -f "$scratch/ready"
url=${line#ready url=} url=${url%% *} admin=${line##*admin=}
[[ $url == https://* ]] && pass "run" || { fail "run" "$line"; finish; }
claim || fail "claim"
application shop echo && application other stderr
deploy shop && deploy other || fail "deploy"
is "run: answers" "$(invoke shop --data hello)" hello
invoke other --data CANARY >/dev/null 2>&1 # logs it
logged() { [ "$(check)" = 0 ] && [ "$(field log_segments)" -ge 1 ]; }
for i in $(seq 20); do printf '%s' "$i" | s3n -q kv set shop numbers "k$i"; done
printf x | s3n -q kv set other numbers k
# --- check: of a node that works
is "check: a node runs there" "$(check)" 0
is "check: a node runs there: applications" "$(field applications)" 2
is "check: a node runs there: states" "$(field states)" 2
is "check: a node runs there: problems" "$(field problem_count) $(field problems)" "0 []"
until_true 10 logged && [ "$(field audit_entries)" -ge 2 ] && pass "check: a node runs there: logs and audit" ||
  fail "check: a node runs there: logs and audit" "$(cat "$scratch/out")"
writes() { local i=0; while [ ! -e "$scratch/enough" ]; do i=$((i + 1)); printf '%s' "$i" | timeout 90 s3n -q kv set shop live count || echo "write $i"; done; }
writes >"$scratch/refused" &
writer=$!
writes >"$scratch/refused-too" &
writers="$writer $!"
for i in $(seq 12); do is "check: while it is written, $i" "$(check) $(field problems)" "0 []"; done
timeout 0.05 s3n node check --data-dir "$data" 2>/dev/null
until_true 20 s3n -q node check --data-dir "$data" && pass "check: after one that was abandoned" || fail "check: after one that was abandoned"
: >"$scratch/enough"
# shellcheck disable=SC2086 # two
wait $writers
is "check: no write was refused" "$(cat "$scratch/refused" "$scratch/refused-too")" ""
is "check: nothing is left of it" "$(ls "$data/store" | grep -c check)" 0
is "check: the node goes on" "$(invoke shop --data on)" on
node_stop
is "run: ends well" $? 0
cp -a "$data" "$scratch/good"
good() { rm -rf "$data"; cp -a "$scratch/good" "$data"; }

# --- check
is "check" "$(check)" 0
is "check: applications" "$(field applications)" 2
is "check: versions" "$(field versions)" 2
is "check: states" "$(field states)" 2
is "check: problems" "$(field problems)" "[]"
[ "$(field audit_entries)" -ge 2 ] && [ "$(field blobs)" -ge 2 ] && [ "$(field records)" -gt 20 ] &&
  pass "check: counts" || fail "check: counts" "$(cat "$scratch/out")"
is "check: twice" "$(check)" 0
# found NAME PART: what check says after a change
found() {
  is "check: $1" "$(check)" 6
  has "check: $1: says so" "$(cat "$scratch/out")" "$2"
  good
}
sql store.db "UPDATE record SET value = CAST(substr(value, 1, 60) || x'5a' || substr(value, 62) AS BLOB) WHERE key LIKE 'versions/shop/%'"
found "a changed version" "versions/shop"
sql store.db "UPDATE chunk SET content = CAST(substr(content, 1, 60) || x'5a' || substr(content, 62) AS BLOB) WHERE blob = 1"
found "a changed blob" "sha256:"
sql store.db "DELETE FROM chunk WHERE blob = 1"
found "a blob without content" "missing"
sql store.db "DELETE FROM blob WHERE id = 1"
found "a blob that is missing" "versions"
sql store.db "DELETE FROM record WHERE key LIKE 'audit/%'"
found "an audit log that was cut" "not those that were written last"
sql state.db "UPDATE record SET value = (SELECT value FROM record WHERE space LIKE 'kv/%' AND key != 'head' LIMIT 1) WHERE space LIKE 'kv/%' AND key != 'head'"
found "a state's records in each other's places" "state"
sql state.db "DELETE FROM record WHERE key = 'head'"
found "a state without its head" "not those that were written last"
flip "$data/keeper/anchor"
found "what the keeper remembers was changed" "state"
head -c 4096 "$scratch/good/store/store.db" >"$data/store/store.db"
found "a store that was cut" "store"
# A change of every column of every table, and of every file of the keeper.
output=$(python3 "$here/check_columns.py" "$scratch/good" "$data" 2>&1) && pass "check: every column ($output)" || fail "check: every column" "$output"
good
# The node starts, and knows it only when asked.
sql store.db "UPDATE chunk SET content = CAST(substr(content, 1, 60) || x'5a' || substr(content, 62) AS BLOB)"
node_start --config "$data/s3nd.toml" || fail "start with a changed blob"
is "check: a node runs there on a changed blob" "$(check)" 6
has "check: a node runs there on a changed blob: says so" "$(cat "$scratch/out")" "sha256:"
has "check: a node runs there on a changed blob: its log" "$(cat "$scratch/node.log")" "result=problems"
node_stop
good
rm -f "$data/store/store.db"*
is "check: no store" "$(check)" 5
good

# --- a node from the same folder goes on
node_start --config "$data/s3nd.toml" || fail "start again"
login || fail "login"
is "after all of it: answers" "$(invoke shop --data again)" again
is "after all of it: its state" "$(s3n -q kv get shop numbers k7)" 7
has "after all of it: the same node" "$(fetch "$url/.well-known/s3n/info")" "$node_id"
printf x | s3n -q secret set shop password
node_stop

# --- an older copy of the node's own store as a whole: accounts, versions, tokens, secrets, audit log
is "an older store: not before" "$(check)" 0
mv "$data/store/store.db" "$scratch/newest.db"
cp -a "$scratch/good/store/store.db" "$data/store/store.db"
is "an older store: check" "$(check)" 6
has "an older store: check says so" "$(cat "$scratch/out")" "an older copy was put in its place"
node_start --config "$data/s3nd.toml" >/dev/null 2>&1 && { fail "an older store: refused"; node_stop; } || pass "an older store: refused"
wait "$node"
has "an older store: the reason" "$(tail -n 20 "$scratch/node.log")" "an older copy was put in its place"
cp -a "$scratch/newest.db" "$data/store/store.db"
is "an older store: the newest again" "$(check)" 0
# --- taken as it is: said by the operator, told to the owners
accept() { timeout 60 s3n node accept --data-dir "$data" "$@" >"$scratch/out" 2>&1; echo $?; }
is "accept: nothing to do" "$(accept) $(grep -c 'nothing to accept' "$scratch/out")" "0 1"
cp -a "$scratch/good/store/store.db" "$data/store/store.db"
sql store.db "UPDATE chunk SET content = CAST(substr(content, 1, 60) || x'5a' || substr(content, 62) AS BLOB) WHERE blob = 1"
is "accept: what is not good" "$(accept)" 6
has "accept: what is not good: says so" "$(cat "$scratch/out")" "sha256:"
cp -a "$scratch/good/store/store.db" "$data/store/store.db"
is "accept: and nothing was remembered" "$(check)" 6
is "accept: an older store" "$(accept --json) $(field accepted)" "0 True"
is "accept: an older store: check" "$(check)" 0
# What an S3N wrote that tells the keeper nothing of it.
cp -a "$data/keeper/anchor" "$scratch/anchor"
node_start --config "$data/s3nd.toml" || fail "accept: start"
login || fail "accept: login"
has "accept: the owner's log tells of it" "$(timeout 90 s3n -q audit export)" "stores-accepted"
has "accept: and the event log" "$(fetch --insecure "$url/.well-known/s3n/events")" '"change":"stores-accepted"'
is "accept: a node that runs" "$(accept)" 9
printf later | s3n -q kv set shop numbers later
application third echo && deploy third && deploy third || fail "accept: deploy"
node_stop
cp -a "$scratch/anchor" "$data/keeper/anchor"
is "accept: written by another S3N" "$(check)" 6
has "accept: written by another S3N: check says so" "$(cat "$scratch/out")" "by an older S3N maybe"
has "accept: and what to do" "$(cat "$scratch/out")" "s3n node accept"
is "accept: taken" "$(accept)" 0
is "accept: taken: check" "$(check)" 0
node_start --config "$data/s3nd.toml" || fail "accept: start again"
login || fail "accept: login again"
is "accept: taken: what was written is there" "$(s3n -q kv get shop numbers later)" later
node_stop
# --- what the keeper remembers was damaged
flip "$data/keeper/anchor"
cp -a "$data/keeper/anchor" "$scratch/damaged"
: >"$scratch/node.log"
node_start --config "$data/s3nd.toml" >/dev/null 2>&1 && { fail "a damaged anchor: refused"; node_stop; } || pass "a damaged anchor: refused"
wait "$node"
node=
has "a damaged anchor: the reason, and what to do" "$(cat "$scratch/node.log")" 'keeper/anchor) does not open: `s3n node accept`'
is "a damaged anchor: check" "$(check)" 6
has "a damaged anchor: check says so, too" "$(cat "$scratch/out")" 'does not open: `s3n node accept`'
cp -a "$data/store/store.db" "$scratch/newest.db"
sql store.db "UPDATE chunk SET content = CAST(substr(content, 1, 60) || x'5a' || substr(content, 62) AS BLOB) WHERE blob = 1"
is "a damaged anchor: and a store that is not good" "$(accept)" 6
cmp -s "$data/keeper/anchor" "$scratch/damaged" && pass "a damaged anchor: is not forgotten then" || fail "a damaged anchor: is not forgotten then"
cp -a "$scratch/newest.db" "$data/store/store.db"
is "a damaged anchor: accept" "$(accept --json) $(field accepted)" "0 True"
is "a damaged anchor: accept: nothing more to do" "$(accept --json) $(field accepted)" "0 False"
is "a damaged anchor: accept: check" "$(check)" 0
cp -a "$data/store/store.db" "$scratch/newest.db"
cp -a "$scratch/good/store/store.db" "$data/store/store.db"
is "a damaged anchor: accept: an older store is noticed again" "$(check)" 6
cp -a "$scratch/newest.db" "$data/store/store.db"
node_start --config "$data/s3nd.toml" || fail "a damaged anchor: start"
login || fail "a damaged anchor: login"
has "a damaged anchor: the owner's log tells of it" "$(timeout 20 s3n -q audit export)" "though the keeper remembered nothing"
is "a damaged anchor: what was written is there" "$(s3n -q kv get shop numbers later)" later
printf more | s3n -q kv set shop numbers later && pass "a damaged anchor: what is new is written" || fail "a damaged anchor: what is new is written"
node_stop
is "a damaged anchor: all is good" "$(check)" 0

# --- room that is free in the files goes back to the disk
head -c 200000 /dev/urandom >"$scratch/value"
node_start --config "$data/s3nd.toml" && login || fail "compact: start"
for i in $(seq 12); do s3n -q kv set shop large "k$i" --file "$scratch/value"; done
for i in $(seq 12); do s3n -q kv rm shop large "k$i"; done
is "compact: a node runs there" "$(code s3n node check --data-dir "$data" --compact)" 9
has "compact: a node runs there: says so" "$(cat "$scratch/err")" "wants it stopped"
node_stop
cp -a "$data/store" "$scratch/store"
sql store.db "UPDATE chunk SET content = CAST(substr(content, 1, 60) || x'5a' || substr(content, 62) AS BLOB) WHERE blob = 1"
size=$(stat -c %s "$data/store/state.db")
is "compact: what is not good stays as it is" "$(code s3n node check --data-dir "$data" --compact) $(stat -c %s "$data/store/state.db")" "6 $size"
rm -rf "$data/store" && cp -a "$scratch/store" "$data/store"
is "compact" "$(code s3n --json node check --data-dir "$data" --compact)" 0
[ "$(field freed_bytes)" -gt 2000000 ] && [ "$(stat -c %s "$data/store/state.db")" -lt $((size - 2000000)) ] &&
  pass "compact: the room is given back" || fail "compact: the room is given back" "$(cat "$scratch/out") $size"
is "compact: owner and mode stay" "$(stat -c '%u %g %a' "$data/store/state.db")" "$(stat -c '%u %g %a' "$scratch/store/state.db")"
is "compact: nothing else is there" "$(ls "$data/store" | grep -vxE '(store|state|logs)\.db')" ""
is "compact: all is good, and of the age that the keeper remembers" "$(check)" 0
is "compact: nothing more to give" "$(code s3n --json node check --data-dir "$data" --compact; field freed_bytes)" "0
0"
node_start --config "$data/s3nd.toml" && login || fail "compact: start again"
is "compact: the state" "$(s3n -q kv get shop numbers later) $(invoke shop --data still)" "more still"
node_stop
# --- where no node has run: nothing is made
for verb in "check" "backup $scratch/none.backup"; do
  # shellcheck disable=SC2086
  output=$(timeout 90 s3n node $verb --data-dir "$scratch/nowhere" 2>&1)
  is "no node: ${verb%% *}" "$?" 5
  [ ! -e "$scratch/nowhere" ] && pass "no node: ${verb%% *} makes nothing" || fail "no node: ${verb%% *} makes nothing"
done
finish
