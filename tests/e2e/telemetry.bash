#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Metrics and traces at a collector that decodes them with OpenTelemetry's own descriptors; and what becomes of the
# node when that collector is slow, lies, hangs or is gone: nothing but counts.
set -u
. "$(dirname "$0")/node.bash"
require_node telemetry
/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null || skip_all telemetry "python3-protobuf is not installed"
log=$scratch/collected mode=$scratch/mode
: >"$log"
chmod 666 "$log"
say() { echo "$1" >"$mode.new" && mv "$mode.new" "$mode"; }
say ok
exec 8< <(exec /usr/bin/python3 "$S3N_SOURCE/tests/telemetry/collector.py" "$log" "$mode")
collector=$!
read -r -t 60 port <&8 || { fail "the collector starts"; finish; }
stop_collector() { kill "$collector" 2>/dev/null; }
trap 'stop_collector; clean_up' EXIT
export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$port/ OTEL_EXPORTER_OTLP_TIMEOUT=1500 OTEL_BSP_SCHEDULE_DELAY=100
export OTEL_METRIC_EXPORT_INTERVAL=700 OTEL_BSP_MAX_QUEUE_SIZE=60 OTEL_BSP_MAX_EXPORT_BATCH_SIZE=40
export OTEL_SERVICE_NAME=prices OTEL_RESOURCE_ATTRIBUTES='deployment.environment=test,team=a%20b'
export OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer canary-token'
output=$(OTEL_EXPORTER_OTLP_PROTOCOL=grpc s3nd --data-dir "$data" --listen 127.0.0.1:0 2>&1)
is "a protocol that is not there" $? 3
has "is named" "$output" "OTEL_EXPORTER_OTLP_PROTOCOL"
output=$(OTEL_EXPORTER_OTLP_COMPRESSION=zstd s3nd --data-dir "$data" --listen 127.0.0.1:0 2>&1)
is "a compression that is not there" $? 3
has "is named, with those that are" "$output" "OTEL_EXPORTER_OTLP_COMPRESSION: zstd is not supported; use none, gzip"
export OTEL_EXPORTER_OTLP_COMPRESSION=gzip OTEL_EXPORTER_OTLP_METRICS_COMPRESSION=none
node_start || { fail "start"; finish; }
claim || fail "claim"

