#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The client of a key broker against a broker written from Trustee's documentation: `s3n kbs get`, and a node whose root
# secret comes from there.
set -u
. "$(dirname "$0")/../e2e/node.bash"
. "$here/pages.bash"
python3 -c 'import cryptography' 2>/dev/null || skip_all kbs "Python's package cryptography is not there"
broker_pid=''
broker=$scratch/broker
mkdir -p "$broker" "$data/keeper"
chmod 700 "$data/keeper"

certificate() { # NAME: a root of its own and a certificate for 127.0.0.1 below it
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1 root" \
    -keyout "$broker/$1-root.key" -out "$broker/$1-root.pem" 2>/dev/null &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$broker/$1.key" \
      -out "$broker/$1.csr" 2>/dev/null &&
    openssl x509 -req -in "$broker/$1.csr" -CA "$broker/$1-root.pem" -CAkey "$broker/$1-root.key" -days 2 \
      -extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost") -out "$broker/$1.pem" 2>/dev/null
}
broker_start() { # ARGUMENTS: sets broker_url
  rm -f "$broker/port"
  python3 "$S3N_SOURCE/tests/kbs/broker.py" --cert "$broker/good.pem" --key "$broker/good.key" --root "$broker/root.pem" \
    --secret "$broker/secret" --mode "$broker/mode" --port-file "$broker/port" --collateral "$broker" "$@" 2>>"$broker/log" &
  broker_pid=$!
  until_true 20 test -s "$broker/port" || { cat "$broker/log" >&2; return 1; }
  broker_url=https://127.0.0.1:$(cat "$broker/port")
}
broker_stop() {
  [ -z "$broker_pid" ] || { kill "$broker_pid"; wait "$broker_pid"; } 2>/dev/null
  broker_pid=''
}
get() { # MODE ARGUMENTS...
  echo "$1" >"$broker/mode"
  shift
  timeout 60 s3n kbs get "$broker_url" default/s3n/root --ca "$broker/good-root.pem" --tee sim --folder "$broker/sim" "$@"
}
refused() { # NAME MODE CODE TEXT [ARGUMENTS]
  local name=$1 mode=$2 code=$3 text=$4 status=0 said
  shift 4
  said=$(get "$mode" -o "$broker/none" "$@" 2>&1) || status=$?
  if [ $status = "$code" ] && [[ $said == *"$text"* ]] && [ ! -e "$broker/none" ]; then
    pass "$name"
  else
    fail "$name" "exit $status, want $code: $said"
  fi
  rm -f "$broker/none"
}

certificate good && certificate other || { fail "certificates"; finish; }
head -c 32 /dev/urandom >"$broker/secret"
mkdir "$broker/sim"
s3n kbs get https://127.0.0.1:1 a/b/c --ca "$broker/good-root.pem" --tee sim --folder "$broker/sim" 2>/dev/null
python3 "$S3N_SOURCE/tests/kbs/collateral.py" "$broker/sim/sim-root.pem" "$broker"
broker_start || { fail "the broker starts"; finish; }

# ---- by hand ----
for key in p256 p521 rsa; do
  get '' --key $key >"$broker/got" && cmp -s "$broker/got" "$broker/secret" && pass "a resource, key $key" ||
    fail "a resource, key $key" "$(tail -n 3 "$broker/log")"
done
for hash in sha256 sha512; do
  get $hash >"$broker/got" && cmp -s "$broker/got" "$broker/secret" && pass "report data by $hash" || fail "report data by $hash"
done
get '' -o "$broker/got2" && is "the file is the owner's alone" "$(stat -c %a "$broker/got2")" 600
refused "a nonce of another session" nonce 4 "nonce is another"
refused "an answer for another key" otherkey 6 "does not open"
refused "an answer of garbage" garbage:auth 3 "challenge is not as the protocol"
refused "a token of garbage" garbage:attest 3 "token is not as the protocol"
refused "a resource of garbage" garbage:resource 3 "not well-formed"
refused "an endless challenge" endless:auth 9 "over"
refused "an endless resource" endless:resource 9 "over"
refused "a broker that hangs" hang 8 "" --timeout-ms 700
refused "a redirect" redirect 7 "answers 302"
refused "an expired token" expired 6 "expired"
refused "a policy that says no" deny 4 "the policy says no"
refused "a resource that is not there" missing 5 "no such resource"
refused "another algorithm than the key's" alg 3 "not of the form"
refused "a compressed message" compressed 3 "not of the form"
refused "a resource in the clear" plain 3 "not well-formed"
refused "a cookie that is too long" cookie 9 "cookie"
refused "a broker of other roots" '' 6 "127.0.0.1" --ca "$broker/other-root.pem"
refused "evidence that proves nothing" '' 4 "not trusted" --sample
refused "another version of the protocol" '' 4 "Version Mismatch" --protocol 0.2.0
has "roots must be named" "$(s3n kbs get "$broker_url" default/s3n/root --tee sim --folder "$broker/sim" 2>&1)" "--ca is needed"
cp -r "$broker/sim" "$broker/sim-kept"
rm "$broker/sim/sim-root.pem"
refused "evidence of another machine" '' 4 "not accepted"
rm -r "$broker/sim" && mv "$broker/sim-kept" "$broker/sim"
broker_stop
broker_start --protocol 0.2.0 --allow-sample || fail "the older broker starts"
get '' --protocol 0.2.0 >"$broker/got" && cmp -s "$broker/got" "$broker/secret" && pass "a broker of protocol 0.2.0" ||
  fail "a broker of protocol 0.2.0" "$(tail -n 3 "$broker/log")"
