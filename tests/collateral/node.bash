#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node on TDX hardware that is not there (tests/collateral/platform.c) fetches its collateral from services that are
# replayed, and hands it out with its evidence: strangers log in, invoke and verify without a network of their own.
set -u
. "$(dirname "$0")/../e2e/node.bash"
require_node collateral-node
export XDG_CACHE_HOME=$scratch/cache
unset S3N_TEE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
fake=$S3N_BUILD/tests/fake-tdx
[ -x "$fake" ] || skip_all collateral-node "fake-tdx is not built (no FUSE)"
mkdir -p "$scratch/service" "$scratch/bin"
chmod 755 "$scratch/bin" "$scratch/service"

# start_of NAME COMMAND...: runs it until its input ends; its first line in $line.
start_of() {
  local name=$1
  shift
  mkfifo "$scratch/$name.in"
  "$@" <"$scratch/$name.in" >"$scratch/$name.out" 2>>"$scratch/$name.log" &
  eval "exec {$name}>\"$scratch/$name.in\""
  for _ in $(seq 200); do [ -s "$scratch/$name.out" ] && break; sleep 0.05; done
  line=$(head -n 1 "$scratch/$name.out")
}
start_of kernel "$fake" "$scratch/service"
[[ $line != SKIP* ]] || skip_all collateral-node "${line#SKIP }"
kernel_folder=$line
start_of service python3 "$S3N_SOURCE/tests/collateral/replay.py" "$scratch/service"
service_url=$line
root=$scratch/service/root.pem

# A node whose keeper sees that kernel.
cp "$S3N_BUILD/bin/s3nd" "$scratch/bin/s3nd"
printf '#!/bin/sh\nexec "%s" "$@" --system-root "%s"\n' "$S3N_BUILD/bin/s3n-keeper" "$kernel_folder" >"$scratch/bin/s3n-keeper"
chmod 755 "$scratch/bin/s3n-keeper"
export S3N_LIBEXEC=$S3N_BUILD/bin
PATH=$scratch/bin:$PATH
cat >"$scratch/s3nd.toml" <<TOML
tee = "tdx"
[collateral]
intel_url = "$service_url"
TOML
mode() { printf '%s\n' "$@" >"$scratch/service/mode"; }
ready() { curl -sS --max-time 60 "$admin/readyz"; }
has_collateral() { ready | grep -q 'collateral [0-9]* s old'; }
asked() { wc -l <"$scratch/service/log"; }

# --- without services: evidence of unknown standing
mode '* status 503'
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
until_true 20 sh -c "curl -s --max-time 60 '$admin/readyz' | grep -q 'collateral missing'"
has "its absence is seen" "$(ready)" 'collateral missing, 1 failures: tcb-info from http'
has "and why" "$(ready)" 'answered with status 503'
output=$(timeout 90 s3n login "$url" --root "$root" 2>&1)
is "login: its standing is unknown" $? 6
has "the rule is named" "$output" '✗ policy tcb.status'
output=$(timeout 90 s3n login "$url" 2>&1)
is "login without the maker's root" $? 6

# A stranger who may ask the services needs nothing from the node.
mkdir -p "$scratch/fetching/s3n"
printf 'intel_url = "%s"\n' "$service_url" >"$scratch/fetching/s3n/collateral.toml"
mode
output=$(XDG_CONFIG_HOME=$scratch/fetching timeout 90 s3n login "$url" --root "$root" --fetch 2>&1)
is "login --fetch" $? 0
output=$(XDG_CONFIG_HOME=$scratch/fetching timeout 90 s3n verify "$url" --root "$root" --offline --json 2>&1)
is "verify a node from the cache" $? 0
has "and says from where" "$output" '"fresh"'
node_stop
is "stop" $? 0

