#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An application's keys: public halves, signatures checked with OpenSSL, derived bytes, opening; which key it is, over
# versions, applications and restarts; permissions; what receipts say.
set -u
. "$(dirname "$0")/node.bash"
require_node keys
for tool in openssl python3; do command -v $tool >/dev/null || skip_all keys "needs $tool"; done
node_start || { fail "start"; finish; }
claim || fail "claim"

# signer NAME [LINES [VERSION]]
signer() {
  mkdir -p "$scratch/$1"
  cp "$modules/custody.wasm" "$scratch/$1/f"
  cat >"$scratch/$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
version = "${3:-1.0.0}"
[function.f]
source = "f"
abi = "reactor"
limits = { memory_mib = 16, timeout_ms = 60000 }
${2:-}
[[trigger.http]]
route = "/:what"
function = "f"
TOML
  deploy "$1" 2>/dev/null
}
ask() { timeout 90 curl -sk --data-binary "$3" "$url/a/$1/$2"; }
granted='permissions.keys = ["p256:oracle", "secp256k1:oracle", "ed25519:oracle", "x25519:inbox", "hkdf:tokens"]'
signer shop "$granted" && signer twin "$granted" && signer plain || fail "deploy"

# --- signatures, by OpenSSL
# pem PREFIX PUBLIC FILE: a key in hexadecimal as PEM
pem() {
  python3 -c 'import base64,sys; print("-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(bytes.fromhex(sys.argv[1] + sys.argv[2])).decode() + "\n-----END PUBLIC KEY-----")' "$1" "$2" >"$3"
}
# der SIGNATURE FILE: r and s in hexadecimal as DER
der() {
  python3 - "$1" "$2" <<'PY'
import sys
raw = bytes.fromhex(sys.argv[1])[:64]
def number(part):
    part = part.lstrip(b"\0") or b"\0"
    part = (b"\0" if part[0] & 128 else b"") + part
    return b"\x02" + bytes([len(part)]) + part
body = number(raw[:32]) + number(raw[32:])
open(sys.argv[2], "wb").write(b"\x30" + bytes([len(body)]) + body)
PY
}
printf 'neo 12.5' >"$scratch/message"
p256=$(ask shop public 'oracle 1') k1=$(ask shop public 'oracle 2') ed=$(ask shop public 'oracle 3')
is "sizes of public halves" "${#p256} ${#k1} ${#ed}" "130 130 64"
pem 3059301306072a8648ce3d020106082a8648ce3d030107034200 "$p256" "$scratch/p256.pem"
pem 3056301006072a8648ce3d020106052b8104000a034200 "$k1" "$scratch/k1.pem"
pem 302a300506032b6570032100 "$ed" "$scratch/ed.pem"
signature=$(ask shop sign 'oracle 1 neo 12.5')
der "$signature" "$scratch/signature"
is "P-256" "$(openssl dgst -sha256 -verify "$scratch/p256.pem" -signature "$scratch/signature" "$scratch/message" 2>&1)" "Verified OK"
is "P-256: the same message, the same signature" "$(ask shop sign 'oracle 1 neo 12.5')" "$signature"
digest=$(openssl dgst -sha256 -r "$scratch/message" | cut -d' ' -f1)
is "P-256: of a digest" "$(ask shop sign-digest "oracle 257 $digest")" "$signature"
signature=$(ask shop sign 'oracle 2 neo 12.5')
der "$signature" "$scratch/signature"
is "secp256k1" "$(openssl dgst -sha256 -verify "$scratch/k1.pem" -signature "$scratch/signature" "$scratch/message" 2>&1)" "Verified OK"
is "secp256k1: recovery, and s in the lower half" "${#signature} $([[ ${signature:128:2} == 0[0-3] && ${signature:64:1} == [0-7] ]] && echo low)" "130 low"
ask shop sign 'oracle 3 neo 12.5' | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' >"$scratch/signature"
has "Ed25519" "$(openssl pkeyutl -verify -pubin -inkey "$scratch/ed.pem" -rawin -in "$scratch/message" -sigfile "$scratch/signature" 2>&1)" "Verified Successfully"
is "an empty message" "$(ask shop sign 'oracle 1 ' | wc -c)" 128

