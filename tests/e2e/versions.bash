#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Versions: list, show, compare, canary, roll back, delete and restore, signatures, policy, quotas; and switching under load.
set -u
. "$(dirname "$0")/node.bash"
require_node versions
cat >"$scratch/s3nd.toml" <<'TOML'
[policy]
kinds = ["wasm"]
imports = ["wasi_snapshot_preview1.*", "s3n.*"]
memory_mib = 256
[quotas]
applications = 3
versions = 12
TOML
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim
state_of() { timeout 90 s3n versions "$1" --json | python3 -c "import json,sys; print({v['version_number']: v for v in json.load(sys.stdin)['versions']}[$2]['state'])"; }
colour() { application app environment "environment = { COLOUR = \"$1\" }"; }
answer() { fetch "$url/a/app/run"; }

# --- versions
colour red && deploy app && colour blue
output=$(timeout 60 s3n deploy "$scratch/app" --json 2>/dev/null)
is "a version has a number" "$(json_field version_number <<<"$output")" 2
digest=$(json_field version_digest <<<"$output")
is "and a digest" "${#digest}" 64
has "it answers" "$(answer)" "COLOUR=blue"
is "the one before does not" "$(state_of app 1)" released
colour red
is "the same content is the same version" "$(timeout 60 s3n deploy "$scratch/app" --json 2>/dev/null | json_field version_number)" 1
has "and answers again" "$(answer)" "COLOUR=red"
has "show" "$(timeout 90 s3n versions show app 2)" "$digest"
has "with the verification report" "$(timeout 90 s3n versions show app 2)" '"imports"'
has "diff" "$(timeout 90 s3n versions diff app 1 2)" "+ manifest.function.f.environment.COLOUR = \"blue\""
is "rollback" "$(timeout 90 s3n -q rollback app; answer | grep -c COLOUR=blue)" 1
timeout 90 s3n -q rollout app 1
output=$(invoke app --receipt "$scratch/receipt.json")
receipt=$(timeout 90 s3n verify "$scratch/receipt.json" --trust-simulated 2>&1)
has "the receipt names the version and who released it" "$receipt" "released by"
output=$(timeout 90 s3n versions rm app 1 2>&1)
is "a version that answers stays" $? 7
timeout 90 s3n -q versions rm app 2
is "delete" "$(state_of app 2)" deleted
output=$(timeout 90 s3n rollout app 2 2>&1)
is "a deleted version is not served" $? 5
timeout 90 s3n -q versions restore app 2
is "restore" "$(state_of app 2)" released
timeout 90 s3n -q rm app
is "a deleted application does not answer" "$(fetch -o /dev/null -w '%{http_code}' "$url/a/app/run")" 404
timeout 90 s3n -q restore app
has "until it is restored" "$(answer)" "COLOUR=red"
output=$(timeout 90 s3n versions app --json)
is "its versions are there" "$(grep -c version_digest <<<"$output")" 2

# --- a canary
weights() { timeout 90 s3n versions app --json | python3 -c "import json,sys; print(*(v['weight'] for v in sorted(json.load(sys.stdin)['versions'], key=lambda v: v['version_number'])))"; }
for edge in "0 100 0" "1 99 1" "99 1 99" "100 0 100"; do
  timeout 90 s3n -q rollout app 1
  timeout 90 s3n -q rollout app 2 --weight "${edge%% *}"
  is "a weight of ${edge%% *}" "$(weights)" "${edge#* }"
done
timeout 90 s3n -q rollout app 1
for weight in 101 -1 1.5 x; do
  timeout 90 s3n -q rollout app 2 --weight $weight 2>/dev/null
  is "a weight of $weight" "$? $(weights)" "2 100 0"
done
for weight in 101 -1 1.5 '"5"' null '5,"weight":6'; do
  printf '{"version_number":2,"weight":%s}' "$weight" >"$scratch/body"
  "$here/sign.py" "$XDG_CONFIG_HOME/s3n/owner.key" POST "$url/v1/applications/app/rollout" --body "$scratch/body" >"$scratch/headers"
  is "a weight of $weight, by hand" "$(fetch -o /dev/null -w '%{http_code}' -H @"$scratch/headers" -H 'content-type: application/json' --data-binary @"$scratch/body" "$url/v1/applications/app/rollout") $(weights)" "400 100 0"