# --- with services
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
until_true 20 has_collateral
is "the node has its collateral" $? 0
has "its age is seen" "$(ready)" 'collateral 86'
has "and its end" "$(ready)" "until $(date -u -d '+1 day' +%F)"
has "no failures" "$(ready)" '0 failures'
output=$(timeout 90 s3n login "$url" --root "$root" --claim "$(cat "$data/claim-code")" 2>&1)
is "a stranger logs in" $? 0
has "to a node on TDX" "$output" 'platform tdx'
is "who asked nobody" "$(ls "$scratch/cache/s3n/collateral" 2>/dev/null | wc -l)" 4 # of the one above
application echo echo
deploy echo
is "deploy" $? 0
is "invoke" "$(invoke echo --data hello --receipt "$scratch/receipt.json")" hello
output=$(timeout 90 s3n verify "$scratch/receipt.json" --root "$root")
is "its receipt verifies offline" $? 0
has "with every piece of collateral" "$output" '· collateral root-crl'
has "whose age is shown" "$output" 'given, 1 day old, until'
output=$(timeout 90 s3n verify "$scratch/receipt.json")
is "not under Intel's root" $? 6

# --- years later, and rolled back
output=$(timeout 90 s3n verify "$scratch/receipt.json" --root "$root" --at 2036-01-01T00:00:00Z 2>&1)
is "years later, by that time's light" $? 6
has "there is advice" "$output" '--at receipt'
timeout 90 s3n verify "$scratch/receipt.json" --root "$root" --at receipt >/dev/null
is "years later, by its own time's" $? 0
printf 's3n_policy_version = 1\n[collateral]\nage_max_days = 0\n' >"$scratch/young.toml"
printf 's3n_policy_version = 1\n[collateral]\nage_max_days = 5\nrevocation = "required"\n' >"$scratch/old.toml"
printf 's3n_policy_version = 1\n[tcb]\nevaluation_number_min = 21\n' >"$scratch/later.toml"
for policy in young:collateral.age_max later:tcb.evaluation_number; do
  output=$(timeout 90 s3n verify "$scratch/receipt.json" --root "$root" --at receipt --policy "$scratch/${policy%%:*}.toml" 2>&1)
  is "collateral that was rolled back: ${policy#*:}" $? 6
  has "the rule is named" "$output" "✗ policy ${policy#*:}"
done
timeout 90 s3n verify "$scratch/receipt.json" --root "$root" --at receipt --policy "$scratch/old.toml" >/dev/null
is "young enough, lists there" $? 0

# --- receipts without collateral: completed from elsewhere, and kept whole
python3 - "$scratch/receipt.json" "$scratch" <<'END'
import base64, json, sys
bundle = json.load(open(sys.argv[1]))
text = bundle["evidence"]
wrapper = base64.b64decode(text + "=" * (-len(text) % 4))
open(sys.argv[2] + "/evidence.cbor", "wb").write(wrapper)
# The quote is the wrapper's longest byte string that begins as one of version 4.
at = wrapper.index(b"\x04\x00\x02\x00\x81\x00\x00\x00")
size = int.from_bytes(wrapper[at - 2:at], "big")
bundle["evidence"] = base64.b64encode(wrapper[at:at + size]).decode()
json.dump(bundle, open(sys.argv[2] + "/bare.json", "w"))
END
timeout 90 s3n verify "$scratch/bare.json" --root "$root" >/dev/null 2>&1
is "a receipt without collateral" $? 6
timeout 90 s3n verify "$scratch/bare.json" --root "$root" --bundle "$scratch/evidence.cbor" --save-bundle "$scratch/whole.json" >/dev/null
is "with a bundle" $? 0
timeout 90 s3n verify "$scratch/whole.json" --root "$root" >/dev/null
is "is kept whole" $? 0
timeout 90 s3n verify "$scratch/bare.json" --root "$root" --fetch --intel-url "$service_url" --save-bundle "$scratch/fetched.json" >/dev/null
is "with what the services have" $? 0
timeout 90 s3n verify "$scratch/fetched.json" --root "$root" >/dev/null
is "is kept whole too" $? 0
timeout 90 s3n verify "$scratch/bare.json" --root "$root" --bundle "$scratch/s3nd.toml" >/dev/null 2>&1
is "a bundle that is none" $? 3

