#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Backups of a node that works, and what becomes of them: on another node of the same root, of another root, cut,
# changed, in the place of what is there.
set -u
. "$(dirname "$0")/node.bash"
require_node backup
code() { timeout 100 "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$scratch/out" "$1"; }
restore() { code s3n --json node restore --data-dir "$@"; }
node_start || { fail "start"; finish; }
claim || fail "claim"
application shop echo && deploy shop || fail "deploy"
for i in 1 2 3; do printf 'CANARY-%s' "$i" | s3n -q kv set shop numbers "k$i"; done
head -c 200000 /dev/urandom >"$scratch/value"
for i in $(seq 20); do s3n -q kv set shop large "k$i" --file "$scratch/value"; done
first=$data
# Secrets, keys and a log, of an application that has them all.
application vault custody 'abi = "reactor"
permissions.secrets = ["KEY"]
permissions.keys = ["p256:k", "hkdf:k", "x25519:k"]'
sed -i 's|^route = "/run"|route = "/:what"|' "$scratch/vault/s3n.toml"
deploy vault 2>/dev/null || fail "deploy vault"
ask() { timeout 90 curl -sk --data-binary "$2" "$url/a/vault/$1"; }
printf 'CANARY-one' | s3n -q secret set vault KEY && printf 'CANARY-two' | s3n -q secret rotate vault KEY --overlap 36000 || fail "secrets"
keys() { echo "$(ask public 'k 1') $(ask public 'k 4') $(ask derive 'k 32') $(ask sign 'k 1 text')"; }
keys_before=$(keys)
ask leak KEY >/dev/null
logged() { [[ $(timeout 90 s3n logs vault) == *"***"* ]]; }
until_true 10 logged || fail "a log"

# --- status
is "status" "$(code s3n --json node status --data-dir "$data")" 0
is "status: where it listens" "$(field listen)" "${url#https://}"
is "status: its process" "$(field process)" "$node"
is "status: applications" "$(field applications)" 2
is "status: problems" "$(field problems)" "[]"
has "status: for people" "$(s3n node status --data-dir "$data")" "SIMULATED"
is "the operator's socket: mode" "$(stat -c %a "$data/control")" 600
is "status: of a folder without a node" "$(code s3n node status --data-dir "$scratch/none")" 7
python3 - "$data/control" <<'PY' && pass "the operator's socket: nonsense ends that connection alone" || fail "nonsense"
import socket, struct, sys
for frame in [b"\xff" * 64, struct.pack("<IHHI", 0, 77, 0, 1), struct.pack("<IHHI", 0, 2, 0, 1), struct.pack("<IHHI", 1 << 30, 1, 0, 1)]:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(sys.argv[1])
    peer.settimeout(10)
    peer.sendall(frame)
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
PY

# --- while it works
writer() { local i=0; while :; do i=$((i + 1)); printf '%s' "$i" | timeout 90 s3n -q kv set shop live count || exit; echo "$i" >"$scratch/count.new"; mv "$scratch/count.new" "$scratch/count"; done; }
writer &
writer=$!
until_true 20 test -s "$scratch/count"
from=$(cat "$scratch/count")
is "backup: of a working node" "$(code s3n --json node backup --data-dir "$data" "$scratch/one.backup")" 0
to=$(($(cat "$scratch/count") + 1))
kill "$writer"; wait "$writer" 2>/dev/null
is "backup: mode" "$(stat -c %a "$scratch/one.backup")" 600
is "backup: nothing is left of it" "$(ls "$data/store" | grep -c backup)" 0
grep -qaE 'CANARY|Q0FOQVJZ|43414e415259|SQLite|shop|applications' "$scratch/one.backup" &&
  fail "backup: in the clear" || pass "backup: nothing of it is in the clear"
is "backup: the node goes on" "$(invoke shop --data on)" on
is "backup: to a place that is not there" "$(code s3n node backup --data-dir "$data" "$scratch/no/where")" 5
is "restore: a node runs there" "$(restore "$data" "$scratch/one.backup" --replace)" 9
# A second copy at the same time, and one whose operator goes away
timeout 0.05 s3n node backup --data-dir "$data" "$scratch/two.backup" 2>/dev/null
until_true 20 s3n -q node backup --data-dir "$data" "$scratch/two.backup" && pass "backup: after one that was abandoned" || fail "abandoned"
printf after | s3n -q kv set shop numbers late
printf 'CANARY-three' | s3n -q secret set vault KEY
node_stop
is "stop" $? 0

# --- without a node
is "backup: of a node at rest" "$(code s3n --json node backup --data-dir "$data" "$scratch/rest.backup")" 0

