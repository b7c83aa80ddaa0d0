#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Idempotency-Key: what was answered is kept with what was done, over kills and restarts.
set -u
. "$(dirname "$0")/node.bash"
require_node idempotency
command -v python3 >/dev/null || skip_all idempotency "no python3"
node_start || { fail "start"; finish; }
claim || fail "claim"
unit='[middleware.idempotency]'
application repeat counter 'permissions.kv = ["counts"]
on_conflict = "retry"'
echo "$unit" >>"$scratch/repeat/s3n.toml"
application strict counter 'permissions.kv = ["counts"]'
printf '%s\nrequired = true\nretention_s = 1\n' "$unit" >>"$scratch/strict/s3n.toml"
application slow loop 'limits = { timeout_ms = 8000 }'
printf '%s\nconcurrent = "refuse"\n' "$unit" >>"$scratch/slow/s3n.toml"
application large echo 'limits = { output_kib = 4096 }'
echo "$unit" >>"$scratch/large/s3n.toml"
application pure echo
echo "$unit" >>"$scratch/pure/s3n.toml"
for app in repeat strict slow large pure; do deploy $app || fail "deploy $app"; done
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
application thief counter 'permissions.kv = ["s3n.results"]'
is "no function may name where answers are kept" "$(code deploy thief)" 3
# ask APP KEY BODY [CURL ARGUMENTS...]: the status and the body; fields in $scratch/fields
ask() {
  local app=$1 key=$2 body=$3
  shift 3
  fetch -o "$scratch/body" -D "$scratch/fields" -w '%{http_code} ' ${key:+-H "idempotency-key: $key"} --data-binary "$body" "$@" "$url/a/$app/run"
  tr -d '\0' <"$scratch/body" | head -c 100
}
field() { grep -i "^$1:" "$scratch/fields" | tr -d '\r' | cut -d' ' -f2-; }

is "the first" "$(ask repeat '"k1"' I)" "200 0000000001"
is "the first: nothing is replayed" "$(field s3n-replayed)" ""
receipt=$(field s3n-receipt) id=$(field s3n-invocation-id)
is "again: the same answer" "$(ask repeat '"k1"' I)" "200 0000000001"
is "again: it says so" "$(field s3n-replayed)" true
is "again: the same invocation" "$(field s3n-invocation-id)" "$id"
is "again: the same receipt" "$(field s3n-receipt)" "$receipt"
is "a key with and without quotes is one" "$(ask repeat k1 I)" "200 0000000001"
is "another key" "$(ask repeat '"k2"' I)" "200 0000000002"
is "no key" "$(ask repeat '' I)" "200 0000000003"
has "another body" "$(ask repeat '"k1"' R)" '422 {"error":{"code":"key-reused"'
has "another content type" "$(ask repeat '"k1"' I -H 'content-type: text/x-other')" '422 '
has "another path" "$(fetch -w ' %{http_code}' -H 'idempotency-key: "k1"' --data-binary I "$url/a/repeat/run?x=1")" ' 422'
is "a call by name has keys too" "$(for _ in 1 2; do fetch -H 'idempotency-key: "k3"' --data-binary I "$url/v1/applications/repeat/functions/f/invoke"; echo; done | uniq)" 0000000004
has "a malformed key" "$(ask repeat '"a" "b"' I)" "400 "
has "two keys" "$(ask repeat '"a"' I -H 'idempotency-key: "b"')" "400 "
is "GET needs none" "$(fetch -o /dev/null -w '%{http_code}' -H 'idempotency-key: "a" b' "$url/a/pure/run")" 200
has "a key is demanded" "$(ask strict '' I)" "400 "
is "a key that is demanded" "$(ask strict '"s"' I)" "200 0000000001"
is "a function without state" "$(ask pure '"p"' hello; ask pure '"p"' hello)" "200 hello200 hello"
is "a function without state: kept" "$(field s3n-replayed)" true
has "a failure is not kept" "$(ask repeat '"t"' T)" "500 "
is "a failure is not kept: it fails anew" "$(ask repeat '"t"' T | cut -c1-3; field s3n-replayed)" 500
is "a failure changed nothing" "$(ask repeat '"r1"' R)" "200 0000000004"
head -c 300000 /dev/zero | tr '\0' x >"$scratch/300k"
has "what is too large to be kept is not done" "$(ask large '"l"' "@$scratch/300k")" "413 "
is "without a key it is" "$(ask large '' "@$scratch/300k" | cut -c1-3)" 200

