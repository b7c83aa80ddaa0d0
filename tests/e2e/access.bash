#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may do what: members with roles, API tokens, on a running node.
set -u
. "$(dirname "$0")/node.bash"
require_node access
unset S3N_API_KEY
node_start || { fail "start"; finish; }
claim || fail "claim"
application shop echo
application other echo
deploy shop && deploy other || fail "deploy"
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
# as NAME COMMAND...: with another person's key.
as() {
  local who=$1
  shift
  timeout 60 s3n --config "$scratch/$who" -q "$@"
}
# public NAME: what `s3n member add` wants.
public() { timeout 90 s3n --config "$scratch/$1" login "$url" --trust-simulated --json 2>/dev/null | json_field public_key; }
status() { fetch -o "$scratch/body" -w '%{http_code}' "$@"; }

# --- members
ada=$(public ada) bob=$(public bob)
is "a stranger" "$(code as ada ls)" 4
timeout 90 s3n -q member add "$ada" --role deployer --application shop --name Ada || fail "add"
timeout 90 s3n -q member add "$bob" --role reader || fail "add"
has "ls" "$(timeout 90 s3n member ls)" "deployer  shop"
has "ls: names" "$(timeout 90 s3n member ls)" "Ada"
has "a reader lists" "$(as bob ls)" "other"
is "a reader does not deploy" "$(code as bob deploy "$scratch/shop")" 4
has "and is told why" "$(cat "$scratch/err")" "this needs the scope \`deploy\`, which reader has not"
is "nor exports the state" "$(code as bob kv export shop)" 4
has "for want of its scope" "$(cat "$scratch/err")" "this needs the scope \`state-read\`, which a reader has not"
is "nor add members" "$(code as bob member add "$bob" --role owner)" 4
is "a deployer deploys" "$(code as ada deploy "$scratch/shop")" 0
is "another application: no" "$(code as ada deploy "$scratch/other")" 4
has "and lists the one" "$(as ada ls)" "shop"
[[ $(as ada ls) != *other* ]] && pass "and no other" || fail "and no other"
is "a deployer does not delete" "$(code as ada rm shop)" 4
application shop exit
is "a deployer's version" "$(code as ada deploy "$scratch/shop")" 0
has "is released by their signature" "$(timeout 90 s3n versions shop)" serving
is "who deployed another one is told" "$(code invoke shop)" 6
has "and how to take it" "$(cat "$scratch/err")" "--any-code"
is "who takes it gets its answer" "$(code invoke shop --any-code)" 1
timeout 90 s3n -q rollback shop 1
is "one's own needs no word" "$(invoke shop --data x)" x
timeout 90 s3n -q member add "$bob" --role deployer
is "a role can change" "$(code as bob deploy "$scratch/other")" 0
is "not a key" "$(code timeout 90 s3n member add xyz --role reader)" 2
is "not a role" "$(code timeout 90 s3n member add "$bob" --role admin)" 3
is "not a member" "$(code timeout 90 s3n member rm 000000000000)" 5

# --- tokens
token=$(timeout 90 s3n -q token create --scope read,deploy --application shop --name ci --expires 1h)
[[ $token =~ ^s3n_[a-z2-7]{64}$ ]] && pass "create" || fail "create" "$token"
id=$(timeout 90 s3n token ls --json | json_field id)
is "never shown again" "$(timeout 90 s3n token ls --json | grep -c "$token")" 0
with() { S3N_API_KEY=$token timeout 60 s3n -q "$@"; }
is "a token that reads does not read the state" "$(code with kv export shop)" 4
for name in $'a\u009b2J' $'a\u202eb' $'a\u2028b' $'a\nb' $'a\tb' $'a\e[2J'; do
  is "a token's name is one line: $(printf %q "$name")" "$(code timeout 20 s3n token create --scope read --name "$name")" 3
  is "a member's name too: $(printf %q "$name")" "$(code timeout 20 s3n member add "$ada" --role reader --name "$name")" 3
