#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [middleware] of a manifest over a real node: traces, limits, cross-origin requests.
set -u
. "$(dirname "$0")/node.bash"
require_node middleware
node_start || { fail "start"; finish; }
claim || fail "claim"
application plain environment
application shaped environment
cat >>"$scratch/shaped/s3n.toml" <<'TOML'
methods = ["GET", "POST"]
[middleware.limits]
body_kib = 1
rate_per_address = { per_minute = 1, burst = 40 }
[middleware.cors]
origins = ["https://app.example.com", "http://localhost:3000"]
headers = ["content-type", "x-own"]
credentials = true
TOML
deploy plain && deploy shaped || fail "deploy"
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
# ask APP [CURL ARGUMENTS...]: the status; fields in $scratch/fields, the body in $scratch/body
ask() {
  local app=$1
  shift
  fetch -o "$scratch/body" -D "$scratch/fields" -w '%{http_code}' "$@" "$url/a/$app/run"
}
field() { grep -i "^$1:" "$scratch/fields" | tr -d '\r' | cut -d' ' -f2-; }
error_code() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["error"]["code"])' "$scratch/body"; }

# --- an unknown unit, an unknown key, nonsense
for part in 'middleware.lmits]' 'middleware.limits]
bodykib = 1' 'middleware.limits]
queue = 1' 'middleware.cors]
origins = ["https://app.example.com/"]' 'middleware.cors]
origins = ["*"]
credentials = true'; do
  application wrong echo
  printf '[%s\n' "$part" >>"$scratch/wrong/s3n.toml"
  is "a manifest with [${part%%]*}: refused" "$(code deploy wrong)" 3
done
has "it says where" "$(cat "$scratch/err")" "s3n.toml:"

# --- traces
trace=4bf92f3577b34da6a3ce929d0e0e4736
is "a trace goes on" "$(ask plain -H "traceparent: 00-$trace-00f067aa0ba902b7-01" -H 'tracestate: a=1')" 200
seen=$(tr '\0' '\n' <"$scratch/body" | grep '^HTTP_TRACE')
has "in a span of its own" "$seen" "HTTP_TRACEPARENT=00-$trace-"
[[ $seen != *00f067aa0ba902b7* ]] && pass "not the caller's span" || fail "not the caller's span" "$seen"
has "with the caller's state" "$seen" "HTTP_TRACESTATE=a=1"
ask plain -H "traceparent: 00-$trace-0000000000000000-01" -H 'tracestate: a=1' >"$scratch/out"
seen=$(tr '\0' '\n' <"$scratch/body" | grep '^HTTP_TRACE')
[[ $seen == HTTP_TRACEPARENT=00-* && $seen != *$trace* && $seen != *TRACESTATE* ]] &&
  pass "a malformed trace is none" || fail "a malformed trace is none" "$seen"

# --- bodies
head -c 1024 /dev/zero | tr '\0' x >"$scratch/kib"
is "a body of the application's limit" "$(ask shaped --data-binary "@$scratch/kib")" 200
printf x >>"$scratch/kib"
is "one byte more" "$(ask shaped --data-binary "@$scratch/kib")" 413
is "also when it does not say so" "$(ask shaped -H 'transfer-encoding: chunked' --data-binary "@$scratch/kib")" 413
is "others have the node's" "$(ask plain --data-binary "@$scratch/kib")" 200