# --- pinned operator: another machine of the same maker's
printf 's3n_policy_version = 1\n[[platform]]\nname = "rack 4"\nppid = "811dca2a26b952e85bb6448b097ba4fd"\n' >"$scratch/pinned.toml"
before=$(curl -s --max-time 60 "$admin/metrics" | awk '/^s3n_invocations_total/ { sum += $2 } END { print sum + 0 }')
output=$(invoke echo --data secret --policy "$scratch/pinned.toml" 2>&1)
is "another operator's machine" $? 6
has "the rule is named" "$output" '✗ policy platform'
after=$(curl -s --max-time 60 "$admin/metrics" | awk '/^s3n_invocations_total/ { sum += $2 } END { print sum + 0 }')
is "nothing was sent there" "$after" "$before"

# --- a restart asks the cache, not the services; failures leave what is in date
before=$(asked)
mode '* status 500'
node_stop
node_again --config "$scratch/s3nd.toml"
until_true 20 has_collateral
is "the cache survives a restart" $? 0
is "nobody was asked again" "$(asked)" "$before"
is "the cache is the node's alone" "$(stat -c %a "$data/collateral")" 700
node_stop

# --- over TLS, by a name that the jailed process can't look up any more
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=replay -addext subjectAltName=DNS:localhost \
  -keyout "$scratch/key.pem" -out "$scratch/cert.pem" 2>/dev/null
mode
start_of tls python3 "$S3N_SOURCE/tests/collateral/replay.py" "$scratch/service" "$scratch/cert.pem" "$scratch/key.pem"
printf 'tee = "tdx"\n[collateral]\nintel_url = "https://localhost:%s"\n' "${line##*:}" >"$scratch/tls.toml"
rm -rf "$data/collateral"
node_again --config "$scratch/tls.toml"
until_true 30 sh -c "curl -s --max-time 60 '$admin/readyz' | grep -q 'collateral missing'"
has "a service that nobody vouches for" "$(ready)" 'collateral missing'
node_stop
printf 'service_ca = "%s"\n' "$scratch/cert.pem" >>"$scratch/tls.toml"
node_again --config "$scratch/tls.toml"
until_true 30 has_collateral
is "with its authority, by name" $? 0
node_stop
exec {tls}>&-

printf '[collateral]\nfetch = "off"\n' >>"$scratch/off.toml"
node_again --config "$scratch/off.toml" --tee tdx
is "fetch = off" "$(ready)" ready
node_stop
printf '[collateral]\nfecht = "off"\n' >"$scratch/bad.toml"
s3nd --config "$scratch/bad.toml" --data-dir "$data" --listen 127.0.0.1:0 >/dev/null 2>"$scratch/out"
is "an unknown key" $? 3
exec {kernel}>&-

# --- recorded evidence of SEV-SNP: it can't be about a fresh nonce, so it holds for nobody; what was had travels with it
start_of amd "$fake" "$scratch/service" snp
printf '#!/bin/sh\nexec "%s" "$@" --system-root "%s"\n' "$S3N_BUILD/bin/s3n-keeper" "$line" >"$scratch/bin/s3n-keeper"
printf '[collateral]\namd_url = "%s"\n' "$service_url" >"$scratch/amd.toml"
rm -rf "$data/collateral"
mode
node_start --config "$scratch/amd.toml" --tee snp
until_true 20 sh -c "! curl -s --max-time 60 '$admin/readyz' | grep -q 'being asked for'"
fetch "$url/.well-known/s3n/attestation?nonce=$(printf '0%.0s' {1..64})" >"$scratch/attestation.json"
python3 - "$scratch/attestation.json" "$scratch/snp.cbor" <<'END'
import base64, json, sys
text = json.load(open(sys.argv[1]))["evidence"]
open(sys.argv[2], "wb").write(base64.b64decode(text + "=" * (-len(text) % 4)))
END
timeout 90 s3n verify evidence "$scratch/snp.cbor" --tee snp --at 2025-07-01T00:00:00Z --json >"$scratch/out" 2>&1
is "the report itself holds for nobody" "$(json_field reason <"$scratch/out")" SIGNATURE_INVALID
has "its key's certificate was had and travels" "$(cat "$scratch/out")" '"name":"vek"'
has "and so does the intermediate" "$(cat "$scratch/out")" '"name":"intermediate"'
is "the list, recorded and past its date, does not" "$(grep -c '"name":"crl"' "$scratch/out")" 0
has "which is seen" "$(ready)" 'collateral missing since 2026'
node_stop
exec {amd}>&- {service}>&-
wait
finish
