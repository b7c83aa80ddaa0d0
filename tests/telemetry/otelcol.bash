#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The OpenTelemetry collector itself takes what a node sends.  $S3N_OTELCOL is one that is there; with
# S3N_TEST_OTELCOL=1 it is built from the modules that otelcol/go.mod names, which takes some minutes.
set -u
. "$(dirname "$0")/../e2e/node.bash"
require_node otelcol
collector_build() {
  local go
  [ "${S3N_TEST_OTELCOL:-}" = 1 ] || skip_all otelcol "it is built only when S3N_TEST_OTELCOL=1 asks for it"
  go=$(command -v go || echo /usr/local/go/bin/go)
  [ -x "$go" ] || skip_all otelcol "no Go here"
  mkdir "$scratch/collector"
  cp "$S3N_SOURCE"/tests/telemetry/otelcol/{main.go,go.mod,go.sum} "$scratch/collector"
  (cd "$scratch/collector" && timeout 240 "$go" mod download 2>download.log) ||
    skip_all otelcol "its modules can't be had: $(tail -n 1 "$scratch/collector/download.log")"
  (cd "$scratch/collector" && timeout 1200 "$go" build -o collector . 2>build.log) ||
    { fail "build of the collector" "$(tail -n 5 "$scratch/collector/build.log")"; finish; }
  S3N_OTELCOL=$scratch/collector/collector
}
[ -x "${S3N_OTELCOL:-}" ] || collector_build
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$scratch/collector.yaml" <<YML
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:$port"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
    metrics: {receivers: [otlp], exporters: [debug]}
YML
"$S3N_OTELCOL" --config "$scratch/collector.yaml" >"$scratch/collected" 2>&1 &
takes() { grep -q 'Everything is ready' "$scratch/collected"; }
until_true 30 takes || { fail "the collector starts" "$(tail -n 5 "$scratch/collected")"; finish; }
pass "the collector starts"
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port OTEL_BSP_SCHEDULE_DELAY=100 OTEL_METRIC_EXPORT_INTERVAL=500
node_start || { fail "start"; finish; }
claim || fail "claim"
application echo echo
deploy echo || fail "deploy"
trace=4bf92f3577b34da6a3ce929d0e0e4736 parent=00f067aa0ba902b7
is "a traced request" "$(fetch -H "traceparent: 00-$trace-$parent-01" --data-binary hello "$url/a/echo/run")" hello
told() { grep -q "$trace" "$scratch/collected"; }
until_true 10 told || fail "spans arrive" "$(tail -n 3 "$scratch/node.log")"
span=$(grep -B 3 -A 14 "Parent ID *: $parent" "$scratch/collected" | tr -s ' ')
has "the collector reads the trace" "$span" "Trace ID : $trace"
has "and the span" "$span" "Name : echo/f"
has "and its kind" "$span" "Kind : Server"
counted() { grep -q 'Name: s3n_invocation_duration_seconds$' "$scratch/collected"; }
until_true 10 counted && pass "the collector reads metrics" || fail "the collector reads metrics"
has "and exemplars" "$(grep -A 12 'Exemplar #0' "$scratch/collected" | tr -s ' ')" "Trace ID: $trace"
is "nothing was rejected" "$(curl -sS "$admin/status" | python3 -c 'import json, sys
t = json.load(sys.stdin)["telemetry"]; print(t["spans"]["rejected"], t["failures"], t["error"])')" "0 0 "
node_stop
is "stop" $? 0
finish