# --- cross-origin requests
here_origin='origin: https://app.example.com'
preflight() { ask "$@" -X OPTIONS -H 'access-control-request-method: POST'; }
is "preflight" "$(preflight shaped -H "$here_origin" -H 'access-control-request-headers: content-type,X-Own')" 204
is "preflight: who" "$(field access-control-allow-origin)" "https://app.example.com"
is "preflight: with credentials" "$(field access-control-allow-credentials)" true
is "preflight: how" "$(field access-control-allow-methods)" "GET, POST"
is "preflight: with what" "$(field access-control-allow-headers)" "content-type, x-own"
is "preflight: for how long" "$(field access-control-max-age)" 600
is "preflight: by origin" "$(field vary)" origin
is "preflight: another page" "$(preflight shaped -H 'origin: https://evil.example')" 403
is "preflight: another page gets nothing" "$(field access-control-allow-origin)" ""
is "preflight: an origin that begins alike" "$(preflight shaped -H "${here_origin}.evil.example")" 403
is "preflight: no origin at all" "$(preflight shaped -H 'origin: null')" 403
is "preflight: a field that is not listed" "$(preflight shaped -H "$here_origin" -H 'access-control-request-headers: x-other')" 403
is "preflight: a method that no route has" "$(ask shaped -X OPTIONS -H "$here_origin" -H 'access-control-request-method: DELETE')" 405
is "OPTIONS alone is a method like others" "$(ask shaped -X OPTIONS -H "$here_origin")" 405
is "without [middleware.cors] it is the function's" "$(preflight plain -H "$here_origin")" 200
is "a page's request" "$(ask shaped -H "$here_origin")" 200
is "a page's request: it may read" "$(field access-control-allow-origin)" "https://app.example.com"
has "a page's request: the receipt too" "$(field access-control-expose-headers)" s3n-receipt
is "another page's request is run" "$(ask shaped -H 'origin: https://evil.example')" 200
is "another page's request: not for its eyes" "$(field access-control-allow-origin)" ""
is "a refusal can be read too" "$(ask shaped -X DELETE -H "$here_origin") $(field access-control-allow-origin)" "405 https://app.example.com"
is "a call by name: preflight" "$(fetch -o /dev/null -D "$scratch/fields" -w '%{http_code}' -X OPTIONS -H "$here_origin" \
  -H 'access-control-request-method: POST' "$url/v1/applications/shaped/functions/f/invoke") $(field access-control-allow-methods)" "204 POST"

# --- rates: what is left of 40, then one in a minute
passed_count=0
for _ in $(seq 40); do
  status=$(ask shaped)
  [ "$status" = 200 ] || break
  passed_count=$((passed_count + 1))
done
is "a rate's end" "$status" 429
[ "$passed_count" -lt 36 ] && pass "what came before counts" || fail "what came before counts" "$passed_count"
is "a rate's end: its code" "$(error_code)" busy
wait_s=$(field retry-after)
[ "$wait_s" -ge 1 ] && [ "$wait_s" -le 60 ] && pass "when to come back" || fail "when to come back" "$wait_s"
is "other addresses have their own" "$(ask shaped --interface 127.0.0.2)" 200
is "other applications too" "$(ask plain)" 200
sed -i 's/version = "1.0.0"/version = "1.0.1"/' "$scratch/shaped/s3n.toml"
deploy shaped || fail "deploy a new version"
for _ in 1 2 3; do status=$(ask shaped); [ "$status" = 200 ] || break; done # as many minutes may have passed
is "a new version has no new bucket" "$status" 429

# --- how many at a time: one runs for 700 ms, one waits for 300, others are refused at once
busy() { fetch -o "$scratch/busy.$1" -D "$scratch/busy.fields.$1" -w '%{http_code}\n' "$url/a/busy/run" >"$scratch/busy.code.$1"; }
# crowd COUNT RUN_MS QUEUE_MS: so many come at once; $codes
crowd() {
  local i pids=()
  application busy loop "limits = { timeout_ms = $2, concurrency = 8 }"
  printf '[middleware.limits]\nconcurrency = 1\nqueue = 1\nqueue_ms = %s\n' "$3" >>"$scratch/busy/s3n.toml"
  deploy busy || fail "deploy busy"
  busy warm
  rm -f "$scratch"/busy.*[1-4]
  for i in $(seq "$1"); do busy "$i" & pids[i]=$!; done
  wait "${pids[@]}"
  codes=$(cat "$scratch"/busy.code.[1-4] | sort | tr '\n' ' ')
}
# They come at once as far as the machine starts them so: where it takes its time, all get more of it.
for more in 1 4 16; do
  crowd 4 $((700 * more)) $((300 * more))
  [[ $codes == "503 503 503 504 " && $(cat "$scratch"/busy.[1-4]) == *"wait already"* ]] && break
done
is "one at a time" "$codes" "503 503 503 504 "
has "the others know when to come back" "$(cat "$scratch"/busy.fields.[1-4])" "retry-after: 1"
has "one waited" "$(cat "$scratch"/busy.[1-4])" "none of them ended in $((300 * more)) ms"
has "others did not" "$(cat "$scratch"/busy.[1-4])" "wait already"
for more in 1 4; do
  crowd 3 $((700 * more)) $((5000 * more))
  [ "$codes" = "503 504 504 " ] && break
done
is "who waits long enough is served" "$codes" "503 504 504 "
finish
