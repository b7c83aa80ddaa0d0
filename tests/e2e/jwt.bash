#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Routes that ask who calls: API tokens, owners' signatures, web tokens of an issuer on loopback that behaves in many ways.
set -u
. "$(dirname "$0")/node.bash"
require_node jwt
unset S3N_API_KEY
issuer=$scratch/issuer
mkdir "$issuer"
"$here/issuer.py" key "$issuer" one || skip_all jwt "openssl makes no keys"
"$here/issuer.py" serve "$issuer" 2>/dev/null &
until_true 20 test -s "$issuer/port" || fail "issuer"
base=http://127.0.0.1:$(cat "$issuer/port")
cat >"$scratch/s3nd.toml" <<TOML
[access]
issuers = ["$base"]
hosts = ["127.0.0.1", "functions.example.com"]
TOML
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"

# shop NAME ISSUER [KEYS]: an application with a route of each kind.
shop() {
  application "$1" environment
  cat >>"$scratch/$1/s3n.toml" <<TOML
[[trigger.http]]
route = "/token"
function = "f"
auth = "token"
[[trigger.http]]
route = "/owner"
function = "f"
auth = "owner"
[[trigger.http]]
route = "/jwt/:x"
function = "f"
auth = "jwt"
[jwt]
issuer = "$2"
audience = "shop"
algorithms = ["RS256", "EdDSA"]
TOML
  [ -z "${3:-}" ] || echo "jwks_url = \"$3\"" >>"$scratch/$1/s3n.toml"
  deploy "$1"
}
# ask PATH [CURL...]: the status; the answer in $scratch/body
ask() {
  local path=$1
  shift
  fetch -o "$scratch/body" -w '%{http_code}' "$@" "$url$path"
}
bearing() { ask "$1" -H "Authorization: Bearer $2" "${@:3}"; }
web() { "$here/issuer.py" token "$issuer" "$@"; }
body() { tr '\0' '\n' <"$scratch/body"; }
says() { has "$1" "$(body)" "$2"; }

shop shop "$base/good" || fail "deploy"
good=$(web one "$base/good" 'role="admin"')
came() { [ "$(bearing /a/shop/jwt/1 "$good")" = 200 ]; }
until_true 20 came && pass "a token of the issuer" || fail "a token of the issuer" "$(cat "$scratch/body")"
says "the function knows who" "REMOTE_USER=alice"
says "and how" "S3N_AUTH=jwt"
says "and what else was said" '"role":"admin"'
[[ $(body) != *"${good##*.}"* ]] && pass "but not the token" || fail "but not the token"
is "another algorithm of the list" "$(bearing /a/shop/jwt/1 "$(web one-ed "$base/good")")" 200
is "with a body" "$(bearing /a/shop/jwt/1 "$good" --data-binary x)" 200
is "the public route stays so" "$(ask /a/shop/run)" 200
[[ $(body) != *S3N_AUTH* ]] && pass "and claims nothing" || fail "and claims nothing"
is "nobody says who they are by a field" "$(ask /a/shop/run -H 'S3N-Auth: jwt' -H 'Remote-User: root'; grep -c '^S3N_AUTH\|^REMOTE_USER' "$scratch/body")" 2000

# --- what is refused
refused() { # NAME REASON TOKEN
  is "$1" "$(bearing /a/shop/jwt/1 "$3")" 401
  says "$1: says so" "$2"
}
is "no token" "$(ask /a/shop/jwt/1)" 401
refused "expired" "has expired" "$(web one "$base/good" exp=1000)"
refused "for somebody else" '`aud`' "$(web one "$base/good" 'aud="other"')"
refused "of another issuer" '`iss`' "$(web one "$base/else")"
refused "alg none" '`alg`' "$(web one "$base/good" --header 'alg="none"')"
refused "HMAC with the public key" '`alg`' "$(web one "$base/good" --hs)"
refused "another signature" "signature" "${good%.*}.$(web one-ed "$base/good" | cut -d. -f3)"
refused "its own key inside" '`jwk`' "$(web one "$base/good" --header 'jwk={"kty":"RSA"}')"
refused "an address inside" '`jku`' "$(web one "$base/good" --header "jku=\"$base/good/keys\"")"
refused "an API token" "three parts" s3n_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypsaijceofeofwj
refused "huge" "at most" "$(head -c 12000 /dev/zero | tr '\0' a)"
elsewhere=$(web one "$base/good" --header 'kid="../../etc/passwd"') nobody=$(web one "$base/good" --header 'kid="nobody"')
asked=$(grep -c . "$issuer/asked") since=$SECONDS
for _ in $(seq 12); do bearing /a/shop/jwt/1 "$elsewhere" >/dev/null; done
is "a key that is not there" "$(bearing /a/shop/jwt/1 "$nobody")" 401
[ $(($(grep -c . "$issuer/asked") - asked)) -le $((1 + (SECONDS - since + 1) / 10)) ] && pass "the issuer is not asked each time" || fail "the issuer is not asked each time"

