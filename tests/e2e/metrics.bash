#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Metrics and health: what is counted, in both formats, as judged by promtool and the reference parser; an owner
# sees his own; /readyz tells each cause while it is true, and no longer.
set -u
. "$(dirname "$0")/node.bash"
require_node metrics
mkdir -p "$data"
small=
[ "$(id -u)" = 0 ] && mount -t tmpfs -o size=12m,mode=755 none "$data" 2>/dev/null && small=yes
# The keeper's folder is smaller still: its event log can be full while all else is not.
mkdir "$data/keeper"
[ -n "$small" ] && mount -t tmpfs -o size=96k,mode=700 none "$data/keeper"
trap '! mountpoint -q "$data/keeper" || umount -l "$data/keeper"; clean_up' EXIT
# Programs of its own, one of which can be taken away.
mkdir "$scratch/bin"
cp -a "$S3N_BUILD"/bin/. "$scratch/bin/"
PATH=$scratch/bin:$PATH
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$scratch/second.key" 2>/dev/null
second=$(openssl pkey -in "$scratch/second.key" -pubout -outform DER | base64 -w 0)
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$scratch/third.key" 2>/dev/null
third=$(openssl pkey -in "$scratch/third.key" -pubout -outform DER | base64 -w 0)
printf 'owners = ["%s", "%s"]\n' "$second" "$third" >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
mkdir -p "$XDG_CONFIG_HOME/s3n"
install -m 600 "$scratch/second.key" "$XDG_CONFIG_HOME/s3n/owner.key"
login || fail "log in"
page() { curl -sS --max-time 60 "$@" "$admin/metrics"; }
value() { page | sed -n "s|^$1 ||p"; }
ready() { curl -sS --max-time 60 "$admin/readyz" 2>/dev/null; }
status() { curl -sS --max-time 60 -o /dev/null -w '%{http_code}' "$admin/readyz" 2>/dev/null; }
is_ready() { [ "$(ready)" = ready ]; }
says() { [[ $(ready) == *"$1"* ]]; }

# --- what is counted
application one echo
application other echo
deploy one && deploy other || fail "deploy"
invoke one --data hello >/dev/null
fetch -D "$scratch/head" -o /dev/null --data-binary again "$url/a/one/run"
id=$(tr -d '\r' <"$scratch/head" | sed -n 's/^s3n-request-id: //pI')
is "invocations" "$(value 's3n_invocations_total{function="one/f",outcome="done"}')" 2
is "durations" "$(value 's3n_invocation_duration_seconds_count{function="one/f"}')" 2
is "waits" "$(value 's3n_invocation_wait_seconds_count{function="one/f"}')" 2
is "one cold start" "$(value 's3n_cold_start_duration_seconds_count{function="one/f"}')" 1
is "nothing of what was not called" "$(page | grep -c 'other/f')" 0
is "receipts" "$(value s3n_receipts_signed_total)" 2
is "the platform" "$(value 's3n_tee_info{tee="sim"}')" 1
is "no attestation failed" "$(value 's3n_attestation_failures_total{tee="sim"}')" 0
is "the length of the event log" "$(value s3n_event_log_entries)" "$(fetch "$url/.well-known/s3n/events" | wc -l)"
before=$(value s3n_evidence_total)
fetch -o /dev/null "$url/.well-known/s3n/attestation?nonce=$(printf '0%.0s' {1..64})"
is "evidence is counted" "$(value s3n_evidence_total)" $((before + 1))
age=$(value s3n_evidence_age_seconds)
is "and its age is known" "$((age >= 0 && age < 20))" 1

application calls calls 'permissions.kv = ["prices"]'
deploy calls || fail "deploy calls"
invoke calls --data Skey >/dev/null
invoke calls --data Gnone >/dev/null
is "host calls" "$(page | grep '^s3n_host_calls' | tr '\n' ';')" \
  's3n_host_calls_total{function="calls/f",call="kv_set",outcome="done"} 1;s3n_host_calls_total{function="calls/f",call="kv_get",outcome="failed"} 1;'
timeout 90 s3n -q rm calls

# --- formats
if command -v promtool >/dev/null; then
  output=$(page | promtool check metrics 2>&1)
  is "promtool has nothing to say: $output" $? 0
else
  skip "promtool" "it is not installed"