# --- whose key it is
is "another application of the same owner" "$([ "$(ask twin public 'oracle 1')" != "$p256" ] && echo another)" another
tokens=$(ask shop derive 'tokens 48')
is "derived bytes" "${#tokens} $(ask shop derive 'tokens 32')" "96 ${tokens:0:64}"
is "derived bytes: another application's" "$([ "$(ask twin derive 'tokens 48')" != "$tokens" ] && echo others)" others
signer shop "$granted" 2.0.0 || fail "deploy another version"
is "another version has the same keys" "$(ask shop public 'oracle 1') $(ask shop derive 'tokens 48')" "$p256 $tokens"
kill -9 "$(pgrep -P "$node" -x s3n-keeper | head -n 1)" 2>/dev/null
back() { [ "$(ask shop public 'oracle 1')" = "$p256" ]; }
until_true 20 back && pass "a killed keeper" || fail "a killed keeper" "$(ask shop public 'oracle 1')"

# --- what was sealed to a key
inbox=$(ask shop public 'inbox 4')
if command -v node >/dev/null; then
  hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
  sealed=$(command node "$here/hpke_seal.mjs" "$inbox" "$(hex orders)" "$(hex 'no. 7')" "$(hex 'two boxes')")
  is "hpke_open" "$(ask shop open "inbox $sealed")" "two boxes"
  has "hpke_open: changed" "$(ask shop open "inbox ${sealed%??}00")" "-10 "
  has "hpke_open: cut" "$(ask shop open "inbox ${sealed% *} 00")" "-1 "
  has "hpke_open: another application's key" "$(ask twin open "inbox $sealed")" "it does not open with this key"
else
  skip "hpke_open" "needs node"
fi

# --- permissions
has "no permission" "$(ask plain sign 'oracle 1 x')" "-3 no permission for key 'p256:oracle': add \`permissions.keys = [\"p256:oracle\"]\` to [function.f] in s3n.toml"
has "no permission for another algorithm" "$(ask shop sign 'inbox 1 x')" "-3 no permission for key 'p256:inbox'"
has "no permission to derive" "$(ask shop derive 'oracle 16')" "-3 no permission for key 'hkdf:oracle'"
has "an algorithm that is none" "$(ask shop sign 'oracle 9 x')" "-9 algorithms are"
has "a path that is none" "$(ask shop sign 'a:b 1 x')" "-1 the path of a key"
has "too many derived bytes" "$(ask shop derive 'tokens 1025')" "1 to 1024 bytes can be derived"
signer shop 'permissions.keys = ["ed25519:oracle"]' 3.0.0
has "a permission taken away" "$(ask shop sign 'oracle 1 x')" "-3 no permission for key 'p256:oracle'"
signer bad 'permissions.keys = ["oracle"]' && fail "a manifest with a bad name" || pass "a manifest with a bad name"

# --- receipts
uses=$(timeout 90 curl -sk -D - -o /dev/null --data-binary 'oracle 3 x' "$url/a/shop/sign" | tr -d '\r' | sed -n 's/^s3n-receipt: //p' | python3 -c '
import base64, json, sys
part = sys.stdin.read().split(".")[1]
print(json.dumps(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get("uses")))')
want=$(printf %s "$ed" | python3 -c 'import hashlib, sys; print(hashlib.sha256(bytes.fromhex(sys.stdin.read())).hexdigest())')
is "a receipt names the key and the digest of its public half" "$uses" \
  "[{\"after\": \"$want\", \"name\": \"ed25519:oracle\", \"service\": \"key\"}]"
finish
