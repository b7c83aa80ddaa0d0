#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Policies in the commands that talk to a node: pinned operators, measurements, every rule shown, and nothing sent to a
# node that does not meet them.
set -u
. "$(dirname "$0")/node.bash"
require_node policy
node_start || { fail "start"; finish; }
claim
application echo echo
deploy echo
is "deploy" $? 0
invoke echo --data hello --receipt "$scratch/receipt.json" >/dev/null
evidence=$scratch/evidence.bin
python3 - "$scratch/receipt.json" "$evidence" <<'END'
import base64, json, sys
text = json.load(open(sys.argv[1]))["evidence"]
open(sys.argv[2], "wb").write(base64.b64decode(text + "=" * (-len(text) % 4)))
END
claims=$(timeout 90 s3n verify evidence "$evidence" --trust-simulated --json)
ppid=$(json_field ppid <<<"$claims") mrtd=$(json_field mrtd <<<"$claims")
[ ${#ppid} = 32 ] && [ ${#mrtd} = 96 ] || fail "claims of the node" "$ppid $mrtd"

# policy NAME LINES: a policy file.
policy() { printf 's3n_policy_version = 1\nsimulated = true\n%s\n' "$2" >"$scratch/$1.toml"; }
policy own "[[platform]]
name = \"ours\"
ppid = \"$ppid\"
[[measurement]]
name = \"this version\"
mrtd = \"$mrtd\""
policy other-operator '[[platform]]
name = "rack 4"
ppid = "811dca2a26b952e85bb6448b097ba4fd"'
policy other-image "[[measurement]]
name = \"image 7\"
mrtd = \"$(printf '0%.0s' {1..96})\""
policy impossible '[tcb]
evaluation_number_min = 4294967295'
policy strange 'colour = "blue"'
sed '/simulated/d' "$scratch/own.toml" >"$scratch/hardware.toml"

served() { curl -s --max-time 60 "$admin/metrics" | awk '/^s3n_invocations_total/ { sum += $2 } END { print sum + 0 }'; }
before=$(served)
is "the own policy" "$(invoke echo --data hello --policy "$scratch/own.toml")" hello
is "was served" "$(served)" $((before + 1))
for name in other-operator:platform other-image:measurement impossible:tcb.evaluation_number; do
  output=$(invoke echo --data secret --policy "$scratch/${name%%:*}.toml" 2>&1)
  is "invoke, ${name%%:*}" $? 6
  has "names the rule" "$output" "${name#*:}"
  has "shows every rule" "$output" "✓ policy debug"
  has "and the one that is not met" "$output" "✗ policy ${name#*:}"
  output=$(timeout 60 s3n deploy "$scratch/echo" --policy "$scratch/${name%%:*}.toml" 2>&1)
  is "deploy, ${name%%:*}" $? 6
  has "names the rule" "$output" "${name#*:}"
done
is "nothing was served for those" "$(served)" $((before + 1))
invoke echo --policy "$scratch/strange.toml" >/dev/null 2>&1
is "an unknown key" $? 3
invoke echo --policy "$scratch/none.toml" >/dev/null 2>&1
is "no such file" $? 5
: >"$scratch/empty.toml"
invoke echo --policy "$scratch/empty.toml" >/dev/null 2>&1
is "an empty file is no policy" $? 3

# --- receipts and nodes
judge() { timeout 90 s3n verify "$@" 2>&1; }
output=$(judge "$scratch/receipt.json" --policy "$scratch/own.toml")
is "a receipt by the own policy" $? 0
has "shows its rules" "$output" "✓ policy platform"
output=$(judge "$scratch/receipt.json" --policy "$scratch/other-operator.toml")
is "a receipt of another operator" $? 6
has "shows the rule" "$output" "✗ policy platform"
is "JSON says so too" "$(judge "$scratch/receipt.json" --policy "$scratch/other-image.toml" --json | json_field policy)" reject
is "and that it is accepted" "$(judge "$scratch/receipt.json" --policy "$scratch/own.toml" --json | json_field policy)" accept
is "validity only" "$(judge "$scratch/receipt.json" --policy none --trust-simulated --json | json_field policy)" none
judge "$scratch/receipt.json" --policy "$scratch/hardware.toml" >/dev/null
is "a policy for hardware" $? 6
judge "$scratch/receipt.json" --policy "$scratch/hardware.toml" --trust-simulated >/dev/null
is "--trust-simulated whatever the file says" $? 0
output=$(judge "$url" --policy "$scratch/own.toml")
is "a node" $? 0
has "shows its rules" "$output" "✓ policy measurement"
judge "$url" --policy "$scratch/other-image.toml" >/dev/null
is "a node with another image" $? 6
judge "$url" >/dev/null
is "a node by the default" $? 6
is "a node in JSON" "$(judge "$url" --trust-simulated --json | json_field verified)" true
judge "$url" --code "$modules/echo.wasm" >/dev/null
is "a node has no code" $? 2

# --- the time of a receipt
is "at the receipt's own time" "$(judge "$scratch/receipt.json" --trust-simulated --at receipt --json | json_field judged_at | cut -c1-10)" "$(date -u +%F)"
judge "$scratch/receipt.json" --trust-simulated --at 2020-01-01T00:00:00Z >/dev/null
is "a receipt from the future" $? 6
output=$(judge "$scratch/receipt.json" --trust-simulated --at 2046-01-01T00:00:00Z)
is "years later" $? 6
has "there is advice" "$output" "--at receipt"
judge "$scratch/receipt.json" --trust-simulated --at noon >/dev/null
is "no time" $? 2

# --- what the login says counts later
timeout 90 s3n login "$url" --policy "$scratch/other-operator.toml" >"$scratch/out" 2>&1
is "login at another operator's" $? 6
has "shows the rule" "$(cat "$scratch/out")" "✗ policy platform"
timeout 90 s3n -q login "$url" --policy "$scratch/own.toml"
is "login by the own policy" $? 0
rules=$(timeout 90 s3n --json login "$url" --policy "$scratch/own.toml" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
rules = {rule["name"]: rule["ok"] for rule in answer["rules"]}
print(answer["policy"], "debug" in rules and "platform" in rules, all(rules.values()))')
is "login --json has the policy and its rules" "$rules" "accept True True"
rm "$scratch/own.toml"
is "the file is not needed any more" "$(invoke echo --data hello)" hello
has "the profile has it" "$(cat "$XDG_CONFIG_HOME/s3n/profile.json")" "$ppid"
sed -i "s/$ppid/811dca2a26b952e85bb6448b097ba4fd/" "$XDG_CONFIG_HOME/s3n/profile.json"
# The keyset of the login is believed for its hour; evidence that is asked for anew is judged by the profile's policy.
invoke echo --data hello --receipt "$scratch/again.json" >/dev/null 2>&1
is "evidence asked for later" $? 6
finish
