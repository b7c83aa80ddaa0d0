#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# To the S3N after this one, whose stores have another form, and back: handed over while it is used, cold, and back by
# the backup that the node made by itself.
set -u
. "$(dirname "$0")/node.bash"
require_node schema
next=$S3N_BUILD/tests/s3nd-next
[ -x "$next" ] || skip_all schema "s3nd-next is not built"
mkdir "$scratch/bin"
for program in "$S3N_BUILD"/bin/*; do [ ! -f "$program" ] || cp "$program" "$scratch/bin/"; done
PATH=$scratch/bin:$PATH
put_in() { cp "$1" "$scratch/bin/s3nd.new" && mv "$scratch/bin/s3nd.new" "$scratch/bin/s3nd"; }
backup=$data/store/before-schema-2.backup
# The form of each store, of a node at rest.
forms() { python3 - "$data/store" <<'PY'
import sqlite3, sys
print(*(sqlite3.connect(f"{sys.argv[1]}/{name}.db").execute("PRAGMA user_version").fetchone()[0] for name in ("store", "state", "logs")))
PY
}
state() { s3n -q kv get shop kept "$1" 2>/dev/null; }
keep() { printf '%s' "$2" | s3n -q kv set shop kept "$1"; }

node_start || { fail "start"; finish; }
claim || fail "claim"
application shop echo && deploy shop || fail "deploy"
keep first one || fail "a state"

# --- there, while it runs
put_in "$next"
is "upgrade to the next" "$(timeout 90 s3n -q node upgrade --data-dir "$data" 2>"$scratch/err"; echo $?)" 0
is "it answers" "$(invoke shop --data there)" there
is "with the state of before" "$(state first)" one
keep second two || fail "a state of the next"
[ -s "$backup" ] && pass "the stores were saved before" || fail "the stores were saved before" "$(ls "$data/store")"
node_stop
is "all have the next form" "$(forms)" "2 2 2"

# --- the one before refuses them, and says what to do
put_in "$S3N_BUILD/bin/s3nd"
timeout 60 s3nd --data-dir "$data" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}" >/dev/null 2>"$scratch/err"
[ $? != 0 ] && pass "the one before does not start" || fail "the one before does not start"
has "and names the way back" "$(cat "$scratch/err")" "before-schema-2.backup beside it"
is "check" "$(s3n node check --data-dir "$data" >/dev/null 2>"$scratch/err"; echo $?)" 6
has "check names it, too" "$(cat "$scratch/err")" "before-schema-2.backup beside it"
is "nothing was changed" "$(forms)" "2 2 2"

# --- back
s3n -q node restore "$backup" --replace --data-dir "$data"
is "restore" $? 0
is "check: restored" "$(s3n -q node check --data-dir "$data" >/dev/null; echo $?)" 0
node_again || { fail "start as before"; finish; }
login
is "back: it answers" "$(invoke shop --data back)" back
is "back: the state of before the change, and no other" "$(state first)$(state second)" one
node_stop
is "back: the form of before" "$(forms | cut -d ' ' -f 1,2)" "1 1"

# --- there again, cold
put_in "$next"
node_again || { fail "start of the next"; finish; }
login
is "cold: it answers" "$(invoke shop --data again)$(state first)" againone
[ -s "$backup" ] && pass "cold: saved before" || fail "cold: saved before"
node_stop
is "cold: all have the next form" "$(forms)" "2 2 2"
finish