# collected PROGRAM: prints what Python makes of `entries`, `spans` and `metrics`.
collected() {
  /usr/bin/python3 - "$log" "$1" <<'PY'
import base64, json, sys
entries = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
def attributes(thing):
    return {a["key"]: next(iter(a["value"].values())) for a in thing.get("attributes", [])}
def hexadecimal(text):
    return base64.b64decode(text).hex()
spans, metrics = [], {}
for entry in entries:
    if entry["mode"] not in ("ok", "partial"):
        continue
    for resource in entry.get("request", {}).get("resourceSpans", []):
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                spans.append({**span, "traceId": hexadecimal(span["traceId"]), "spanId": hexadecimal(span["spanId"]),
                              "parentSpanId": hexadecimal(span.get("parentSpanId", "")), "attributes": attributes(span)})
    for resource in entry.get("request", {}).get("resourceMetrics", []):
        for scope in resource["scopeMetrics"]:
            metrics = {metric["name"]: metric for metric in scope["metrics"]}
exec(sys.argv[2])
PY
}
status() { curl -sS --max-time 60 "$admin/status" | python3 -c "import json, sys
t = json.load(sys.stdin)['telemetry']; s = t['spans']
print($1)"; }
settled() { [ "$(status 's["waiting"]')" = 0 ]; }

# --- a trace
trace=4bf92f3577b34da6a3ce929d0e0e4736 parent=00f067aa0ba902b7
call() { fetch -o /dev/null -w '%{http_code}' --data-binary x "$@"; }
application echo echo
deploy echo || fail "deploy"
is "a traced request" "$(call -D "$scratch/head" -H "traceparent: 00-$trace-$parent-01" "$url/a/echo/run")" 200
id=$(tr -d '\r' <"$scratch/head" | sed -n 's/^s3n-request-id: //pI')
until_true 10 grep -q resourceSpans "$log" || fail "spans arrive" "$(tail -n 5 "$scratch/node.log")"
output=$(collected "
ours = [s for s in spans if s['traceId'] == '$trace']
root = [s for s in ours if s['parentSpanId'] == '$parent'][0]
below = {s['name']: s for s in ours if s['parentSpanId'] == root['spanId']}
run, queue = below['run'], below['queue']
start, end = 'startTimeUnixNano', 'endTimeUnixNano'
print(len(ours), root['name'], root['kind'], run['kind'], root['attributes']['s3n.request_id'] == '$id',
      run['attributes']['s3n.outcome'], queue['attributes'].get('s3n.start'), root['flags'], run['flags'],
      int(root[start]) <= int(queue[start]) <= int(queue[end]) == int(run[start]) <= int(run[end]) <= int(root[end]))")
is "its spans, one below the other" "$output" "3 echo/f SPAN_KIND_SERVER SPAN_KIND_INTERNAL True done cold 769 257 True"
output=$(collected "
first = [e for e in entries if 'resourceSpans' in e.get('request', {})][0]
about = attributes(first['request']['resourceSpans'][0]['resource'])
print(about['service.name'], about['deployment.environment'], about['team'], 'service.instance.id' in about,
      first['headers']['authorization'], any('malformed' in e for e in entries))")
is "the resource and the credentials" "$output" "prices test a b True Bearer canary-token False"
server=$(pid_of 'role server')
is "credentials are the exporter's alone" "$(tr '\0' '\n' <"/proc/$server/environ" | grep -c canary)" 0

# --- calls of a function are spans below its run
application calls calls 'permissions.kv = ["prices"]'
deploy calls || fail "deploy calls"
other=11112222333344445555666677778888
fetch -o /dev/null -H "traceparent: 00-$other-$parent-01" --data-binary Ginstead "$url/a/calls/run"
fetch -o /dev/null -H "traceparent: 00-$other-$parent-01" --data-binary Skey "$url/a/calls/run"
both_calls() { [ "$(collected "print(len([s for s in spans if s['traceId'] == '$other' and s['name'].startswith('kv_')]))")" = 2 ]; }
until_true 10 both_calls || fail "calls are told"
output=$(collected "
ours = {s['spanId']: s for s in spans if s['traceId'] == '$other'}
for s in sorted(ours.values(), key=lambda s: s['name']):
    if s['name'].startswith('kv_'):
        run = ours[s['parentSpanId']]
        print(s['name'], s['kind'], run['name'], s.get('status', {}).get('code'), s['attributes'].get('s3n.call.error'),
              int(run['startTimeUnixNano']) <= int(s['startTimeUnixNano']) <= int(s['endTimeUnixNano']), end=';')")
is "host calls" "$output" "kv_get SPAN_KIND_CLIENT run STATUS_CODE_ERROR -4 True;kv_set SPAN_KIND_CLIENT run None None True;"

# --- sampling
is "one that is not sampled" "$(call -H "traceparent: 00-${trace/4bf9/aaaa}-$parent-00" "$url/a/echo/run")" 200
is "one without a trace" "$(call "$url/a/echo/run")" 200
two_roots() { [ "$(collected 'print(len([s for s in spans if s["name"] == "echo/f"]))')" = 2 ]; }
until_true 10 two_roots && pass "a trace begins here" || fail "a trace begins here"
is "the other is not told" "$(grep -c "$(echo "aaaa${trace:4}" | xxd -r -p | base64)" "$log")" 0

# --- metrics
invoke echo --data x >/dev/null
has_counts() { [ "$(collected 'print(any(p["asInt"] == "4" for p in metrics["s3n_invocations"]["sum"]["dataPoints"]))')" = True ]; }
until_true 10 has_counts && pass "counters arrive" || fail "counters arrive" "$(collected 'print(metrics.get("s3n_invocations"))')"
output=$(collected "
h = metrics['s3n_invocation_duration_seconds']
point = h['histogram']['dataPoints'][0]
examples = [attributes({'attributes': e['filteredAttributes']})['request_id'] for e in point['exemplars']]
traces = [hexadecimal(e['traceId']) for e in point['exemplars'] if 'traceId' in e]
print(h['unit'], h['histogram']['aggregationTemporality'], point['count'], len(point['bucketCounts']) - len(point['explicitBounds']),
      sum(map(int, point['bucketCounts'])), attributes(point), len(examples) > 0, len(traces) > 0,
      metrics['s3n_invocations']['sum']['isMonotonic'], 'gauge' in metrics['s3n_ready'],
      int(point['startTimeUnixNano']) < int(point['timeUnixNano']))")
is "a histogram with exemplars" "$output" "s AGGREGATION_TEMPORALITY_CUMULATIVE 4 1 4 {'function': 'echo/f'} True True True True True"
is "traces are compressed, metrics are not" "$(collected "print(sorted({(e['path'], e['headers'].get('content-encoding'), 'saved' in e) for e in entries}))")" \
  "[('/v1/metrics', None, False), ('/v1/traces', 'gzip', True)]"
is "nothing was malformed" "$(collected 'print([e for e in entries if "malformed" in e])')" "[]"

# --- a collector that is not well
quick() { # the node answers in time
  local start=$EPOCHREALTIME status
  status=$(call "$url/a/echo/run")
  [ "$status" = 200 ] && [ $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) -lt 1000 ]
}
until_true 10 settled
say busy
call "$url/a/echo/run" >/dev/null
tried() { [ "$(status 't["failures"] > 0')" = True ]; }
until_true 10 tried || fail "busy is a failure"
has "busy is told" "$(status 't["error"]')" "503"
before=$(status 's["sent"]')
say ok
until_true 10 settled
is "what was busy is tried again" "$(status "s['sent'] > $before and s['given_up'] == 0")" True
say partial
before=$(status 's["rejected"]')
call "$url/a/echo/run" >/dev/null
until_true 10 settled
is "a partial success" "$(status "s['rejected'] - $before")" 2
say refuse
before=$(status 's["rejected"]')
call "$url/a/echo/run" >/dev/null
until_true 10 settled
is "what is refused is not tried again" "$(status "s['rejected'] - $before")" 3
for way in garbage redirect big close slow; do
  say $way
  before=$(status 't["failures"]')
  call "$url/a/echo/run" >/dev/null
  failing() { [ "$(status "t['failures'] > $before")" = True ]; }
  until_true 10 failing && pass "$way is a failure" || fail "$way is a failure" "$(status t)"
  quick && pass "$way: the node answers" || fail "$way: the node answers"
done
say hang
for i in $(seq 60); do call "$url/a/echo/run" >/dev/null; done
quick && pass "hang: the node answers" || fail "hang: the node answers"
is "hang: the queue is bounded" "$(status "s['dropped'] > 0 and s['waiting'] <= 100")" True
has "hang: metrics tell" "$(curl -sS --max-time 60 "$admin/metrics")" 's3n_telemetry_spans_dropped_total{reason="queue"} '
is "hang: ready all the same" "$(curl -sS --max-time 60 "$admin/readyz")" ready
stop_collector
failed_again() { [[ $(status 't["error"]') == *onnect* ]]; }
until_true 15 failed_again && pass "a collector that is gone is told" || fail "a collector that is gone is told" "$(status t)"
quick && pass "gone: the node answers" || fail "gone: the node answers"
node_stop
is "stop" $? 0
is "no exporter is left" "$(pgrep -c -f 'role telemetry.*'"$data")" 0

# --- the same from the configuration file, over TLS with authorities of its own
unset "${!OTEL_@}"
say ok
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=collector -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$scratch/tls.key" -out "$scratch/tls.pem" 2>/dev/null
exec 7< <(exec /usr/bin/python3 "$S3N_SOURCE/tests/telemetry/collector.py" "$log" "$mode" "$scratch/tls.pem" "$scratch/tls.key")
collector=$!
read -r -t 60 port <&7 || { fail "the collector starts with TLS"; finish; }
printf 'X-Tenant: canary-file\n' >"$scratch/headers"
cat >"$scratch/s3nd.toml" <<TOML
[telemetry]
endpoint = "https://127.0.0.1:$port"
ca = "$scratch/tls.pem"
headers_file = "$scratch/headers"
traces = "off"
compression = "gzip"
service = "from-a-file"
interval_ms = 200
TOML
: >"$log"
node_start --config "$scratch/s3nd.toml" || { fail "start with a file"; finish; }
until_true 15 grep -q from-a-file "$log" || fail "metrics arrive over TLS" "$(status t)"
call "$url/a/echo/run" >/dev/null
output=$(collected "print(entries[0]['headers'].get('x-tenant'), {e['path'] for e in entries}, any('malformed' in e for e in entries))")
is "headers of the file, and no traces" "$output" "canary-file {'/v1/metrics'} False"
is "compressed, and to less than half" "$(collected "print(all(e['headers']['content-encoding'] == 'gzip' and e['saved'] < 0.5 for e in entries))")" True
say plain
told_plain() { [[ $(status 't["error"]') == *"answers 415"* ]]; }
until_true 10 told_plain && pass "a collector that takes nothing compressed is told" || fail "a collector that takes nothing compressed is told" "$(status t)"
node_stop
is "stop again" $? 0
finish
