#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Functions that call their node: through the C SDK as module and as ELF, without a node and deployed to one.
set -u
. "$(dirname "$0")/node.bash"
require_node calls
sdk=$S3N_SOURCE/sdk/c
node_start || { fail "start"; finish; }
claim || fail "claim"

# service NAME KIND FILE [LINES]: an application whose one function calls
service() {
  mkdir -p "$scratch/$1"
  cp "$3" "$scratch/$1/f"
  cat >"$scratch/$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
[function.f]
source = "f"
kind = "$2"
abi = "reactor"
limits = { memory_mib = 16, timeout_ms = 60000 }
${4:-}
[[trigger.http]]
route = "/:what"
function = "f"
TOML
  deploy "$1"
}
ask() { timeout 90 curl -sk --data-binary "$3" "$url/a/$1/$2"; }
all() { # all NAME: what every way of running must give
  has "$1: about" "$(ask "$1" about x)" "{\"application\":\"$1\",\"function\":\"f\",\"invocation\":\""
  is "$1: hash" "$(ask "$1" hash abc)" ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
  is "$1: a namespace without permission" "$(ask "$1" other x)" \
    "-3 no permission for kv namespace 'others': add \`permissions.kv = [\"others\"]\` to [function.f] in s3n.toml"
  is "$1: a secret without permission" "$(ask "$1" secret x)" \
    "-3 no permission for secret 'API_KEY': add \`permissions.secrets = [\"API_KEY\"]\` to [function.f] in s3n.toml"
  is "$1: a key without permission" "$(ask "$1" sign x)" \
    "-3 no permission for key 'p256:main': add \`permissions.keys = [\"p256:main\"]\` to [function.f] in s3n.toml"
  is "$1: an address without permission" "$(ask "$1" fetch x)" \
    "-3 no permission for http_fetch: add \`permissions.http\` to [function.f] in s3n.toml"
  is "$1: evidence without permission" "$(ask "$1" attest x)" \
    "-3 no permission for attest: add \`permissions.attest = true\` to [function.f] in s3n.toml"
  has "$1: a list in one exit" "$(ask "$1" list x | tail -n 2 | tr '\n' ';')" "-9 there is no call 999 with these arguments;"
}
service module wasm "$modules/services.wasm" && all module
service apart wasm "$modules/services.wasm" 'isolation = "invocation"' && all apart
service kept wasm "$modules/services.wasm" 'reuse = "instance"' && all kept
service quiet wasm "$modules/services.wasm" 'permissions.log = false'
is "the log taken away" "$(ask quiet log x)" "-3 no permission for log: \`permissions.log = false\` in s3n.toml takes it"
is "the log" "$(ask module log x)" 0
if [ -w /dev/kvm ] && [ "${S3N_BACKEND:-kvm}" = kvm ] && command -v cc >/dev/null; then
  cc -O2 -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none -static -nostdlib -no-pie -Wl,-T,"$sdk/native.ld" \
    -Wl,--build-id=none -Wl,--gc-sections -Wall -Wextra -Werror -I "$sdk" "$sdk/s3n.c" "$sdk/s3n_calls.c" "$modules/services.c" \
    -o "$scratch/services.elf" && pass "build an ELF" || fail "build an ELF"
  service native native "$scratch/services.elf" && all native
else
  skip native "needs /dev/kvm and a C compiler"
fi