done
timeout 90 s3n -q rollout app 2 --weight 30
is "a canary" "$(state_of app 2)" canary
seen=$(for _ in $(seq 60); do printf 'url = "%s"\n' "$url/a/app/run"; done | fetch -K - | grep -c COLOUR=blue)
[ "$seen" -gt 3 ] && [ "$seen" -lt 45 ]
is "answers some of the requests ($seen of 60)" $? 0
timeout 90 s3n -q rollback app
is "rollback ends it" "$(state_of app 2)" released

# --- switching under load
python3 "$here/switch.py" "$url/a/app/run" "$data/tls.crt" 8 200 1=COLOUR=red 2=COLOUR=blue >"$scratch/switched" &
load=$!
switches=0
while kill -0 "$load" 2>/dev/null && [ $switches -lt 60 ]; do
  timeout 90 s3n -q rollout app $((2 - switches % 2)) && switches=$((switches + 1))
  [ $((switches % 5)) != 0 ] || timeout 90 s3n -q rollout app $((2 - switches % 2)) --weight 50
  sleep 0.1
done
wait "$load"
output=$(cat "$scratch/switched")
is "no request failed in $switches switches" "$(json_field failed <<<"$output")" 0
is "none got parts of two versions" "$(json_field mixed <<<"$output")" 0
[ "$(json_field asked <<<"$output")" -gt 400 ] && [ $switches -gt 5 ]
is "under load" $? 0
echo "      $output"

# --- signatures
key=$(timeout 90 s3n login "$url" --trust-simulated --json | json_field public_key)
other=$(XDG_CONFIG_HOME=$scratch/second timeout 90 s3n login "$url" --trust-simulated --json | json_field public_key)
application two echo
printf '[release]\nsigners = ["%s", "%s"]\nthreshold = 2\n' "$key" "$other" >>"$scratch/two/s3n.toml"
is "a release of two waits" "$(timeout 60 s3n deploy "$scratch/two" --json 2>/dev/null | json_field state)" pending
output=$(invoke two --data x 2>&1)
is "and does not answer" $? 5
output=$(timeout 90 s3n rollout two 1 2>&1)
is "nor can it be rolled out" $? 7
output=$(timeout 90 s3n release sign two 1 2>&1)
is "one person signs once" $? 3
other_one() { XDG_CONFIG_HOME=$scratch/second timeout 90 s3n "$@"; }
output=$(other_one release sign two 1 2>&1)
is "who is no member signs nothing" $? 4
timeout 90 s3n -q member add "$other" --role deployer --application two || fail "the other becomes a member"
other_one -q release sign two 1 && pass "the other signs" || fail "the other signs"
is "with both it answers" "$(invoke two --data x --receipt "$scratch/two.json" 2>&1)" x
output=$(timeout 90 s3n verify "$scratch/two.json" --trust-simulated --json 2>&1)
signers=$(python3 -c '
import json, sys
def find(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "signers":
                yield value
            yield from find(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from find(value)
print(len(set(next(find(json.load(sys.stdin))))))' <<<"$output" 2>&1)
is "its receipt names both" "$signers" 2
sed -i 's/^version = .*/version = "1.1.0"/' "$scratch/two/s3n.toml"
is "its next version waits again" "$(timeout 60 s3n deploy "$scratch/two" --json 2>/dev/null | json_field state)" pending
is "while the one before answers" "$(invoke two --data y 2>&1)" y

# --- policy and quotas
application greedy echo 'limits = { memory_mib = 512 }'
output=$(deploy greedy 2>&1)
is "the operator's policy refuses" $? 4
has "and names the rule" "$output" "policy.memory_mib: function f"
application three echo
deploy three
application four echo
output=$(deploy four 2>&1)
is "a quota" $? 9
has "is named" "$output" "quotas.applications"

# --- all of it survives
node_stop
node_again --config "$scratch/s3nd.toml"
has "after a restart" "$(timeout 90 s3n versions app)" "serving"
is "what waits still waits" "$(state_of two 2)" pending
is "what was signed still answers" "$(invoke two --data z 2>&1)" z
finish
