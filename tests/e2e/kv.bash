#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An application's sealed state from its owner's side: the API, the command line, export and import, kill -9 and
# a disk that was changed.
set -u
. "$(dirname "$0")/node.bash"
require_node kv
node_start || { fail "start"; finish; }
claim || fail "claim"
application shop echo
application other echo
deploy shop && deploy other || fail "deploy"
kv() { timeout 90 s3n -q kv "$@"; }
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }

# --- values
printf 'eins' | kv set shop carts a && pass "set" || fail "set"
is "get" "$(kv get shop carts a)" eins
head -c 262144 /dev/urandom >"$scratch/value"
kv set shop carts 'ü/ä %&=+?#' --file "$scratch/value" && pass "set: binary, the largest, an odd key" || fail "set: binary"
kv get shop carts 'ü/ä %&=+?#' >"$scratch/back"
cmp -s "$scratch/value" "$scratch/back" && pass "get: byte for byte" || fail "get: byte for byte"
printf x >>"$scratch/value"
is "set: one byte too much" "$(code kv set shop carts b --file "$scratch/value")" 9
is "get: nothing there" "$(code kv get shop carts nothing)" 5
is "another application's state is its own" "$(code kv get other carts a)" 5
is "an unknown application" "$(code kv get nobody carts a)" 5
is "not a namespace" "$(code kv get shop 'a/b' a)" 3
is "no key" "$(printf x | code kv set shop carts '')" 3
is "a key with a line's end" "$(printf x | code kv set shop carts $'a\nb')" 3
is "a key that is no UTF-8" "$(printf x | code kv set shop carts $'\xff')" 3
is "a key of 512 bytes" "$(printf x | code kv set shop long "$(printf 'k%.0s' $(seq 512))")" 0
is "a key of 513 bytes" "$(printf x | code kv set shop long "$(printf 'k%.0s' $(seq 513))")" 3
is "an empty value" "$(: | code kv set shop carts empty)" 0
is "an empty value is there" "$(code kv get shop carts empty)" 0
printf lasting | kv set shop carts lasts --ttl 86400
printf short | kv set shop carts ttl --ttl 1
is "a time to live: before" "$(kv get shop carts ttl)" short
gone() { [ "$(code kv get shop carts ttl)" = 5 ]; }
until_true 10 gone && pass "a time to live: after" || fail "a time to live: after"

# --- lists
for i in 1 2 3; do printf '%s' "$i" | kv set shop list "k$i"; done
printf 9 | kv set shop list z
is "ls" "$(kv ls shop list | tr '\n' ';')" "k1  1;k2  1;k3  1;z  1;"
is "ls: a prefix" "$(kv ls shop list --prefix k --json | python3 -c 'import json,sys; print([e["key"] for e in json.load(sys.stdin)])')" "['k1', 'k2', 'k3']"
printf 1 | kv set shop steers $'a\u009b2J\u202eb'
is "ls: a key that a stranger chose does not steer the terminal" "$(kv ls shop steers)" 'a\u009b2J\u202eb  1'
is "and is told as it is to programs" "$(kv ls shop steers --json | python3 -c 'import json,sys; print(ascii(json.load(sys.stdin)[0]["key"]))')" "'a\x9b2J\u202eb'"
has "nor in errors" "$(timeout 90 s3n kv get shop $'a\u009b2J' x 2>&1)" 'a\xc2\x9b2J'
kv rm shop list k2 && pass "rm" || fail "rm"
is "rm: nothing there" "$(code kv rm shop list k2)" 5
is "ls: after rm" "$(kv ls shop list | tr '\n' ';')" "k1  1;k3  1;z  1;"