# --- a real service through the SDK: state, as module and as ELF
keeps() { # keeps NAME
  is "$1: nothing kept yet" "$(ask "$1" get key | cut -d' ' -f1)" -4
  is "$1: keep" "$(ask "$1" set 'eins zwei')" 0
  is "$1: kept for the next invocation" "$(ask "$1" get key)" "9 eins zwei"
  is "$1: a list sets and gets" "$(ask "$1" list drei | head -n 2 | tr '\n' ';')" "0 ;4 drei;"
  is "$1: the owner sees it" "$(timeout 90 s3n -q kv get "$1" notes key)" "eins zwei"
  head -c 200000 /dev/urandom | base64 -w 0 | head -c 260000 >"$scratch/large"
  timeout 90 s3n -q kv set "$1" notes large --file "$scratch/large"
  ask "$1" get large >"$scratch/back"
  cmp -s <(printf '260000 '; cat "$scratch/large") "$scratch/back" && pass "$1: a large one" || fail "$1: a large one"
  is "$1: a key of 512 bytes" "$(ask "$1" get "$(printf 'k%.0s' {1..512})" | cut -d' ' -f1)" -4
  is "$1: one byte more" "$(ask "$1" get "$(printf 'k%.0s' {1..513})")" "-1 a key has 1 to 512 bytes, not 513"
  is "$1: no key" "$(ask "$1" get '')" "-1 a key has 1 to 512 bytes, not 0"
  has "$1: a key that is no UTF-8" "$(ask "$1" get $'\xc3(')" '-1 a key is UTF-8 without control characters, not "\xc3("'
  has "$1: nor half a surrogate's" "$(ask "$1" get $'\xed\xa0\x80')" '-1 a key is UTF-8'
  has "$1: a control character in a key" "$(ask "$1" get $'a\x1b[2J')" '-1 a key is UTF-8 without control characters, not "a\x1b[2J"'
  head -c 262145 /dev/zero | tr '\0' v >"$scratch/value"
  has "$1: a value of one byte too many" "$(ask "$1" set "@$scratch/value")" "-5"
  is "$1: the one before stays" "$(ask "$1" get key)" "9 eins zwei"
  truncate -s 262144 "$scratch/value"
  is "$1: the largest value" "$(ask "$1" set "@$scratch/value")" 0
  is "$1: comes back whole" "$(ask "$1" get key | wc -c)" 262151
  has "$1: more than an exit takes" "$(ask "$1" large key)" "-5"
  is "$1: and nothing of it is kept" "$(ask "$1" get key | wc -c)" 262151
  has "$1: another namespace stays closed" "$(ask "$1" other key)" "-3 no permission for kv namespace 'others'"
}
service keeping wasm "$modules/services.wasm" 'permissions.kv = ["notes"]' && keeps keeping
before=$(ask keeping get key)
service keeping wasm "$modules/services.wasm"
has "a permission that was taken" "$(ask keeping get key)" "-3 no permission for kv namespace 'notes'"
has "and for writing" "$(ask keeping set another)" "-3 no permission for kv namespace 'notes'"
service keeping wasm "$modules/services.wasm" 'permissions.kv = ["notes"]'
is "given again: what was kept" "$(ask keeping get key)" "$before"
if [ -f "$scratch/services.elf" ]; then
  service keeping-native native "$scratch/services.elf" 'permissions.kv = ["notes"]' && keeps keeping-native
fi