# --- by name and with other proofs
is "by name: nobody" "$(ask /v1/applications/shop/functions/f/invoke -X POST)" 401
is "by name: not by web token" "$(bearing /v1/applications/shop/functions/f/invoke "$good" -X POST)" 401
caller=$(timeout 90 s3n -q token create --scope invoke --application shop)
reader=$(timeout 90 s3n -q token create --scope read)
is "by name: an API token" "$(bearing /v1/applications/shop/functions/f/invoke "$caller" -X POST)" 200
is "route: an API token" "$(bearing /a/shop/token "$caller")" 200
says "route: who" "REMOTE_USER=token:"
is "route: a token without the scope" "$(bearing /a/shop/token "$reader")" 403
says "route: names the scope" 'no scope `invoke`'
is "route: a web token is none" "$(bearing /a/shop/token "$good")" 401
is "route: an API token is no signature" "$(bearing /a/shop/owner "$caller")" 401
"$here/sign.py" "$XDG_CONFIG_HOME/s3n/owner.key" GET "$url/a/shop/owner" >"$scratch/headers"
is "route: the owner" "$(ask /a/shop/owner -H @"$scratch/headers")" 200
says "route: which" "REMOTE_USER=key:"
is "route: once" "$(ask /a/shop/owner -H @"$scratch/headers")" 401
timeout 90 s3n --config "$scratch/eve" -q login "$url" --trust-simulated
"$here/sign.py" "$scratch/eve/owner.key" GET "$url/a/shop/owner" >"$scratch/headers"
is "route: a stranger" "$(ask /a/shop/owner -H @"$scratch/headers")" 401

# --- callers apart: each has a rate and answers kept under an Idempotency-Key of their own
application mine counter 'permissions.kv = ["counts"]'
for way in token owner jwt; do printf '[[trigger.http]]\nroute = "/%s"\nfunction = "f"\nauth = "%s"\n' $way $way >>"$scratch/mine/s3n.toml"; done
cat >>"$scratch/mine/s3n.toml" <<TOML
[jwt]
issuer = "$base/good"
audience = "shop"
algorithms = ["RS256"]
[middleware.idempotency]
[middleware.limits]
rate_per_key = { per_minute = 1, burst = 4 }
TOML
deploy mine || fail "deploy mine"
eve=$(timeout 90 s3n --config "$scratch/eve" login "$url" --trust-simulated --json 2>/dev/null | json_field public_key)
timeout 90 s3n -q member add "$eve" --role deployer || fail "member"
printf I >"$scratch/count"
printf R >"$scratch/other"
tokens=("$(web one "$base/good")" "$(web one "$base/good" 'sub="bob"')" "$(timeout 90 s3n -q token create --scope invoke --name one)" "$(timeout 90 s3n -q token create --scope invoke --name two)")
callers="alice bob token-one token-two owner member"
# mine CALLER [BODY]: the status and how often the function counted
mine() {
  local body=${2:-$scratch/count} headers=(-H 'idempotency-key: "same"') way=jwt
  case $1 in
    alice) headers+=(-H "Authorization: Bearer ${tokens[0]}") ;;
    bob) headers+=(-H "Authorization: Bearer ${tokens[1]}") ;;
    token-one) way=token headers+=(-H "Authorization: Bearer ${tokens[2]}") ;;
    token-two) way=token headers+=(-H "Authorization: Bearer ${tokens[3]}") ;;
    *) way=owner
      "$here/sign.py" "$([ "$1" = owner ] && echo "$XDG_CONFIG_HOME/s3n" || echo "$scratch/eve")/owner.key" POST "$url/a/mine/owner" --body "$body" >"$scratch/headers"
      headers+=(-H @"$scratch/headers") ;;
  esac
  echo "$(ask /a/mine/$way "${headers[@]}" --data-binary @"$body") $(head -c 20 "$scratch/body")"
}
n=0
for caller in $callers; do is "a key of $caller's own" "$(mine $caller)" "200 000000000$((n += 1))"; done
n=0
for caller in $callers; do is "kept for $caller" "$(mine $caller)" "200 000000000$((n += 1))"; done
for caller in $callers; do has "another body of $caller's" "$(mine $caller "$scratch/other")" "422 "; done
is "who says nothing of themselves has none of these" "$(ask /a/mine/run -H 'idempotency-key: "same"' --data-binary R) $(cat "$scratch/body")" "200 0000000006"
ends() { for _ in 1 2 3 4; do [[ $(mine $1) == 429* ]] && return; done; return 1; }
for caller in $callers; do
  is "$caller: the rate is their own" "$(mine $caller | cut -c1-3)" 200
  ends $caller && pass "$caller: it ends" || fail "$caller: it ends"
