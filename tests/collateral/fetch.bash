#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `s3n verify evidence --fetch` against services that replay recorded answers, and misbehave.
set -u
source "$(dirname "$0")/../cases.bash"
cd "${S3N_SOURCE:-.}" || exit 1
s3n=${S3N_BUILD:-build}/bin/s3n
folder=$(mktemp -d)
service=''
clean_up() {
  [ -z "$service" ] || kill "$service" 2>/dev/null
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
export XDG_CONFIG_HOME=$folder/config XDG_CACHE_HOME=$folder/cache
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
mkdir -p "$folder/config/s3n" "$folder/service"
printf 'timeout_s = 3\n' >"$folder/config/s3n/collateral.toml"

# serve [CERTIFICATE KEY]: starts the services; sets url.
serve() {
  [ -z "$service" ] || { kill "$service"; wait "$service" 2>/dev/null; exec 8>&-; }
  rm -f "$folder/in" "$folder/url"
  mkfifo "$folder/in"
  python3 tests/collateral/replay.py "$folder/service" "$@" <"$folder/in" >"$folder/url" 2>"$folder/service.log" &
  service=$!
  exec 8>"$folder/in"
  for _ in $(seq 200); do [ -s "$folder/url" ] && break; sleep 0.05; done
  url=$(cat "$folder/url")
}
mode() { printf '%s\n' "$@" >"$folder/service/mode"; }
forget() { rm -rf "$folder/cache" "$folder/service/log" "$folder/service/mode"; }
asked() { wc -l 2>/dev/null <"$folder/service/log" || echo 0; }
verify() { timeout 60 "$s3n" verify evidence "$@" --intel-url "$url" --amd-url "$url" >"$folder/out" 2>"$folder/err"; }
# judge NAME CODE TEXT ARGUMENTS...: exit code, and text on stdout or stderr.
judge() {
  local name=$1 code=$2 text=$3 status
  shift 3
  verify "$@"
  status=$?
  if [ "$status" != "$code" ]; then
    fail "$name" "exit code $status, not $code: $(cat "$folder/err" "$folder/out" | head -c 900)"
  elif ! cat "$folder/out" "$folder/err" | grep -qF -- "$text"; then
    fail "$name" "no «$text» in $(cat "$folder/err" "$folder/out" | head -c 900)"
  else
    pass "$name"
  fi
}
field() {
  python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(value)' "$folder/out" "$1" 2>&1
}
same() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "«$2», not «$3»"; fi; }

serve
tdx=(tests/data/attest/tdx_v4_phala_b0c06f.bin --tee tdx --at 2025-06-20T00:00:00Z)
snp=(tests/data/attest/snp/reports/milan_v2_coco.bin --tee snp --at 2025-07-01T00:00:00Z)

judge 'nothing is fetched by itself' 6 'no TCB info was given' "${tdx[@]}"
same 'nobody was asked' "$(asked)" 0
judge 'TDX, fetched' 0 'accepted' "${tdx[@]}" --fetch
same 'four pieces' "$(asked)" 4
grep -q 'collateral tcb-info *fetched, 0 days old, until 2025-07-19T10:16:03Z' "$folder/out" && pass 'age and end are shown' ||
  fail 'age and end are shown' "$(grep collateral "$folder/out")"
judge 'again: from the cache' 0 'fresh' "${tdx[@]}" --fetch
same 'nobody was asked again' "$(asked)" 4
judge 'from the cache alone' 0 '"policy":"accept"' "${tdx[@]}" --offline --json
same 'its state in JSON' "$(field collateral.0.state)" fresh
same 'its age in JSON' "$(field collateral.0.age_s)" 49437
same 'not stale' "$(field collateral.0.stale)" False
same 'where it is from' "$(field collateral.0.url)" "$url/tdx/certification/v4/tcb?fmspc=b0c06f000000"
same 'the level is known' "$(field tcb_status)" UpToDate
judge 'SNP, fetched' 0 'accepted' "${snp[@]}" --fetch
judge 'early updates' 0 'accepted' "${tdx[@]}" --fetch
same 'modes of the cache' "$(stat -c %a "$folder/cache/s3n/collateral" "$folder/cache/s3n/collateral"/* | sort -u | tr '\n' ' ')" '600 700 '
judge 'a bundle of what was fetched' 0 accepted "${tdx[@]}" --fetch --save-bundle "$folder/bundle.json"
kill "$service"
wait "$service" 2>/dev/null
service=''
rm -rf "$folder/cache"
judge 'the bundle is enough' 0 accepted "${tdx[@]}" --bundle "$folder/bundle.json"
judge 'no service is there' 6 'Failed to connect' "${tdx[@]}" --fetch
judge 'offline without a cache' 6 'not in the cache' "${tdx[@]}" --offline
judge 'what is missing stands in JSON' 6 '"missing"' "${tdx[@]}" --offline --json
exec 8>&-
rm -f "$folder/in"
serve