service proving wasm "$modules/services.wasm" 'permissions.attest = true'
nonce=0123456789abcdef0123456789abcdef # 32 bytes, and these are their digits:
digits=$(printf %s "$nonce" | od -An -v -tx1 | tr -d ' \n')
answer=$(ask proving attest "$nonce")
has "evidence for a nonce of the function's" "${answer#* }" "$digits"
keys() { python3 -c 'import json,sys; print(sorted(json.load(sys.stdin)))'; }
is "as the node gives it to anybody" "$(printf '%s' "${answer#* }" | keys)" \
  "$(curl -sk "$url/.well-known/s3n/attestation?nonce=$digits" | keys)"
is "a nonce that is none" "$(ask proving attest short)" "-1 a nonce has 32 bytes"

# --- many at once, and nothing of one in another's answer
asking=()
for i in $(seq 40); do
  ask module about "$i" >"$scratch/about.$i" &
  asking+=($!)
done
wait "${asking[@]}" 2>/dev/null
ids=$(cat "$scratch"/about.* | grep -o '"invocation":"[0-9a-f]*"' | sort -u | wc -l)
is "forty at once, each with its own id" "$ids" 40

# --- what does not fit is said before
output=$(timeout 90 s3n deploy "$scratch/module" 2>&1)
has "a call without permission" "$output" 'imports kv_get and has no permission for it: `permissions.kv = [...]` is missing'
has "a switch" "$output" '`permissions.attest = true` is missing'
application idle echo 'permissions.secrets = ["API_KEY"]'
output=$(timeout 90 s3n deploy "$scratch/idle" 2>&1)
has "a permission of no use" "$output" 'function f has permissions.secrets and imports no call that needs it'
output=$(s3n inspect "$modules/services.wasm")
has "inspect" "$output" "read secrets (permissions.secrets)"
has "inspect --json" "$(s3n inspect --json "$modules/services.wasm" | tr -d ' \n')" '"kv","secrets","keys","http","attest","calls"'

# --- a manifest that grants what there is not
mkdir -p "$scratch/wrong"
sed 's/^kind.*/permissions.kvs = ["a"]/' "$scratch/module/s3n.toml" >"$scratch/wrong/s3n.toml"
output=$(timeout 90 s3n deploy "$scratch/wrong" 2>&1)
is "an unknown permission" $? 3
has "and its neighbour" "$output" 'did you mean `kv`'

# --- without a node
output=$(printf x | timeout 90 s3n run --path /about "$modules/services.wasm")
has "s3n run: about" "$output" '"application":"run"'
without() { printf x | timeout 90 s3n run --path "/$1" "${@:2}" "$modules/services.wasm" 2>"$scratch/without.log"; }
is "s3n run: no secret" "$(without secret)" '-7 secret_get is not available in `s3n run`: start it with --secret NAME=@FILE'
is "s3n run: no key" "$(without sign)" '-7 key_sign is not available in `s3n run`: start it with --development-keys'
is "s3n run: nobody to ask" "$(without fetch)" '-7 http_fetch is not available in `s3n run`: start it with --http URL'
is "s3n run: no evidence" "$(without attest)" '-7 attest is not available in `s3n run`: it takes a node (`s3n deploy`)'
printf 'from a file' >"$scratch/secret"
is "s3n run: a secret of a file" "$(without secret --secret "API_KEY=@$scratch/secret")" '11 from a file'
is "s3n run: a secret of the environment" "$(API_KEY='of the environment' without secret --secret API_KEY)" '18 of the environment'
base64 -w 0 /dev/urandom 2>/dev/null | head -c 65536 >"$scratch/largest"
without secret --secret "API_KEY=@$scratch/largest" >"$scratch/back"
cmp -s <(printf '65536 '; cat "$scratch/largest") "$scratch/back" && pass "s3n run: the largest secret" || fail "s3n run: the largest secret"
is "s3n run: another secret" "$(without secret --secret "OTHER=@$scratch/secret")" \
  '-3 no permission for secret '"'API_KEY'"': add `permissions.secrets = ["API_KEY"]` to [function.run] in s3n.toml; `s3n run`: start it with --secret NAME=@FILE'
without secret --secret API_KEY=value >/dev/null
is "s3n run: a value as argument" $? 2
has "s3n run: says why" "$(cat "$scratch/without.log")" "a secret's value is no argument, which others can see"
without secret --secret API_KEY >/dev/null
has "s3n run: no such variable" "$(cat "$scratch/without.log")" "the environment has no API_KEY (or: --secret API_KEY=@FILE)"
without secret --allow-private 127.0.0.1/32 >/dev/null
has "s3n run: networks for nobody" "$(cat "$scratch/without.log")" "--allow-private is of no use without --http"
is "s3n run: no key among secrets" "$(without sign --secret "API_KEY=@$scratch/secret")" '-3 no permission for keys; `s3n run`: start it with --development-keys'
keyed() { printf '%s' "$2" | timeout 90 s3n run --development-keys --path "/$1" "$modules/custody.wasm" 2>"$scratch/without.log"; }
is "s3n run: the same key each time" "$(keyed public 'oracle 1')" "$(keyed public 'oracle 1')"
has "s3n run: whose keys these are" "$(cat "$scratch/without.log")" "development keys: everybody has them"
is "s3n run: signatures" "$(keyed sign 'oracle 3 neo' | wc -c) $(keyed sign 'oracle 2 neo' | wc -c)" "128 130"
is "s3n run: a derived key" "$(keyed derive 'tokens 20' | head -c 32)" "$(keyed derive 'tokens 16')"
has "s3n run: not sealed to it" "$(keyed open 'inbox 00 00 00 00')" "-1"
has "s3n run: no algorithm" "$(keyed sign 'oracle 9 neo')" "-9"
local() { printf '%s' "$1" | timeout 90 s3n run "${@:2}" "$modules/calls.wasm" 2>/dev/null | tr -d '\0'; }
has "s3n run: no such key" "$(local Gone)" "there is no such key"
local Skept --kv "$scratch/state" >/dev/null
is "s3n run: a state that is kept" "$(local Gkept --kv "$scratch/state" | tail -c 4)" kept
has "s3n run: a state that is not" "$(local Gkept)" "there is no such key"
local Trap --kv "$scratch/state" >/dev/null
has "s3n run: what traps changes nothing" "$(local Gtrap --kv "$scratch/state")" "there is no such key"
echo nothing >"$scratch/other"
timeout 90 s3n run --kv "$scratch/other" "$modules/calls.wasm" </dev/null >/dev/null 2>&1
is "s3n run: not a state's file" $? 3
is "s3n run: hash" "$(printf abc | timeout 90 s3n run --path /hash "$modules/services.wasm")" ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
output=$(printf 'one\ntwo' | timeout 90 s3n run --path /log "$modules/services.wasm" 2>&1 >/dev/null | tr '\n' ';')
is "s3n run: the log" "$output" '<4>one;<4>two;'
finish