done
is "a rate is of one application" "$(bearing /a/shop/jwt/1 "${tokens[0]}")" 200
is "and of nobody else" "$(bearing /a/mine/jwt "$(web one "$base/good" 'sub="carol"')" --data-binary R)" 200

# --- the first requests of all, with the keys still on their way
shop gate "$base/gate" "$base/gate/keys"
gate=$(web one "$base/gate") forged=$(web one "$base/good") expired=$(web one "$base/gate" exp=1000)
is "what needs no keys is refused at once" "$(bearing /a/gate/jwt/1 "$expired")" 401
early() { # NAME TOKEN [CURL...]: in the background, until it has been sent
  local name=early-$1 token=$2
  shift 2
  fetch -o "$scratch/$name.body" -w '%{http_code}' -v -H "Authorization: Bearer $token" "$@" "$url/a/gate/jwt/1" >"$scratch/$name" 2>"$scratch/$name.log" &
  until_true 10 grep -q "^> [GP][EO]" "$scratch/$name.log" || fail "$name was sent"
}
early plain "$gate"; early body "$gate" --data-binary @"$modules/echo.wasm"; early forged "${gate%.*}.${forged##*.}"
is "who asks early waits" "$(cat "$scratch/early-plain" "$scratch/early-body")" ""
touch "$issuer/open"
waited() { [ "$(cat "$scratch/early-$1")" = "$2" ]; }
until_true 10 waited plain 200 && pass "and is answered" || fail "and is answered" "$(cat "$scratch/early-plain" "$scratch/early-plain.body")"
until_true 10 waited body 200 && pass "with a body too" || fail "with a body too" "$(cat "$scratch/early-body"*)"
until_true 10 waited forged 401 && pass "or refused" || fail "or refused" "$(cat "$scratch/early-forged"*)"

# --- issuers that misbehave: an answer soon, with the reason
shop lies "$base/lies"
for way in redirect flood html broken cut secret hang; do shop $way "$base/$way" "$base/$way/keys"; done
shop plain http://127.0.0.2:1 && shop inside https://127.0.0.1:1
misbehaves() { # WAY ISSUER REASON
  local token
  token=$(web one "$2")
  told() { [ "$(bearing "/a/$1/jwt/1" "$token")" = 503 ] && grep -qF "$2" "$scratch/body"; }
  until_true 15 told "$1" "$3" && pass "issuer: $1" || fail "issuer: $1" "$(cat "$scratch/body")"
}
misbehaves lies "$base/lies" "another issuer than was asked"
misbehaves redirect "$base/redirect" "status 302"
misbehaves flood "$base/flood" "can't be had yet: "
misbehaves html "$base/html" "key set"
misbehaves broken "$base/broken" "status 500"
misbehaves cut "$base/cut" "key set"
misbehaves secret "$base/secret" "secret part"
misbehaves plain http://127.0.0.2:1 "over https only"
misbehaves inside https://127.0.0.1:1 "a loopback address"
fetch -o "$scratch/hang.body" -w '%{http_code}' --max-time 60 -H "Authorization: Bearer $(web one "$base/hang")" "$url/a/hang/jwt/1" >"$scratch/hang.status" &
hang=$!
is "the others go on" "$(bearing /a/shop/jwt/1 "$good")" 200

# --- a new key counts soon
"$here/issuer.py" key "$issuer" two
new=$(web two "$base/good")
rolled() { [ "$(bearing /a/shop/jwt/1 "$new")" = 200 ]; }
until_true 40 rolled && pass "a new key" || fail "a new key" "$(cat "$scratch/body")"
wait $hang
is "issuer: hang" "$(cat "$scratch/hang.status")" 503
is "the one before is gone" "$(bearing /a/shop/jwt/1 "$good")" 401

# --- names
port=${url##*:}
is "a name that it has" "$(ask /a/shop/run -H "Host: Functions.Example.com:$port")" 200
is "a name that it has not" "$(ask /a/shop/run -H "Host: evil.example")" 421
finish
