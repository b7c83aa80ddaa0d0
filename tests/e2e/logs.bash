#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Private logs: what functions write is opened by its owner alone; floods, escapes, changed and cut segments.
set -u
. "$(dirname "$0")/node.bash"
require_node logs

# --- `s3n run`: a terminal is not steered, a pipe gets what was written
terminal() {
  python3 - "$@" <<'PY'
import os, pty, subprocess, sys
master, slave = pty.openpty()
subprocess.run(sys.argv[1:], input=b"A\x1b[2JB\xff\tC\n", stderr=slave, check=False)
os.close(slave)
try:
    print(os.read(master, 4096).decode("latin-1").replace("\r\n", "").strip())
except OSError:
    pass
PY
}
is "run: on a terminal" "$(terminal s3n -q run --backend "${S3N_BACKEND:-kvm}" "$modules/stderr.wasm")" "A\\x1b[2JB\\xff"$'\t'"C"
printf 'A\x1b[2J\xff' | s3n run --backend "${S3N_BACKEND:-kvm}" "$modules/stderr.wasm" 2>"$scratch/raw"
is "run: elsewhere" "$(od -An -tx1 <"$scratch/raw" | tr -d ' \n')" "411b5b324aff"

cat >"$scratch/s3nd.toml" <<'TOML'
[logs]
mib = 4
kib_per_s = 64
burst_kib = 2048
TOML
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"
application shop stderr 'limits = { log_kib = 1024 }'
application other stderr
deploy shop && deploy other || fail "deploy"
logs() { timeout 90 s3n -q logs "$@"; }
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
say() { printf '%b' "$2" | invoke "$1" --data - >/dev/null 2>&1; }
texts() { python3 -c 'import json,sys
print(";".join(json.loads(l)["text"] if "text" in json.loads(l) else "!" for l in sys.stdin))'; }

# --- what was logged
is "nothing yet" "$(logs shop)" ""
is "an application that is not there" "$(code logs nobody)" 5
say shop '<3>it broke\n<7>details\nplain'
has "a line for people" "$(logs shop)" " error   f "
is "lines, as they were" "$(logs shop --json | texts)" "it broke;details;plain"
is "levels" "$(logs shop --json | python3 -c 'import json,sys; print([json.loads(l)["level"] for l in sys.stdin])')" "['error', 'debug', 'info']"
is "--level" "$(logs shop --level warning --json | texts)" "it broke"
is "--level: nonsense" "$(code logs shop --level loud)" 2
is "another application's log is its own" "$(logs other)" ""
say shop '!last words'
has "how it failed" "$(logs shop)" "[s3n] trap: unreachable"
is "--level error: the node's word too" "$(logs shop --level error --json | texts | tr ';' '\n' | wc -l)" 2
request=$(logs shop --json | tail -n 1 | json_field request)
is "--request" "$(logs shop --request "${request:0:12}" --json | texts | cut -d ';' -f 1)" "!last words"
is "--request: too short" "$(code logs shop --request abc)" 2
is "--function: another" "$(logs shop --function g)" ""
is "--function" "$(logs shop --function f --json | wc -l)" 5
is "--since: an hour" "$(logs shop --since 1h --json | wc -l)" 5
is "--since: tomorrow" "$(logs shop --since 2099-01-01T00:00:00Z)" ""
is "--since: nonsense" "$(code logs shop --since soon)" 2

# --- hostile text
say shop 'A\x1b[2J\x1b]0;pwned\x07\x9b1mB\xff\xfe\r\xe2\x80\xaeC\n'
logs shop >"$scratch/shown"
has "escapes are neutralised" "$(tail -n 1 "$scratch/shown")" 'A\x1b[2J\x1b]0;pwned\x07\x9b1mB\xff\xfe\x0d\u202eC'
LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$scratch/shown" && fail "no control character is left" || pass "no control character is left"
logs shop --json >"$scratch/shown.json"
LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177-\377]')" "$scratch/shown.json" && fail "JSON is plain ASCII" || pass "JSON is plain ASCII"
is "JSON: invalid UTF-8 is U+FFFD" "$(tail -n 1 "$scratch/shown.json" | python3 -c 'import json,sys; print(json.load(sys.stdin)["text"].count("\ufffd"))')" 3
head -c 900000 /dev/zero | tr '\0' x >"$scratch/huge"
invoke other --data "@$scratch/huge" >/dev/null 2>&1
is "a log beyond the function's limit is cut" "$(logs other | tr -d -c x | wc -c)" 65536
invoke shop --data "@$scratch/huge" >/dev/null 2>&1
is "a huge line is one line" "$(logs shop | tail -n 1 | tr -d -c x | wc -c)" 900000

