#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an operator relies on: configuration and its errors, systemd's protocol, limits, a stop that loses nothing.
set -u
. "$(dirname "$0")/node.bash"
require_node service

# --- configuration
# refused NAME EXIT TEXT ARGUMENTS...: s3nd does not start
refused() {
  local name=$1 wanted=$2 text=$3 output status
  shift 3
  output=$(timeout 90 s3nd --data-dir "$data" --listen 127.0.0.1:0 "$@" 2>&1)
  status=$?
  is "$name" $status "$wanted"
  has "$name: says why" "$output" "$text"
}
refused "an unknown option" 2 "listen" --lisden 127.0.0.1:0
refused "an address that is none" 3 "not an address" --listen nowhere
refused "a platform nobody knows" 3 "there are auto, tdx" --tee tpm
refused "a platform that is not here" 7 'tee = \"tdx\" is asked for and not here' --listen 127.0.0.1:0 --tee tdx
refused "no platform at all" 7 "(--tee sim simulates one and proves nothing)" --tee auto
refused "no platform at all, in the end" 7 "the keeper ended; its line above says why" --listen 127.0.0.1:0 --tee auto
printf 'listne = "127.0.0.1:0"\n' >"$scratch/s3nd.toml"
refused "an unknown key" 3 "listen" --config "$scratch/s3nd.toml"
printf 'listen = \n' >"$scratch/s3nd.toml"
refused "no TOML" 3 "s3nd.toml:1" --config "$scratch/s3nd.toml"
printf 'owners = ["bm9uZQ=="]\n' >"$scratch/s3nd.toml"
refused "an owner that is no key" 3 "owners" --config "$scratch/s3nd.toml"
refused "a configuration that is not there" 5 "No such file" --config "$scratch/none.toml"

printf '[processor]\nsmt = "on"\n' >"$scratch/s3nd.toml"
refused "a demand that is none" 3 'must be "any" or "off"' --config "$scratch/s3nd.toml"
# What is open here decides what `required` must do.
printf '[processor]\nmitigations = "required"\nsmt = "any"\n' >"$scratch/s3nd.toml"
cpu=/sys/devices/system/cpu
if ! [ -d $cpu/vulnerabilities ] || grep -qvE '^(Not affected|Mitigation)' $cpu/vulnerabilities/*; then
  refused "open vulnerabilities" 7 'but open: ' --config "$scratch/s3nd.toml"
else
  node_start --config "$scratch/s3nd.toml" && node_stop
  is "no open vulnerabilities" $? 0
fi
printf '[processor]\nsmt = "off"\n' >"$scratch/s3nd.toml"
if [ "$(cat $cpu/smt/active 2>/dev/null)" = 0 ]; then
  node_start --config "$scratch/s3nd.toml" && node_stop
  is "no sibling threads" $? 0
else
  refused "sibling threads" 7 'processor.smt = ' --config "$scratch/s3nd.toml"
fi

# --- choices that are otherwise measured
printf '[process]\nreset = "fast"\n' >"$scratch/s3nd.toml"
refused "a way to restore that is none" 3 'reset: must be one of auto track copy discard' --config "$scratch/s3nd.toml"
printf 'handover = "both"\n' >"$scratch/s3nd.toml"
refused "a hand-over that is none" 3 'handover: must be one of auto block watch' --config "$scratch/s3nd.toml"
for pair in block:blocking watch:watching; do
  printf 'handover = "%s"\n' "${pair%:*}" >"$scratch/s3nd.toml"
  node_start --config "$scratch/s3nd.toml" || { fail "start with handover = ${pair%:*}"; continue; }
  has "handover = ${pair%:*}: info tells" "$(fetch "$url/.well-known/s3n/info")" "\"handover\":\"${pair#*:}\""
  has "handover = ${pair%:*}: and the log" "$(cat "$scratch/node.log")" "chosen=${pair#*:} by=configuration"
  application choice echo && claim && deploy choice && is "handover = ${pair%:*}: answers" "$(invoke choice --data x)" x
  node_stop
  rm -rf "$data" "$XDG_CONFIG_HOME"
done

# --- owners of the configuration, a small input limit, systemd's protocol
node_start || { fail "start"; finish; }
owner=$(login --json | json_field public_key)
node_stop
printf 'owners = ["%s"]\nfirst_owner = "none"\n[limits]\ninput_kib = 64\n' "$owner" >"$scratch/s3nd.toml"
python3 - "$scratch/notify" >"$scratch/notified" <<'PY' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
for _ in range(2):
    print(listener.recv(100).decode(), flush=True)
PY
until_true 5 test -S "$scratch/notify"
export NOTIFY_SOCKET=$scratch/notify
node_start --config "$scratch/s3nd.toml" || { fail "start with a configuration"; finish; }
unset NOTIFY_SOCKET
until_true 5 grep -q READY=1 "$scratch/notified"
is "systemd is told" "$(head -n 1 "$scratch/notified")" READY=1
is "no claim code" "$(ls "$data" | grep -c claim)" 0
login || fail "login"
application echo echo
application loop loop 'limits = { timeout_ms = 1500 }'
deploy echo && deploy loop
is "an owner of the configuration deploys" $? 0
head -c 65536 /dev/zero >"$scratch/fits"
head -c 65537 /dev/zero >"$scratch/large"
is "an input of the limit's size" "$(fetch --data-binary "@$scratch/fits" "$url/a/echo/run" | wc -c)" 65536
is "one byte more" "$(fetch --data-binary "@$scratch/large" -o /dev/null -w '%{http_code}' "$url/a/echo/run")" 413

# --- two nodes on one folder
refused "a second node on the same folder" 9 "another process" --listen 127.0.0.1:0
is "the first goes on" "$(invoke echo --data first)" first

# --- a graceful stop: what runs is answered
fetch -o "$scratch/body" -w '%{http_code}' --data-binary x "$url/a/loop/run" >"$scratch/status" &
client=$!
running() { curl -sS --max-time 60 "$admin/metrics" | grep -q '^s3n_instances{state="running"} 1'; }
until_true 5 running || fail "the loop does not run"
node_stop
is "a stop in the middle: exit code" $? 0
wait $client
is "a stop in the middle: the answer came" "$(cat "$scratch/status")" 504
until_true 5 grep -q STOPPING=1 "$scratch/notified"
is "systemd is told of the stop" "$(tail -n 1 "$scratch/notified")" STOPPING=1
is "the port is free" "$(fetch -o /dev/null "$url/" 2>/dev/null; echo $?)" 7
finish
