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
S3N_LOG=debug node_start || { fail "start"; finish; }
claim || fail "claim"
upgrade() { timeout 90 s3n node upgrade --data-dir "$data" "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
field() { python3 -c 'import json,sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$1" "$2"; }
replace() { cp "$S3N_BUILD/bin/$1" "$scratch/bin/$1.new" && mv "$scratch/bin/$1.new" "$scratch/bin/$1"; }
program_of() { stat -L -c %i "/proc/$1/exe"; }

# --- what waits for work
# A worker is made ready for the successor before the supervisor runs its new program, and that hands it to the first
# application that asks: none is started for nothing.
ready_before_exec() { sed -n '/event=upgrading/,/event=upgraded/s/.*event=started child=worker pid=\([0-9]*\).*/\1/p' "$scratch/node.log"; }
workers() { pgrep -P "$node" -x slipstream | paste -sd ' '; }
is "without an application: upgrade" "$(upgrade)" 0
until_true 30 grep -q event=upgraded "$scratch/node.log"
ready=$(ready_before_exec)
until_true 30 eval '[ "$(workers)" = "$ready" ]' && pass "the worker that was made ready is the one there is" || fail "the worker that was made ready is the one there is" "«$(workers)», not «$ready»"
application echo echo && deploy echo || fail "deploy"
is "the first application answers" "$(invoke echo --data first)" first
kill -0 "$ready" && pass "on that worker" || fail "on that worker"

# --- under load
python3 "$here/upgrade.py" "${url#https://}" /a/echo/run 120 "$scratch/stop" >"$scratch/load" &
load=$!
writes() { local i=0; while [ ! -e "$scratch/stop" ]; do i=$((i + 1)); printf '%s' "$i" | timeout 90 s3n -q kv set echo live count || echo "write $i failed"; echo "$i" >"$scratch/written.new"; mv "$scratch/written.new" "$scratch/written"; done; }
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
is "no node: upgrade" "$(timeout 90 s3n -q node upgrade --data-dir "$scratch/none" 2>/dev/null; echo $?)" 7
node_stop

# --- the configuration is read anew
printf '[limits]\ninput_kib = 1\n' >"$scratch/s3nd.toml"
node_again --config "$scratch/s3nd.toml" || fail "start with a configuration"
login || fail "login"
head -c 3000 /dev/zero | tr '\0' x >"$scratch/body"
size_of() { fetch --insecure -o "$scratch/answer" -w '%{http_code}' --data-binary @"$scratch/body" "$url/a/echo/run"; }
is "a body of 3 KB: too much" "$(size_of)" 413
printf '[limits]\ninput_kib = 8\n' >"$scratch/s3nd.toml"
is "another configuration: upgrade" "$(upgrade)" 0
is "a body of 3 KB: not any more" "$(size_of)" 200
printf '[limits]\ninput_kb = 8\n' >"$scratch/s3nd.toml"
is "a configuration that can't be: upgrade" "$(upgrade)" 7
is "a configuration that can't be: the node goes on" "$(size_of)" 200
printf '[limits]\ninput_kib = 8\n' >"$scratch/s3nd.toml"

# --- what may happen in between
servers() { pgrep -P "$node" -f -- "--role server"; }
settled() { [ "$(servers | wc -l)" = 1 ] && [ "$(size_of)" = 200 ]; }
# during NAME SECONDS COMMAND...: in the middle of an upgrade
during() {
  local name=$1
  kill -HUP "$node"
  sleep "$2"
  shift 2
  "$@" 2>/dev/null
  until_true 30 settled && pass "$name: answers" || fail "$name: answers"
}
during "two at once" 0.01 kill -HUP "$node"
during "the new server dies" 0.15 eval 'kill -KILL $(servers | tail -n +2)'
during "the old server dies at first" 0.03 eval 'kill -KILL $(servers | head -n 1)'
# Both at once: the supervisor finds the old one's socket closed and the new one standing by.
two_servers() { [ "$(servers | wc -l)" = 2 ]; }
at_once() { until_true 30 two_servers; kill -STOP "$node"; kill -KILL "$(servers | head -n 1)"; sleep 1; kill -CONT "$node"; }
during "the old server dies as the new one stands by" 0 at_once
during "the old server dies while it hands over" 0.4 eval 'kill -KILL $(servers | head -n 1)'
during "the keeper dies" 0.3 eval 'kill -KILL $(pid_of s3n-keeper)'
until_true 20 login
is "after all of it: an upgrade" "$(upgrade)" 0
is "after all of it: the state" "$(s3n -q kv get echo live count)" "$(cat "$scratch/written")"
kill -HUP "$node"
sleep 0.2
node_stop
is "stop" $? 0
is "nothing is left running" "$(pgrep -f "$scratch/bin/" | wc -l)" 0
finish