# --- another node of the same root
is "init: with that root" "$(code s3n node init --data-dir "$scratch/second" --root "$first/keeper/root")" 0
is "restore" "$(restore "$scratch/second" "$scratch/one.backup")" 0
is "restore: what it has" "$(field applications)$(field versions)$(field states)" 221
is "restore: it is good" "$(code s3n node check --data-dir "$scratch/second")" 0
is "restore: there is something already" "$(restore "$scratch/second" "$scratch/one.backup")" 3
data=$scratch/second
node_start || fail "start of the other node"
login || fail "login"
is "the other node answers" "$(invoke shop --data there)" there
is "the other node has the state" "$(s3n -q kv get shop numbers k2)" CANARY-2
s3n -q kv get shop large k20 >"$scratch/back"
cmp -s "$scratch/value" "$scratch/back" && pass "the other node has the state: large" || fail "the other node has the state: large"
count=$(s3n -q kv get shop live count)
[ "${count:-0}" -ge "$from" ] && [ "$count" -le "$to" ] && pass "the state is of the moment of the backup" || fail "the moment" "$count not in $from..$to"
is "what came later is not there" "$(code s3n -q kv get shop numbers late)" 5
is "the other node has the secrets of the backup" "$(ask secret KEY) $(ask secret 'KEY 1') $(ask secret 'KEY 3' | cut -c 1-3)" "CANARY-two CANARY-one -4 "
is "the other node has the keys" "$(keys)" "$keys_before"
is "the other node has no logs of the first" "$(s3n -q logs vault 2>/dev/null)" ""
ask leak KEY >/dev/null
until_true 10 logged && pass "the other node logs" || fail "the other node logs"
is "the other node takes secrets, sealed to its own keyset" "$(printf new | s3n -q secret set vault KEY; ask secret KEY)" new
is "their numbers go on from the backup" "$(s3n -q secret ls vault --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["secrets"][0]["next"])')" 4
is "the other node takes sealed requests" "$(timeout 90 s3n invoke shop/f --seal --data sealed)" sealed
printf x | s3n -q kv set shop numbers new && pass "the other node writes" || fail "the other node writes"
node_stop
node_start && is "the other node starts again" "$(login; s3n -q kv get shop numbers new)" x
node_stop

# --- in the place of what is there, from later to earlier
is "restore: --replace" "$(restore "$first" "$scratch/one.backup" --replace)" 0
is "restore: what was there is kept" "$(ls -d "$first"/store.before-*/store.db | wc -l)" 1
is "restore: check" "$(code s3n node check --data-dir "$first")" 0
is "restore: from rest" "$(restore "$first" "$scratch/rest.backup" --replace)" 0
data=$first
node_start && login && is "the state of the later backup" "$(s3n -q kv get shop numbers late)" after
node_stop

# --- the way back from a newer S3N, which changed the form of the stores and left a backup of before
cp "$scratch/rest.backup" "$first/store/before-schema-2.backup"
python3 -c 'import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version=2")' "$first/store/store.db"
: >"$scratch/node.log"
node_start 2>/dev/null && fail "stores of a newer S3N: it starts" || pass "stores of a newer S3N: it does not start"
wait "$node"
node=
has "stores of a newer S3N: the log names the way back" "$(cat "$scratch/node.log")" "the way back is before-schema-2.backup"
is "stores of a newer S3N: check" "$(code s3n node check --data-dir "$first")" 6
has "stores of a newer S3N: check names it, too" "$(cat "$scratch/err")" "the way back is before-schema-2.backup"
is "the way back" "$(restore "$first" "$first/store/before-schema-2.backup" --replace)" 0
node_start && login && is "the way back: the state" "$(s3n -q kv get shop numbers late)" after
node_stop

# --- what is refused, with nothing changed
refused() { # NAME FILE TEXT
  is "refused: $1" "$(restore "$scratch/second" "$2" --replace)" "${4:-6}"
  has "refused: $1: says so" "$(cat "$scratch/err")" "$3"
  is "refused: $1: nothing is left" "$(ls -d "$scratch/second"/store.restored 2>/dev/null)" ""
}
cp "$scratch/one.backup" "$scratch/bad"
truncate -s -1 "$scratch/bad"
refused "cut by a byte" "$scratch/bad" "cut"
truncate -s 300000 "$scratch/bad"
refused "cut in the middle" "$scratch/bad" "cut"
for at in 20 600 400000; do
  cp "$scratch/one.backup" "$scratch/bad"
  printf '\377' | dd of="$scratch/bad" bs=1 seek=$at conv=notrunc 2>/dev/null
  cmp -s "$scratch/bad" "$scratch/one.backup" && printf '\001' | dd of="$scratch/bad" bs=1 seek=$at conv=notrunc 2>/dev/null
  refused "a byte changed at $at" "$scratch/bad" "changed"
done
{ cat "$scratch/one.backup"; echo; } >"$scratch/bad"
refused "something behind its end" "$scratch/bad" "more follows"
refused "no backup at all" "$S3N_BUILD/bin/s3n" "not a backup" 3
: >"$scratch/bad"
refused "an empty file" "$scratch/bad" "not a backup" 3
is "init: with another root" "$(code s3n node init --data-dir "$scratch/third")" 0
is "refused: another root" "$(restore "$scratch/third" "$scratch/one.backup")" 6
has "refused: another root: says so" "$(cat "$scratch/err")" "another root"
cp "$first"/store/* "$scratch/third/store/" 2>/dev/null || { mkdir -p "$scratch/third/store"; cp "$first"/store/* "$scratch/third/store/"; }
timeout 90 s3nd --data-dir "$scratch/third" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}" >/dev/null 2>"$scratch/err"
is "a store beside another root's keeper: the node does not start" "$(( $? == 0 || $? == 124 ))" 0
has "a store beside another root's keeper: says so" "$(cat "$scratch/err")" "root"
is "what was refused changed nothing" "$(code s3n node check --data-dir "$scratch/second")" 0
finish