# --- a flood
for i in 1 2 3 4 5; do invoke shop --data "@$scratch/huge" >/dev/null 2>&1; done
has "a flood is dropped, and that is said" "$(logs shop)" "are missing: more than the node takes"
application loud stderr 'limits = { log_kib = 1024 }'
deploy loud || fail "deploy loud"
timeout 120 s3n -q logs loud -f >"$scratch/followed" 2>/dev/null &
follower=$!
python3 -c 'import sys; sys.stdout.buffer.write(b"\x1b[2J\x1b]0;pwned\x07\x9b1m\r\xe2\x80\xae" * 40000)' >"$scratch/loud.in"
for i in 1 2 3 4 5 6; do invoke loud --data "@$scratch/loud.in" >/dev/null 2>&1; done
logs loud >"$scratch/loud.out"
has "a flood of escapes is dropped, too" "$(tail -n 1 "$scratch/loud.out")" "are missing: more than the node takes"
LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$scratch/loud.out" && fail "and steers no terminal" || pass "and steers no terminal"
until_true 20 grep -q "are missing: more than the node takes" "$scratch/followed" && pass "who follows is told, too" || fail "who follows is told, too"
has "and sees where it began" "$(head -n 1 "$scratch/followed" | head -c 200)" '\x1b[2J\x1b]0;pwned\x07\x9b1m\x0d\u202e'
LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$scratch/followed" && fail "nor is a follower's terminal steered" || pass "nor is a follower's terminal steered"
kill "$follower"
wait "$follower" 2>/dev/null
has "the operator sees counts" "$(curl -sS "$admin/metrics")" 's3n_logs_dropped_total{reason="rate"}'
say other 'still heard'
is "others are heard" "$(logs other --json | tail -n 1 | texts)" "still heard"

# --- nobody else
is "without a signature" "$(fetch -o /dev/null -w '%{http_code}' "$url/v1/applications/shop/logs")" 401
XDG_CONFIG_HOME=$scratch/config2 timeout 90 s3n -q login "$url" --trust-simulated
is "a stranger's key" "$(XDG_CONFIG_HOME=$scratch/config2 code logs shop)" 4
say shop 'canary-7f3a9c'
logs shop --json | grep -q canary-7f3a9c && pass "the owner reads the canary" || fail "the owner reads the canary"
grep -rqa canary-7f3a9c "$data" "$scratch/node.log" && fail "it is nowhere in the clear" || pass "it is nowhere in the clear"
curl -sS "$admin/metrics" | grep -q 'canary\|it broke' && fail "nor among the metrics" || pass "nor among the metrics"

# --- secrets that a function logs
application loose tell 'permissions.secrets = ["API_KEY"]'
deploy loose || fail "deploy"
printf 'correct-horse-battery' | timeout 90 s3n -q secret set loose API_KEY || fail "a secret"
say loose 'key: correct-horse-battery, 636f72726563742d686f7273652d62617474657279, '"$(printf 'x:correct-horse-battery' | base64)"'; cut: correct-horse-b\n'
is "secrets are taken out" "$(logs loose --json | texts)" "key: ***, ***, e***=; cut: correct-horse-b;***"

# --- those who may read
as() {
  local who=$1
  shift
  timeout 60 s3n --config "$scratch/$who" -q "$@"
}
public() { timeout 90 s3n --config "$scratch/$1" login "$url" --trust-simulated --json 2>/dev/null | json_field public_key; }
ada=$(public ada) bob=$(public bob)
timeout 90 s3n -q member add "$ada" --role deployer --application loose && timeout 90 s3n -q member add "$bob" --role reader || fail "members"
is "a deployer's key opens nothing of before" "$(code as ada logs loose)$(cat "$scratch/out")" 0
has "a deployer's key opens nothing of before: said" "$(timeout 90 s3n --config "$scratch/ada" logs loose 2>&1)" "1 segments are not sealed to your key"
say loose 'for two: '
is "a deployer reads" "$(as ada logs loose --json | texts)" "for two: ***"
is "and the owner still" "$(logs loose --json | tail -n 1 | texts)" "for two: ***"
is "but no other application" "$(code as ada logs other)" 4
is "a reader of lists does not" "$(code as bob logs loose)" 4
timeout 90 s3n -q member rm "$(timeout 90 s3n member ls --json | python3 -c 'import json,sys; print(next(m["key"] for m in json.load(sys.stdin)["members"] if m["role"] == "deployer"))')"
say loose 'for one: '
is "one who was removed" "$(code as ada logs loose)" 4
timeout 90 s3n -q member add "$ada" --role deployer --application loose
is "and came back: not what was logged meanwhile" "$(as ada logs loose --json | texts)" "for two: ***"