# --- the same key at the same time
for i in 1 2 3 4 5 6; do fetch -H 'idempotency-key: "together"' --data-binary I "$url/a/repeat/run" >"$scratch/together.$i" & pids[i]=$!; done
wait "${pids[@]}"
is "six at once are one" "$(cat "$scratch"/together.? | sed 's/\(.\{10\}\)/\1\n/g' | sort | uniq -c | tr -s ' ')" " 6 0000000005"
ask slow '"w"' x >"$scratch/slow.out" & first=$!
looping() { curl -sS --max-time 60 "$admin/metrics" | grep -q '^s3n_instances{state="running"} 1'; }
until_true 20 looping || fail "the first runs"
has "or are told to come back" "$(fetch -D "$scratch/fields2" -w ' %{http_code}' -H 'idempotency-key: "w"' --data-binary x "$url/a/slow/run")" '"code":"conflict"'
has "or are told when" "$(cat "$scratch/fields2")" "retry-after: 1"
has "another body meanwhile" "$(fetch -w ' %{http_code}' -H 'idempotency-key: "w"' --data-binary y "$url/a/slow/run")" " 422"
kill "$first"
wait "$first" 2>/dev/null

# --- retention
gone() { [ "$(ask strict '"s"' I)" = "200 0000000002" ]; }
until_true 10 gone && pass "after its time a key is free" || fail "after its time a key is free"

# --- kills
if line=$(timeout 100 python3 "$here/repeat.py" "$url" "$node" 4 from); then pass "$line"; else fail "kills" "$line"; fi
node_stop
node_again || { fail "start again"; finish; }
is "after a restart" "$(ask repeat '"k1"' I)" "200 0000000001"
is "after a restart: it says so" "$(field s3n-replayed)" true
is "after a restart: the receipt too" "$(field s3n-receipt)" "$receipt"
has "after a restart: another body" "$(ask repeat '"k1"' R)" '422 '

# --- who may change the state has no hand in what was answered
export S3N_API_KEY
S3N_API_KEY=$(timeout 90 s3n -q token create --scope state-read,state-write --application repeat)
kv() { timeout 90 s3n -q kv "$@"; }
is "a token for the state writes" "$(printf 1 | code kv set repeat notes a)" 0
is "and reads" "$(kv get repeat notes a)" 1
kv export repeat "$scratch/kept.jsonl"
name=$(grep '"namespace":"s3n.results"' "$scratch/kept.jsonl" | sed -n '1s/.*"key":"\([0-9a-f]*\)".*/\1/p')
[ -n "$name" ] && pass "an export has what is kept" || fail "an export has what is kept"
is "by its hash alone" "$(grep '"namespace":"s3n.results"' "$scratch/kept.jsonl" | grep -c '"value"')" 0
for verb in "get repeat s3n.results $name" "rm repeat s3n.results $name" "ls repeat s3n.results" "set repeat s3n.results $name" "set repeat s3n.anything a"; do
  # shellcheck disable=SC2086
  is "kv $verb" "$(printf forged | code kv $verb)" 4
done
has "says why" "$(cat "$scratch/err")" "namespaces that begin with s3n. are the node's"
api() { fetch -o "$scratch/body" -w '%{http_code}' -H "authorization: Bearer $S3N_API_KEY" "$url/v1/applications/repeat/kv$1" "${@:2}"; }
entry="/s3n.results/entry?key=$name"
is "PUT" "$(api "$entry" -X PUT --data-binary forged)" 403
has "its code" "$(cat "$scratch/body")" '"code":"denied"'
is "PUT of another name that is escaped" "$(api "/%733n.results/entry?key=$name" -X PUT --data-binary forged)" 403
is "GET" "$(api "$entry")" 403
is "DELETE" "$(api "$entry" -X DELETE)" 403
is "a list" "$(api "/s3n.results?values=1")" 403
is "an import" "$(api '' --data-binary '{"entries":[{"namespace":"notes","key":"b","value":"MQ=="},{"namespace":"s3n.results","key":"'"$name"'","value":"MQ=="}]}')" 403
is "of which nothing is done" "$(code kv get repeat notes b)" 5
is "pages behind the node's" "$(api "?limit=1&after_namespace=s3n.results&after_key=$name")" 200
unset S3N_API_KEY
is "what was answered stays" "$(ask repeat '"k1"' I)" "200 0000000001"
is "what was answered stays: replayed" "$(field s3n-replayed)" true
sed '0,/"hash":"./s//"hash":"0/' "$scratch/kept.jsonl" | sed '0,/"hash":"0\(.\)/s//"hash":"0f/' >"$scratch/changed.jsonl"
is "a changed hash: refused" "$(code kv import strict "$scratch/changed.jsonl")" 6
has "import leaves out what is the node's" "$(timeout 90 s3n kv import large "$scratch/kept.jsonl" 2>&1)" "of the node's own (namespaces s3n.*) left out"
is "and takes the rest" "$(kv get large notes a)" 1
kv export large "$scratch/large.jsonl"
is "and nothing else" "$(grep -c s3n.results "$scratch/large.jsonl")" 0
finish