fi
page -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' -D "$scratch/head" >"$scratch/open"
has "OpenMetrics by Accept" "$(cat "$scratch/head")" "application/openmetrics-text; version=1.0.0"
is "OpenMetrics has an end" "$(tail -n 1 "$scratch/open")" "# EOF"
has "an exemplar leads to the request" "$(grep _bucket "$scratch/open")" "# {request_id=\"$id\""
if /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then
  output=$(/usr/bin/python3 -c 'import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
print(len(list(families(sys.stdin.read()))) > 30)' <"$scratch/open" 2>&1)
  is "the reference parser reads it" "$output" True
else
  skip "the reference parser" "python3-prometheus-client is not installed"
fi

# --- Prometheus itself
if command -v prometheus >/dev/null; then
  cat >"$scratch/prometheus.yml" <<YML
global: {scrape_interval: 1s}
scrape_configs: [{job_name: s3n, static_configs: [{targets: ["${admin#http://}"]}]}]
YML
  prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" --web.listen-address=127.0.0.1:0 \
    --enable-feature=exemplar-storage >"$scratch/prometheus.log" 2>&1 &
  prometheus=$!
  listens() { grep -q 'Listening on' "$scratch/prometheus.log"; }
  until_true 20 listens || fail "Prometheus starts" "$(tail -n 3 "$scratch/prometheus.log")"
  address=$(sed -n 's/.*Listening on.* address=\([0-9.:]*\).*/\1/p' "$scratch/prometheus.log" | head -n 1)
  ask() { curl -sS --max-time 60 -G "http://$address/api/v1/$1" --data-urlencode "query=$2" "${@:3}"; }
  scraped() { [[ $(ask query 's3n_invocations_total{function="one/f"}') == *'"2"]'* ]]; }
  until_true 20 scraped && pass "Prometheus scrapes" || fail "Prometheus scrapes" "$(ask query up)"
  has "and keeps exemplars" "$(ask query_exemplars s3n_invocation_duration_seconds_bucket --data start=$(($(date +%s) - 600)) --data end=$(($(date +%s) + 60)))" "$id"
  kill "$prometheus" && wait "$prometheus" 2>/dev/null
else
  skip "Prometheus scrapes" "it is not installed"
fi

# --- owners
# own KEY APPLICATION: the status; the answer in $scratch/own
own() {
  local path=$url/v1/applications/$2/metrics
  python3 "$here/sign.py" "$scratch/$1.key" GET "$path" >"$scratch/headers"
  fetch -H @"$scratch/headers" -o "$scratch/own" -w '%{http_code}' "$path"
}
invoke other --data x >/dev/null
is "without a signature" "$(fetch -o /dev/null -w '%{http_code}' "$url/v1/applications/one/metrics")" 401
is "an owner" "$(own second one)" 200
has "sees his functions" "$(cat "$scratch/own")" 's3n_invocations_total{function="one/f",outcome="done"} 2'
is "of this application" "$(grep -c 'other/f' "$scratch/own")" 0
is "and nothing of the node" "$(grep -v '^#' "$scratch/own" | grep -vc 'function="one/f"')" 0
is "another owner" "$(own third one)" 404
is "an application that is not there" "$(own second none)" 404
timeout 90 s3n -q rm other
is "what is deleted is forgotten" "$(page | grep -c 'other/f')" 0

# --- /status
curl -sS --max-time 60 "$admin/status" >"$scratch/status"
is "status" "$(python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
print(s["ready"], s["causes"], s["tee"]["platform"], s["tee"]["simulated"], s["tee"]["collateral"],
      s["tee"]["keeper"]["connected"], s["tee"]["event_log"]["recording"], s["tee"]["evidence"]["made"] > 0)' "$scratch/status")" \
  "True [] sim True None True True True"

# --- a person's view
output=$(timeout 90 s3n status)
is "s3n status" $? 0
has "it tells the platform" "$output" "sim (SIMULATED)"
has "and what is counted" "$(tr -s ' ' <<<"$output")" "one 1.0.0 2 0 1 "
is "s3n status --json" "$(timeout 90 s3n status --json | python3 -c 'import json, sys
s = json.load(sys.stdin); a = s["applications"][0]
print(s["ready"], len(s["applications"]), a["application"], a["invocations"], a["failed"], a["cold_starts"], a["mean_ms"] > 0)')" \
  "True 1 one 2 0 1 True"
output=$(timeout 90 s3n status --admin "$admin")
is "s3n status --admin" $? 0
has "it tells of evidence" "$output" "evidence   "
timeout 90 s3n status --admin https://nowhere >/dev/null 2>&1
is "an admin listener is loopback" $? 2

# --- causes
is "ready" "$(ready)" ready
# The supervisor stands still, so nobody replaces the keeper.
kill -STOP "$node"
kill -KILL "$(pid_of s3n-keeper)"
until_true 5 says "no keeper" && pass "no keeper" || fail "no keeper" "$(ready)"
is "no keeper: 503" "$(status)" 503
is "no keeper: functions run on" "$(invoke one --data on)" on
is "no keeper: metrics say so" "$(value s3n_keeper_connected) $(value s3n_ready)" "0 0"
fetch -o /dev/null "$url/.well-known/s3n/attestation?nonce=$(printf '0%.0s' {1..64})"
is "no keeper: attestation fails, and is counted" "$(value 's3n_attestation_failures_total{tee="sim"}')" 1
output=$(timeout 90 s3n status --admin "$admin")
is "no keeper: s3n status --admin" $? 7
has "no keeper: it tells why" "$output" "no keeper"
output=$(timeout 90 s3n status)
is "no keeper: s3n status" $? 7
is "no keeper: anybody may know" "$(fetch "$url/.well-known/s3n/health")" '{"status":"ok","ready":false}'
has "no keeper: status says so" "$(curl -sS --max-time 60 "$admin/status")" '"cause":"keeper"'
kill -CONT "$node"
until_true 10 is_ready && pass "a keeper again" || fail "a keeper again" "$(ready)"
is "a lost keeper is counted" "$(value s3n_keepers_lost_total)" 1

# A keeper that hangs is found by asking.
keeper=$(pid_of s3n-keeper)
kill -STOP "$keeper"
sleep 1.1
output=$(curl -sS --max-time 60 "$admin/readyz")
has "a keeper that hangs" "$output" "no keeper"
until_true 15 is_ready && pass "it is replaced" || fail "it is replaced" "$(ready)"

# No workers: the program is gone, and so are those made ahead of need.
mv "$scratch/bin/slipstream" "$scratch/bin/slipstream.away"
pkill -KILL -P "$node" -f '^slipstream' 
application third echo
for i in 1 2 3; do fetch -o /dev/null "$url/.well-known/s3n/health"; done
deploy third >/dev/null 2>&1
timeout 90 s3n invoke third/f --data x >/dev/null 2>&1
until_true 10 says "no worker" && pass "no worker" || fail "no worker" "$(ready)"
mv "$scratch/bin/slipstream.away" "$scratch/bin/slipstream"
until_true 15 is_ready && pass "workers again" || fail "workers again" "$(ready)"

if [ -n "$small" ]; then
  # Each image that is loaded is an entry of the event log; without room for one, nothing new is loaded.
  head -c $((1 << 20)) /dev/zero >"$data/keeper/filler" 2>/dev/null
  for i in $(seq 40); do
    application "event-$i" echo
    deploy "event-$i" >/dev/null 2>&1
    says "event log" && break
  done
  says "event log: what is loaded can't be recorded" && pass "a full event log" || fail "a full event log" "$(ready)"
  is "a full event log: 503" "$(status)" 503
  is "a full event log: metrics say so" "$(value s3n_event_log_failing) $(value s3n_ready) $(value s3n_keeper_connected)" "1 0 1"
  has "a full event log: status says so" "$(curl -sS --max-time 60 "$admin/status")" '"cause":"event-log"'
  is "a full event log: what is loaded runs on" "$(invoke one --data on)" on
  invoke "event-$i" --data x >/dev/null 2>&1 && fail "a full event log: what is not recorded does not run" || pass "a full event log: what is not recorded does not run"
  rm -f "$data/keeper/filler"
  is "room for the event log" "$(deploy "event-$i" >/dev/null 2>&1; invoke "event-$i" --data again)" again
  is "and it is ready" "$(ready)" ready
  timeout 90 s3n verify "$url" --trust-simulated >"$scratch/verified" 2>&1
  is "and the log holds" $? 0

  head -c $((64 << 20)) /dev/zero >"$data/filler" 2>/dev/null
  application fourth echo
  for i in $(seq 40); do
    application "full-$i" echo
    deploy "full-$i" >/dev/null 2>&1 || break
  done
  until_true 5 says "the store can't be written" && pass "a full disk" || fail "a full disk" "$(ready)"
  is "a full disk: functions run on" "$(invoke one --data on)" on
  rm -f "$data/filler"
  until_true 10 is_ready && pass "room again" || fail "room again" "$(ready)"
else
  skip "a full disk" "a small file system can't be mounted here (needs root)"
fi
# It is told to end while a request is under way.
application slow loop 'limits = { timeout_ms = 3000 }'
deploy slow || fail "deploy slow"
fetch -o "$scratch/slow.out" --data x "$url/a/slow/run" &
slow=$!
works() { [ "$(value 's3n_instances{state="running"}')" = 1 ]; }
until_true 5 works || fail "a request is under way"
kill -TERM "$node"
until_true 2 says "stopping" && pass "stopping" || fail "stopping" "$(ready)"
is "stopping: 503" "$(status)" 503
is "stopping: it is well all the same" "$(curl -sS --max-time 60 "$admin/healthz")" ok
has "stopping: status says so" "$(curl -sS --max-time 60 "$admin/status")" '"cause":"stopping"'
is "stopping: no new requests" "$(fetch --max-time 1 "$url/.well-known/s3n/health" 2>/dev/null)" ""
wait "$slow"
has "stopping: what was under way is answered" "$(cat "$scratch/slow.out")" '"code":"timeout"'
wait "$node"
is "stop" $? 0
node=
is "a node that stopped is not ready" "$(ready)" ""
finish