get '' --protocol 0.2.0 --sample >"$broker/got" && cmp -s "$broker/got" "$broker/secret" && pass "the sample attester" ||
  fail "the sample attester"
said_for=(["https://kbs.example.com:8080"]=$broker_url ["/etc/s3n/kbs-ca.pem"]=$broker/good-root.pem)
cd "$broker" && page kbs "$S3N_SOURCE/docs/kbs.md"
broker_stop

# ---- a node's root secret ----
has_backend || { skip "a node" "/dev/kvm can't be opened here"; finish; }
broker_start || { fail "the broker starts again"; finish; }
echo '' >"$broker/mode"
cp "$broker/sim/sim-root.pem" "$data/keeper/"
[ "$(id -u)" != 0 ] || chmod 755 "$broker"
cat >"$scratch/s3nd.toml" <<TOML
[root]
provider = "kbs"
url = "$broker_url"
resource = "default/s3n/root"
ca = "$broker/good-root.pem"
timeout_ms = 3000
TOML
node_start --config "$scratch/s3nd.toml" || { fail "a node with its root from the broker"; tail -5 "$scratch/node.log"; finish; }
pass "a node with its root from the broker"
[ ! -e "$data/keeper/root" ] && pass "its root secret is in no file" || fail "its root secret is in no file"
has "the log tells where it comes from" "$(cat "$scratch/node.log")" "root secret"
has "and so does the event log" "$(cat "$data/keeper/events")" "\"from\":\"kbs\",\"resource\":\"$(printf %s "$broker_url/kbs/v0/resource/default/s3n/root" | sha256sum | cut -c1-64)\",\"roots\":\"$(sha256sum "$broker/good-root.pem" | cut -c1-64)\""
is "the relay is gone" "$(pgrep -P "$(pid_of s3n-keeper)" 2>/dev/null)" ""
claim 2>/dev/null
application counted echo
deploy counted && has "it serves" "$(invoke counted -d hello 2>&1)" hello
node_stop
node_again --config "$scratch/s3nd.toml" && pass "the same root opens the store again" || fail "the same root opens the store again"
timeout 90 s3n ls 2>/dev/null | grep -q counted && pass "what was deployed is there" || fail "what was deployed is there"
kill -KILL "$(pid_of s3n-keeper)"
until_true 20 timeout 90 s3n ls && pass "a keeper that died has its root again" ||
  fail "a keeper that died has its root again" "$(tail -n 4 "$scratch/node.log")"
node_stop
cp "$broker/secret" "$broker/kept"
head -c 32 /dev/urandom >"$broker/secret"
node_start --config "$scratch/s3nd.toml" 2>/dev/null && fail "another root does not open the store" ||
  pass "another root does not open the store"
node_stop
head -c 31 "$broker/kept" >"$broker/secret"
node_start --config "$scratch/s3nd.toml" 2>/dev/null && fail "a root of 31 bytes" || pass "a root of 31 bytes is refused"
node_stop
for mode in hang otherkey deny garbage; do
  cp "$broker/kept" "$broker/secret"
  echo $mode >"$broker/mode"
  node_start --config "$scratch/s3nd.toml" 2>/dev/null && fail "no node: $mode" || pass "no node without a root secret: $mode"
  node_stop
done
[ ! -e "$data/keeper/root" ] && pass "and no root was made instead" || fail "and no root was made instead"
sed -i 's/^ca = .*//' "$scratch/s3nd.toml"
has "a broker without roots is no configuration" "$(timeout 90 s3nd --config "$scratch/s3nd.toml" --data-dir "$data" --listen 127.0.0.1:0 2>&1)" "needs url, resource and ca"
broker_stop
finish