# A reader who was told so reads what is logged from then on, and changes nothing.
timeout 90 s3n -q member add "$bob" --role reader --application loose --logs || fail "a reader of logs"
has "listed as one" "$(timeout 90 s3n member ls)" "reads logs"
say loose 'for three: '
is "a reader of logs reads" "$(as bob logs loose --json | texts)" "for three: ***"
is "a deployer and the owner still" "$(as ada logs loose --json | tail -n 1 | texts)$(logs loose --json | tail -n 1 | texts)" "for three: ***for three: ***"
is "of this application alone" "$(code as bob logs shop)" 4
is "and deploys nothing" "$(code as bob deploy "$scratch/loose")" 4
timeout 90 s3n -q member add "$bob" --role reader --application loose
say loose 'for two again: '
is "a reader again: closed" "$(code as bob logs loose)" 4

# --- another key of the owner's: what was sealed to the ones before opens with them
before=$(logs other --json | wc -l)
timeout 90 s3n -q owner rotate --overlap now && say other 'to the second key' || fail "rotate"
timeout 90 s3n -q owner rotate --overlap now && say other 'to the third key' || fail "rotate again"
is "old and new" "$(logs other --json | wc -l)" $((before + 2))
is "the latest two" "$(logs other --json | tail -n 2 | texts)" "to the second key;to the third key"
mkdir "$scratch/aside" && mv "$XDG_CONFIG_HOME"/s3n/owner.key.old* "$scratch/aside"
is "without the keys of before: what is the third's" "$(logs other --json | texts)" "to the third key"
has "and that others are closed" "$(timeout 90 s3n logs other 2>&1 >/dev/null)" "segments are not sealed to your key"
# A switch that was cut off leaves no owner.key.old; the ones before are found all the same.
mv "$scratch/aside"/owner.key.old.* "$XDG_CONFIG_HOME/s3n/"
is "without the latest of before: the first's and the third's" "$(logs other --json | wc -l) $(logs other --json | texts | grep -c 'to the second key')" "$((before + 1)) 0"
mv "$scratch/aside"/* "$XDG_CONFIG_HOME/s3n/"

# --- following, and a node that restarts
timeout 60 s3n -q logs other -f >"$scratch/followed" 2>"$scratch/followed.err" &
follower=$!
until_true 10 grep -q 'still heard' "$scratch/followed" || fail "follow: what is there"
say other 'and now this'
until_true 10 grep -q 'and now this' "$scratch/followed" && pass "follow: what comes" || fail "follow: what comes"
say other 'before the end'
node_stop || fail "stop"
node_again --config "$scratch/s3nd.toml" || fail "start again"
say other 'after the start'
until_true 20 grep -q 'after the start' "$scratch/followed" && pass "follow: over a restart" || fail "follow: over a restart"
is "nothing is lost at a stop" "$(logs other --json | texts | grep -o 'before the end;after the start')" "before the end;after the start"
kill "$follower" && wait "$follower" 2>/dev/null

# --- what was seen before
cp -a "$data" "$scratch/older"
say other 'newer'
logs other >/dev/null
node_stop
rm -f "$data"/store/logs.db*; cp -a "$scratch"/older/store/logs.db* "$data/store/"
node_again --config "$scratch/s3nd.toml" || fail "start with an older log"
is "an older log is noticed" "$(code logs other)" 6
has "an older log is noticed: how" "$(cat "$scratch/err")" "shows an older state"
node_stop
is "node check proves it" "$(code s3n node check --data-dir "$data")" 0
node_again --config "$scratch/s3nd.toml" || fail "start again"
is "taken when its owner says so" "$(code logs other --anew)" 0
is "and from then on" "$(code logs other)" 0
node_stop
python3 - "$data/store/logs.db" <<'PY'
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
rows = store.execute("SELECT space, key, value FROM record WHERE key LIKE 'segment/%' ORDER BY key").fetchall()
streams = {}
for row in rows:
    streams.setdefault(row[1].rpartition("/")[0], []).append(row)
for stream in streams.values():  # the first two of each application that has as many
    for one, other in (stream[:2], stream[1::-1]) if len(stream) > 1 else ():
        store.execute("UPDATE record SET value = ? WHERE space = ? AND key = ?", (other[2], one[0], one[1]))
store.commit()
PY
is "node check finds swapped segments" "$(code s3n node check --data-dir "$data")" 6
node_again --config "$scratch/s3nd.toml" || fail "start with swapped segments"
is "swapped segments are refused" "$(code logs other)" 70
finish