done
has "it is said, escaped" "$(cat "$scratch/err")" 'name: must be a line of text, without characters that steer it: "a\x1b[2J"'
is "letters of all languages" "$(code timeout 20 s3n token create --scope read --expires 1m --name 'Émilie 漢字 علي')" 0
bearer() { status -H "Authorization: Bearer $token" "$@"; }
has "a token reads" "$(with ls)" shop
is "what it is" "$(bearer "$url/v1/caller"; grep -o '"actor":"token:' "$scratch/body")" '200"actor":"token:'
is "not what it has no scope for" "$(code with rollout shop 1)" 4
has "and says which" "$(cat "$scratch/err")" 'this token has no scope `rollout`'
is "no token makes tokens" "$(code with token create --scope read)" 4
is "no token for the whole of everything" "$(code timeout 90 s3n token create --scope members)" 4
is "another application: no" "$(code with versions other)" 4
application shop environment 'environment = { COLOUR = "red" }'
is "a token deploys" "$(code with deploy "$scratch/shop")" 0
has "what waits for a signature" "$(timeout 90 s3n versions shop)" pending
is "and does not answer" "$(fetch "$url/a/shop/run" | grep -c COLOUR=red)" 0
timeout 90 s3n -q release sign shop "$(timeout 90 s3n versions shop --json | python3 -c 'import json,sys; print(max(v["version_number"] for v in json.load(sys.stdin)["versions"]))')"
has "until a person signs" "$(fetch "$url/a/shop/run" | tr "\0" "\n")" "COLOUR=red"
is "cut" "$(status -H "Authorization: Bearer ${token%?}" "$url/v1/caller")" 401
has "cut: says so" "$(cat "$scratch/body")" "cut or mistyped"
is "of another node" "$(status -H "Authorization: Bearer s3n_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijceofeofwj" "$url/v1/caller")" 401
has "of another node: says so" "$(cat "$scratch/body")" "of another node"
is "nothing" "$(status -H "Authorization: Basic YTpi" "$url/v1/caller")" 401
head -c 60000 /dev/zero | tr '\0' a | sed 's/^/Authorization: Bearer s3n_/' >"$scratch/big"
is "60,000 characters" "$(status --http1.1 -H @"$scratch/big" "$url/v1/caller")" 431
short=$(timeout 90 s3n -q token create --scope read --expires 1s)
expired() { [ "$(status -H "Authorization: Bearer $short" "$url/v1/caller")" = 401 ] && grep -q expired "$scratch/body"; }
until_true 10 expired && pass "expires" || fail "expires"
theirs=$(as bob token create --scope read)
is "a member's token" "$(status -H "Authorization: Bearer $theirs" "$url/v1/caller")" 200
timeout 90 s3n -q member rm "$(timeout 90 s3n member ls --json | python3 -c 'import json,sys; print(next(m["key"] for m in json.load(sys.stdin)["members"] if not m["name"]))')"
is "a member who was removed" "$(code as bob ls)" 4
is "their token" "$(status -H "Authorization: Bearer $theirs" "$url/v1/caller")" 401
has "their token: says why" "$(cat "$scratch/body")" "no member any more"

# --- a restart forgets nothing
late=$(timeout 90 s3n -q token create --scope read --name late)
is "one more token" "$(status -H "Authorization: Bearer $late" "$url/v1/caller")" 200
node_stop && node_again || fail "restart"
is "the token" "$(bearer "$url/v1/caller")" 200
is "the member" "$(code as ada versions shop)" 0
has "its last use" "$(timeout 90 s3n token ls)" "used 20"
has "a last use of the moment before" "$(timeout 90 s3n token ls | grep late)" "used 20"
timeout 90 s3n -q token revoke "$id" || fail "revoke"
is "revoked" "$(bearer "$url/v1/caller")" 401
has "revoked: says so" "$(cat "$scratch/body")" "was revoked"
is "revoked twice" "$(code timeout 90 s3n token revoke "$id")" 5