# --- stale: judged at a time that the cache's copies don't reach
late=(tests/data/attest/tdx_v4_phala_b0c06f.bin --tee tdx --at 2025-08-20T00:00:00Z)
forget
verify "${tdx[@]}" --fetch
sed -i 's/"fetched":[0-9]*/"fetched":1750000000/' "$folder"/cache/s3n/collateral/*
judge 'stale is not used' 6 'in the cache ended on 2025-07-19' "${late[@]}" --offline
judge 'unless that is allowed, and then it is shown' 6 'STALE since 2025-07-19T10:16:03Z' "${late[@]}" --offline --allow-stale
judge 'and proves nothing for later' 6 'PCK_CRL_EXPIRED' "${late[@]}" --offline --allow-stale
judge 'for its own time it does' 0 'due' "${tdx[@]}" --offline
mode '* status 500'
judge 'asking again failed: what is in date does' 0 'the service answered with status 500' "${tdx[@]}" --fetch

# --- what services do wrong: PART MODE, what is said
while IFS='|' read -r name part how text; do
  forget
  mode "$part $how"
  judge "$name" 6 "$text" "${tdx[@]}" --fetch
  [ "$part" = '*' ] && continue
  mode
  judge "$name: then had" 0 accepted "${tdx[@]}" --fetch
done <<'END'
not there|tcb|status 404|the service does not have it (404) (request a1b2c3)
gone|tcb|status 410|the service does not have it (410)
no access|identity|status 401|wants a subscription key (401)
broken|tcb|status 500|answered with status 500
under repair|rootcrl|status 503|answered with status 503
a strange status|tcb|status 418|answered with status 418
a redirect|tcb|redirect|sends us to http://example.invalid/ (302), where we don't go
garbage|tcb|garbage|not what was asked for
garbage for a list|pckcrl|garbage|not what was asked for
too much|tcb|huge|has more than 1048576 bytes
no issuer chain|tcb|no-chain|came without its issuer chain
a cut issuer chain|identity|wrong-chain|issuer chain
a broken connection|tcb|truncated|tcb-info
a drip|tcb|drip|no complete answer in time
END
forget
mode 'tcb garbage'
verify "${tdx[@]}" --fetch
same 'what is no collateral is not kept' "$(ls "$folder"/cache/s3n/collateral | wc -l)" 3

forget
mode 'tcb busy-once 1'
judge 'asked too often, once' 0 accepted "${tdx[@]}" --fetch
forget
mode 'tcb busy 1800'
judge 'asked too often' 6 'may be asked again in 1800 s' "${tdx[@]}" --fetch
before=$(asked)
judge 'the service is left alone' 6 'asked not to be asked before' "${tdx[@]}" --fetch
same 'nobody was asked' "$(asked)" "$before"

# --- TLS
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=replay -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
forget
serve "$folder/cert.pem" "$folder/key.pem"
judge 'a certificate of nobody' 6 'tcb-info' "${tdx[@]}" --fetch
same 'nothing was asked over it' "$(asked)" 0
judge 'with its authority' 0 accepted "${tdx[@]}" --fetch --service-ca "$folder/cert.pem"

# --- settings
serve
forget
printf 'fetch = "always"\nintel_url = "%s"\nupdate = "standard"\n' "$url" >"$folder/config/s3n/collateral.toml"
timeout 60 "$s3n" verify evidence "${tdx[@]}" >"$folder/out" 2>&1
same 'today'"'"'s collateral does not judge the past by itself' "$(asked)" 0
timeout 60 "$s3n" verify evidence tests/data/attest/tdx_v4_phala_b0c06f.bin >"$folder/out" 2>&1
same 'fetch = "always"' "$(asked)" 4
grep -q 'update=standard' "$folder/service/log" && pass 'update = "standard"' || fail 'update = "standard"'
printf 'intel_ulr = "x"\n' >"$folder/config/s3n/collateral.toml"
judge 'an unknown key' 3 'intel_url' "${tdx[@]}"
printf 'amd_url = "ftp://x"\n' >"$folder/config/s3n/collateral.toml"
timeout 60 "$s3n" verify evidence "${tdx[@]}" >"$folder/out" 2>&1
same 'a strange scheme' $? 3
rm "$folder/config/s3n/collateral.toml"
timeout 60 "$s3n" verify evidence "${tdx[@]}" --intel-url localhost >"$folder/out" 2>&1
same 'a strange URL' $? 2
finish
