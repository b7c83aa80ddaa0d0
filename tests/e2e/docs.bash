#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The files and sessions of docs/, as they stand there (pages.bash).
set -u
. "$(dirname "$0")/node.bash"
. "$(dirname "$0")/pages.bash"
require_node docs
command -v clang-19 >/dev/null || skip_all docs "no clang-19"
unset S3N_API_KEY
mkdir "$scratch/www" "$scratch/issuer"
# Whom the pages' functions ask, and who says who their callers are.
echo '{"price": 12.5}' >"$scratch/www/price"
(cd "$scratch/www" && exec python3 -u -m http.server --bind 127.0.0.1 0) >"$scratch/www.port" 2>/dev/null &
"$here/issuer.py" key "$scratch/issuer" one || skip_all docs "openssl makes no keys"
"$here/issuer.py" serve "$scratch/issuer" 2>/dev/null &
until_true 20 grep -q port "$scratch/www.port" && until_true 20 test -s "$scratch/issuer/port" || fail "servers"
source=127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$scratch/www.port")
issuer=http://127.0.0.1:$(cat "$scratch/issuer/port")
cat >"$scratch/s3nd.toml" <<TOML
[access]
issuers = ["$issuer"]
[outbound]
allow_private = ["127.0.0.1/32"]
TOML
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"
said_for=(["127.0.0.1:8000"]=$source ["https://accounts.example.com"]=$issuer/good)
ISSUED=$("$here/issuer.py" token "$scratch/issuer" one "$issuer/good")

for name in ${PAGES:-deploying kv secrets keys logs sealed metrics abi outbound middleware versions access operating \
  receipts attestation policy collateral measure event-log inspect http files sdks}; do
  # Each page for itself: who reads one has not read the others.
  mkdir "$scratch/$name" && cp -r "$S3N_SOURCE/examples" "$S3N_SOURCE/sdk" "$scratch/$name/" && ln -s "$S3N_SOURCE/tests" "$scratch/$name/tests" && cd "$scratch/$name" || exit 1
  page "$name" "$S3N_SOURCE/docs/$name.md"
  for gone in $(s3n -q ls | sed -n 's/^\([a-z][^ ]*\)  .*/\1/p'); do
    timeout 90 s3n -q rm --purge "$gone" || fail "$name: remove $gone"
  done
done
for pid in $(jobs -p); do kill "$pid"; done 2>/dev/null
finish