# --- another key
is "one key" "$(timeout 90 s3n owner keys | wc -l)" 1
cp "$XDG_CONFIG_HOME/s3n/owner.key" "$scratch/first.pem"
mkdir "$scratch/before" && cp "$XDG_CONFIG_HOME/s3n/"* "$scratch/before"
timeout 90 s3n -q owner rotate --overlap 1h && pass "rotate" || fail "rotate"
has "two keys" "$(timeout 90 s3n owner keys)" "present"
cmp -s "$XDG_CONFIG_HOME/s3n/owner.key" "$scratch/first.pem" && fail "the key is another" || pass "the key is another"
is "the new one works" "$(code timeout 90 s3n ls)" 0
has "on the same applications" "$(cat "$scratch/out")" shop
is "the one before too, for an hour" "$(code as before ls)" 0
is "but names no other key" "$(code as before owner rotate)" 4
is "what it signed still answers" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/shop/run")" 200
application shop echo
is "the new one releases" "$(code timeout 60 s3n deploy "$scratch/shop")" 0
timeout 90 s3n -q owner rotate --overlap now && pass "rotate at once" || fail "rotate at once"
cp -r "$XDG_CONFIG_HOME/s3n" "$scratch/second" && mv "$scratch/second/owner.key.old" "$scratch/second/owner.key"
is "at once" "$(code as second ls)" 4
is "the members stay" "$(code as ada ls)" 0
node_stop && node_again || fail "restart"
is "after a restart" "$(code timeout 90 s3n ls)" 0
is "old releases are checked and served" "$(timeout 90 s3n -q rollback shop; fetch -o /dev/null -w '%{http_code}' "$url/a/shop/run")" 200
is "three keys" "$(timeout 90 s3n owner keys | wc -l)" 3

# --- the log of all that
log=$scratch/log.jsonl
timeout 90 s3n -q audit export >"$log" || fail "export"
judge() { code timeout 90 s3n audit verify --trust-simulated "$@"; }
is "the log holds" "$(judge "$log")" 0
has "and says so" "$(cat "$scratch/err")" "whole, and the end vouched for"
for action in deploy member-add member-change member-remove token-create token-revoke sign key-rotate claim; do
  grep -q "\"action\":\"$action\"" "$log" && pass "the log has $action" || fail "the log has $action"
done
has "by whom" "$(grep token-revoke "$log")" '"actor":"key:'
has "also by token" "$(cat "$log")" '"actor":"token:'
refused_at() { # NAME FILE NUMBER
  is "$1" "$(judge "$2")" 6
  has "$1: where" "$(cat "$scratch/err")" "entry $3 "
}
entries=$(($(wc -l <"$log") - 1))
sed '3d' "$log" >"$scratch/bad"; refused_at "one is missing" "$scratch/bad" 3
sed '1d' "$log" >"$scratch/bad"; refused_at "the first is missing" "$scratch/bad" 1
sed "${entries}d" "$log" >"$scratch/bad"; refused_at "the last is missing" "$scratch/bad" "$entries"
sed '3s/"time_s":1/"time_s":2/' "$log" >"$scratch/bad"; refused_at "one was edited" "$scratch/bad" 4
sed "${entries}s/\"time_s\":1/\"time_s\":2/" "$log" >"$scratch/bad"; refused_at "the last was edited" "$scratch/bad" "$entries"
sed '2{h;d};3{G}' "$log" >"$scratch/bad"; refused_at "two in another order" "$scratch/bad" 2
sed '2p' "$log" >"$scratch/bad"; refused_at "one twice" "$scratch/bad" 3
sed '$d' "$log" >"$scratch/bad"; is "without its end" "$(judge "$scratch/bad")" 6
head -c -10 "$log" >"$scratch/bad"; is "cut" "$(judge "$scratch/bad")" 6
: >"$scratch/bad"; is "nothing" "$(judge "$scratch/bad")" 6
sed "\$s/\"number\":$entries/\"number\":$((entries - 1))/" "$log" | sed "${entries}d" >"$scratch/bad"; is "a shorter end" "$(judge "$scratch/bad")" 6
is "evidence that proves nothing" "$(code timeout 90 s3n audit verify "$log")" 6
sed '1,2d' "$log" >"$scratch/part"; is "a part" "$(judge --part "$scratch/part")" 0
has "a part: says so" "$(cat "$scratch/err")" "before entry 3 is not in this file"
timeout 90 s3n -q audit export --since 1h >"$scratch/part"
is "since" "$(judge --part "$scratch/part")" 0
timeout 90 s3n -q token create --scope read >/dev/null
timeout 90 s3n -q audit export >"$scratch/later"
is "a later one goes on where it ended" "$(head -n "$entries" "$scratch/later" | cmp - <(head -n "$entries" "$log"); wc -l <"$scratch/later")" $((entries + 2))
is "not for who is bound to one application" "$(code as ada audit export)" 4
is "no token's text in the log" "$(grep -c "${token:4}\|${short:4}\|${theirs:4}\|${late:4}" "$scratch/node.log")" 0
finish