# --- export and import
kv export shop "$scratch/all.jsonl" && pass "export" || fail "export"
kv export shop >"$scratch/all2.jsonl"
cmp -s "$scratch/all.jsonl" "$scratch/all2.jsonl" && pass "export: the same twice" || fail "export: the same twice"
digest() { head -n 1 "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["digest"])'; }
kv import other "$scratch/all.jsonl" && pass "import" || fail "import"
kv export other "$scratch/copy.jsonl"
is "import: the same digest" "$(digest "$scratch/copy.jsonl")" "$(digest "$scratch/all.jsonl")"
ends() { sed -n '/"key":"lasts"/s/.*"expires_ms":\([0-9]*\).*/\1/p' "$1"; }
[ "$(ends "$scratch/all.jsonl")" -gt 1700000000000 ] && pass "export: a time to live" || fail "export: a time to live"
is "import: it ends when it would have ended" "$(ends "$scratch/copy.jsonl")" "$(ends "$scratch/all.jsonl")"
is "import: each namespace" "$(grep -o '"namespace":"[a-z]*"' "$scratch/copy.jsonl" | sort | uniq -c | tr -s ' ')" "$(grep -o '"namespace":"[a-z]*"' "$scratch/all.jsonl" | sort | uniq -c | tr -s ' ')"
kv get other carts 'ü/ä %&=+?#' >"$scratch/back"
cmp -s <(head -c 262144 "$scratch/value") "$scratch/back" && pass "import: byte for byte" || fail "import: byte for byte"
sed 's/"value":"MQ=="/"value":"Mg=="/' "$scratch/all.jsonl" >"$scratch/changed.jsonl"
is "import: a changed value" "$(code kv import other "$scratch/changed.jsonl")" 6
head -n -1 "$scratch/all.jsonl" >"$scratch/cut.jsonl"
is "import: a cut file" "$([ "$(code kv import other "$scratch/cut.jsonl")" != 0 ] && echo refused)" refused
sed '2d' "$scratch/all.jsonl" >"$scratch/less.jsonl"
is "import: an entry is missing" "$([ "$(code kv import other "$scratch/less.jsonl")" != 0 ] && echo refused)" refused

# --- the wrong owner, no owner
is "without a signature" "$(fetch -o /dev/null -w '%{http_code}' "$url/v1/applications/shop/kv")" 401
mkdir -p "$scratch/config2"
is "a stranger's key" "$(XDG_CONFIG_HOME=$scratch/config2 timeout 90 s3n -q login "$url" --trust-simulated; XDG_CONFIG_HOME=$scratch/config2 code kv get shop carts a)" 4

# --- a server that is killed
before=$(digest "$scratch/all.jsonl")
kill -9 "$(pid_of 'role')" 2>/dev/null || kill -9 "$(pgrep -P "$node" -x s3nd | head -n 1)"
is_ready() { [ "$(curl -sS --max-time 2 "$admin/readyz" 2>/dev/null)" = ready ]; }
until_true 20 is_ready || fail "a killed server: not ready again"
login || fail "login again"
kv export shop "$scratch/after.jsonl"
is "a killed server: the same digest" "$(digest "$scratch/after.jsonl")" "$before"

# --- the disk
node_stop
if command -v python3 >/dev/null; then
  cp "$data/store/state.db" "$scratch/kept.db"
  python3 - "$data/store/state.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
row = db.execute("SELECT space, key, value FROM record WHERE space LIKE 'kv/shop/%' AND key <> 'head' LIMIT 1").fetchone()
changed = bytearray(row[2]); changed[-1] ^= 1
db.execute("UPDATE record SET value = ? WHERE space = ? AND key = ?", (bytes(changed), row[0], row[1]))
db.commit()
PY
  node_again || fail "start on a changed disk"
  login
  is "a changed record: refused" "$(code kv get shop carts a)" 70
  has "a changed record: named" "$(cat "$scratch/err")" "does not open"
  is "another application is well" "$(kv get other carts a)" eins
  node_stop
  cp "$scratch/kept.db" "$data/store/state.db"
  node_again || fail "start on the restored disk"
  login
  is "the disk as it was" "$(kv get shop carts a)" eins
fi

# --- an older copy of the whole store
node_stop
cp "$data/store/state.db" "$scratch/old.db"
node_again || fail "start again"
login
for i in 1 2 3; do printf 'spent %s' "$i" | kv set shop carts a; done
node_stop
cp "$data/store/state.db" "$scratch/new.db"
cp "$scratch/old.db" "$data/store/state.db"
rm -f "$data/store/state.db-wal"
kept_url=$url kept_admin=$admin
node_again >/dev/null 2>&1 && { fail "an older copy of the state is refused"; node_stop; } || pass "an older copy of the state is refused"
[ -z "$node" ] || { kill "$node"; wait "$node"; node=; } 2>/dev/null
has "an older copy: the reason" "$(tail -n 20 "$scratch/node.log")" "an older copy was put in its place"
cp "$scratch/new.db" "$data/store/state.db"
rm -f "$data/store/state.db-wal"
url=$kept_url admin=$kept_admin
node_again || fail "start with the new one"
login
is "the new one is taken" "$(kv get shop carts a)" "spent 3"

# --- with its application it goes, for good only
timeout 90 s3n -q rm shop && timeout 90 s3n -q restore shop
is "deleted and back: the state is there" "$(kv get shop carts a)" "spent 3"
timeout 90 s3n -q rm shop --purge
is "for good" $? 0
deploy shop || fail "deploy it again"
kv get shop carts a >/dev/null 2>&1
is "the next one of that name begins empty" $? 5
is "another application keeps its own" "$(kv get other carts a)" eins
finish
