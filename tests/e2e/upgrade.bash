#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node gets new programs while it is used: no request fails, nothing that was acknowledged is lost, the supervisor
# keeps its process id, and a program that can't run changes nothing.
set -u
. "$(dirname "$0")/node.bash"
require_node upgrade
command -v python3 >/dev/null || skip_all upgrade "no python3"
# Programs that can be replaced.
mkdir "$scratch/bin"
for program in "$S3N_BUILD"/bin/*; do
  [ ! -f "$program" ] || cp "$program" "$scratch/bin/"
done
PATH=$scratch/bin:$PATH
node_start || { fail "start"; finish; }
claim || fail "claim"
application echo echo && deploy echo || fail "deploy"
upgrade() { timeout 90 s3n node upgrade --data-dir "$data" "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
field() { python3 -c 'import json,sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$1" "$2"; }
replace() { cp "$S3N_BUILD/bin/$1" "$scratch/bin/$1.new" && mv "$scratch/bin/$1.new" "$scratch/bin/$1"; }
program_of() { stat -L -c %i "/proc/$1/exe"; }

# --- under load
python3 "$here/upgrade.py" "${url#https://}" /a/echo/run 120 "$scratch/stop" >"$scratch/load" &
load=$!
writes() { local i=0; while [ ! -e "$scratch/stop" ]; do i=$((i + 1)); printf '%s' "$i" | timeout 30 s3n -q kv set echo live count || echo "write $i failed"; echo "$i" >"$scratch/written.new"; mv "$scratch/written.new" "$scratch/written"; done; }
writes >"$scratch/writes" 2>&1 &
writer=$!
until_true 20 test -s "$scratch/written"
server_before=$(pid_of "--role server")
keeper_before=$(pid_of s3n-keeper)
exe_before=$(program_of "$node")
for program in s3nd s3n-keeper slipstream; do replace $program; done
is "upgrade" "$(upgrade --json)" 0
is "the supervisor has its process id" "$(kill -0 "$node" && echo yes)" yes
[ "$(program_of "$node")" != "$exe_before" ] && pass "the supervisor runs the new program" || fail "the supervisor runs the new program"
[ "$(pid_of "--role server")" != "$server_before" ] && pass "another server" || fail "another server"
[ "$(pid_of s3n-keeper)" != "$keeper_before" ] && pass "another keeper" || fail "another keeper"
is "upgrade: again" "$(upgrade)" 0
sleep 1
touch "$scratch/stop"
wait "$load"; wait "$writer"
result=$(cat "$scratch/load")
echo "$result"
is "0 failed requests" "$(field "$result" failed) $(field "$result" problems)" "0 []"
[ "$(field "$result" requests)" -gt 100 ] && pass "there was load" || fail "there was load" "$result"
is "0 failed writes" "$(cat "$scratch/writes")" ""
is "every write is there" "$(s3n -q kv get echo live count)" "$(cat "$scratch/written")"
is "one server" "$(pgrep -P "$node" -f -- "--role server" | wc -l)" 1
is "one keeper" "$(pgrep -P "$node" -f s3n-keeper | wc -l)" 1
is "it answers" "$(invoke echo --data after)" after
# What a supervisor does, the new one does with the children of the one before.
kill -KILL "$(pid_of "--role server")"
until_true 30 fetch --insecure "$url/.well-known/s3n/health" && pass "a server that dies is replaced" || fail "a server that dies is replaced"
until_true 20 login
is "and answers" "$(invoke echo --data again)" again

# --- programs that can't be
printf '#!/bin/sh\nexit 3\n' >"$scratch/bin/s3nd.new"
chmod 755 "$scratch/bin/s3nd.new"
mv "$scratch/bin/s3nd" "$scratch/bin/s3nd.good" && mv "$scratch/bin/s3nd.new" "$scratch/bin/s3nd"
is "a program that ends at once: upgrade" "$(upgrade)" 7
is "a program that ends at once: the node goes on" "$(invoke echo --data on)" on
mv "$scratch/bin/s3nd.good" "$scratch/bin/s3nd"
is "afterwards: upgrade" "$(upgrade)" 0
is "afterwards: answers" "$(invoke echo --data fine)" fine
is "no node: upgrade" "$(timeout 20 s3n -q node upgrade --data-dir "$scratch/none" 2>/dev/null; echo $?)" 7
node_stop
is "stop" $? 0
is "nothing is left running" "$(pgrep -f "$scratch/bin/" | wc -l)" 0
finish
