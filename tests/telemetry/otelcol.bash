#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The OpenTelemetry collector's own OTLP receiver takes what a node sends, and shows what it understood.
# $S3N_OTELCOL is one that is built; else it is built from the modules that otelcol/go.mod names.
set -u
. "$(dirname "$0")/../e2e/node.bash"
require_node otelcol
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "${S3N_OTELCOL:-$go}" ] || skip_all otelcol "no Go here"
if [ -z "${S3N_OTELCOL:-}" ]; then
  mkdir "$scratch/collector"
  cp "$S3N_SOURCE"/tests/telemetry/otelcol/{main.go,go.mod,go.sum} "$scratch/collector"
  (cd "$scratch/collector" && timeout 240 "$go" mod download 2>download.log) ||
    skip_all otelcol "its modules can't be had: $(tail -n 1 "$scratch/collector/download.log")"
  (cd "$scratch/collector" && GOFLAGS=-mod=readonly timeout 1200 "$go" build -o collector . 2>build.log) ||
    { fail "build of the collector" "$(tail -n 5 "$scratch/collector/build.log")"; finish; }
  S3N_OTELCOL=$scratch/collector/collector
fi
taken=$scratch/taken
mkfifo "$scratch/wanted"
"$S3N_OTELCOL" <"$scratch/wanted" >"$taken" 2>"$scratch/collector.log" &
collector=$!
exec 8>"$scratch/wanted" # it ends when this is closed
listens() { [ -s "$taken" ]; }
until_true 30 listens || { fail "the collector starts" "$(tail -n 5 "$scratch/collector.log")"; finish; }
OTEL_EXPORTER_OTLP_ENDPOINT=http://$(head -n 1 "$taken")
export OTEL_EXPORTER_OTLP_ENDPOINT OTEL_BSP_SCHEDULE_DELAY=100 OTEL_METRIC_EXPORT_INTERVAL=500

# understood PROGRAM: what Python makes of `spans` and `metrics`, in the collector's own JSON, since line $seen.
seen=1
understood() {
  python3 - "$taken" "$1" "$seen" <<'PY'
import json, sys
spans, metrics = [], {}
with open(sys.argv[1], encoding="utf-8") as file:
    for line in list(file)[int(sys.argv[3]):]:
        taken = json.loads(line) if line.endswith("\n") else {}
        for resource in taken.get("resourceSpans", []):
            for scope in resource["scopeSpans"]:
                spans += scope["spans"]
        for resource in taken.get("resourceMetrics", []):
            for scope in resource["scopeMetrics"]:
                metrics.update((metric["name"], metric) for metric in scope["metrics"])
exec(sys.argv[2])
PY
}
is_said() { [ "$(understood "$1" 2>/dev/null)" = True ]; }
trace=4bf92f3577b34da6a3ce929d0e0e4736 parent=00f067aa0ba902b7
for compression in none gzip; do
  OTEL_EXPORTER_OTLP_COMPRESSION=$compression node_start || { fail "start"; finish; }
  if [ "$compression" = none ]; then
    claim || fail "claim"
    application echo echo
    deploy echo || fail "deploy"
  fi
  is "$compression: a traced request" "$(fetch -H "traceparent: 00-$trace-$parent-01" --data-binary hello "$url/a/echo/run")" hello
  until_true 15 is_said "print(any(s['traceId'] == '$trace' for s in spans))" || fail "$compression: spans arrive" "$(tail -n 3 "$scratch/node.log")"
  is "$compression: it reads the trace" "$(understood "s = [s for s in spans if s.get('parentSpanId') == '$parent'][0]
print(s['traceId'], s['name'], s['kind'])")" "$trace echo/f 2"
  until_true 15 is_said "print('s3n_invocation_duration_seconds' in metrics)" || fail "$compression: metrics arrive"
  is "$compression: it reads histograms and exemplars" "$(understood "p = metrics['s3n_invocation_duration_seconds']['histogram']['dataPoints'][0]
print(p['count'], len(p['bucketCounts']) - len(p['explicitBounds']), p['exemplars'][0]['traceId'])")" "1 1 $trace"
  is "$compression: nothing was rejected" "$(curl -sS "$admin/status" | python3 -c 'import json, sys
t = json.load(sys.stdin)["telemetry"]; print(t["spans"]["rejected"], t["failures"], t["error"])')" "0 0 "
  node_stop
  is "$compression: stop" $? 0
  seen=$(wc -l <"$taken")
done
exec 8>&-
wait "$collector"
is "the collector ends well" $? 0
finish
