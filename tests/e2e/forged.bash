#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Web tokens and key sets of attackers, at a node that runs: each is refused with its reason, and costs nothing that stays.
set -u
. "$(dirname "$0")/node.bash"
require_node forged
command -v python3 >/dev/null || skip_all forged "no python3"
unset S3N_API_KEY
issuer=$scratch/issuer
mkdir "$issuer"
"$here/issuer.py" key "$issuer" one || skip_all forged "openssl makes no keys"
"$here/issuer.py" serve "$issuer" 2>/dev/null &
until_true 20 test -s "$issuer/port" || fail "issuer"
base=http://127.0.0.1:$(cat "$issuer/port")
printf '[access]\nissuers = ["%s"]\n' "$base" >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" && claim || { fail "start"; finish; }

# shop NAME ISSUER
shop() {
  application "$1" environment
  cat >>"$scratch/$1/s3n.toml" <<TOML
[[trigger.http]]
route = "/jwt"
function = "f"
auth = "jwt"
[jwt]
issuer = "$2"
audience = "shop"
algorithms = ["ES256"]
jwks_url = "$2/keys"
TOML
  deploy "$1" || fail "deploy $1"
}
# ask NAME [CURL...]: the status; the answer in $scratch/body
ask() { fetch -o "$scratch/body" -w '%{http_code}' "${@:2}" "$url/a/$1/jwt"; }
bearing() { ask "$1" -H "Authorization: Bearer $2" "${@:3}"; }
shop shop "$base/good"
good=$("$here/issuer.py" token "$issuer" one-ec "$base/good")
came() { [ "$(bearing shop "$good")" = 200 ]; }
until_true 20 came && pass "a token of the issuer" || fail "a token of the issuer" "$(cat "$scratch/body")"

# --- tokens
"$here/forged.py" "$issuer" one-ec "$base/good" >"$scratch/tokens" || fail "make tokens"
n=0
while IFS=$'\t' read -r _ _ token; do
  [ "$n" = 0 ] || echo next
  printf 'header = "Authorization: Bearer %s"\nurl = "%s"\noutput = "%s"\ncacert = "%s"\nwrite-out = "%%{http_code}\\n"\nmax-time = 30\n' \
    "${token//\"/\\\"}" "$url/a/shop/jwt" "$scratch/answer.$((n += 1))" "$data/tls.crt"
done <"$scratch/tokens" >"$scratch/asking"
curl -sS -K "$scratch/asking" >"$scratch/statuses" || fail "ask"
n=0
while IFS=$'\t' read -r name reason token && read -r status <&8; do
  answer=$scratch/answer.$((n += 1))
  if [ "$reason" = - ]; then
    is "$name" "$status" 200
  else
    [ "$status" = 401 ] && grep -qF "$reason" "$answer" && pass "$name" || fail "$name" "$status $(head -c 300 "$answer"), want 401 and $reason"
  fi
done <"$scratch/tokens" 8<"$scratch/statuses"
is "each was asked" "$n" "$(wc -l <"$scratch/tokens")"
# --- fields
for field in "Bearer $good,$good" "Bearer $good $good" "Bearer $good, Bearer $good" "Bearer" "Bearer ." "Basic $good" "$good" "Bearer \"$good\"" "DPoP $good"; do
  is "Authorization: ${field:0:14}…" "$(ask shop -H "Authorization: $field")" 401
done
is "two fields" "$(ask shop -H "Authorization: Bearer $good" -H "Authorization: Bearer $good")" 401
is "two fields over HTTP/1.1" "$(ask shop --http1.1 -H "Authorization: Bearer $good" -H "Authorization: Bearer x")" 401
is "a token in the query" "$(fetch -o "$scratch/body" -w '%{http_code}' "$url/a/shop/jwt?access_token=$good")" 401
is "a token in a cookie" "$(ask shop -H "Cookie: Authorization=Bearer $good")" 401

# --- key sets; a request that comes while they are fetched waits for what becomes of it
# lies WAY REASON
lies() {
  local token
  token=$("$here/issuer.py" token "$issuer" one-ec "$base/$1")
  told() { [ "$(bearing "$1" "$token")" = 503 ] && grep -qF "$2" "$scratch/body"; }
  until_true 15 told "$1" "$2" && pass "key set: $1" || fail "key set: $1" "$(cat "$scratch/body")"
}
for way in tower:"more than" endless:"more than" middle:"can't be had yet: " moved:"status 308" metadata:"status 307" fields:"can't be had yet: " \
  early:"can't be had yet: " packed:"more than" old:"can't be had yet: " reset:"can't be had yet: " oct:"secret part" twins:"the same kid" \
  curve:"key set: key 0" short:"32 bytes" deep:"key set" others:"no key for" text:"text"; do
  shop "${way%%:*}" "$base/${way%%:*}"
  lies "${way%%:*}" "${way#*:}"
done
is "meanwhile the others work" "$(bearing shop "$good")" 200
finish
