#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Functions that ask others: nginx, servers that mean no good, names that lead elsewhere, and a process that dies.
set -u
. "$(dirname "$0")/node.bash"
require_node outbound
python3 -c 'import cryptography' 2>/dev/null || skip_all outbound "python3-cryptography is not installed"
coproc servers { exec python3 "$here/outbound_servers.py" "$scratch"; }
declare -A port
while read -r -t 60 name number <&"${servers[0]}" && [ "$name" != ready ]; do port[$name]=$number; done
[ -n "${port[dns]:-}" ] || { fail "the servers started"; finish; }

# --- nginx, as users have it
web=$scratch/web
mkdir -p "$web/pages"
printf '{"price": 12.5}' >"$web/pages/price.json"
seq 20000 >"$web/pages/numbers.txt"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port[nginx]=$(free_port)
cat >"$web/nginx.conf" <<CONF
daemon off;
pid $web/nginx.pid;
error_log $web/error.log;
worker_processes 1;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $web/body; proxy_temp_path $web/proxy; fastcgi_temp_path $web/fastcgi; uwsgi_temp_path $web/uwsgi; scgi_temp_path $web/scgi;
  types { application/json json; text/plain txt; }
  gzip on;
  gzip_types text/plain;
  server {
    listen 127.0.0.1:${port[nginx]} ssl;
    server_name good.test;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate $scratch/good.pem;
    ssl_certificate_key $scratch/good.key;
    root $web/pages;
    location = /go { return 302 /price.json; }
    location = /down { return 302 http://good.test:${port[http]}/echo; }
    location = /protocol { return 200 "\$ssl_protocol \$request_method \$http_host \$http_user_agent"; }
  }
}
CONF
nginx_pid=
if command -v nginx >/dev/null; then
  nginx -e "$web/error.log" -c "$web/nginx.conf" 2>>"$web/error.log" &
  nginx_pid=$!
  answers() { curl -s --max-time 2 --cacert "$scratch/root.pem" --resolve "good.test:${port[nginx]}:127.0.0.1" "https://good.test:${port[nginx]}/price.json"; }
  until_true 10 answers || fail "nginx started" "$(tail -n 3 "$web/error.log")"
fi

cat >"$scratch/s3nd.toml" <<TOML
[outbound]
allow_private = ["127.0.0.1"]
name_servers = ["127.0.0.1:${port[dns]}"]
roots = "$scratch/root.pem"
concurrency = 4
TOML
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"
# asking NAME RULES [LINES [FILE]]
asking() {
  mkdir -p "$scratch/$1"
  cp "${4:-$modules/fetch.wasm}" "$scratch/$1/f.wasm"
  cat >"$scratch/$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
[function.f]
source = "f.wasm"
abi = "reactor"
limits = { memory_mib = 16, timeout_ms = ${limit_ms:-4000} }
permissions.http = [$2]
${3:-}
[[trigger.http]]
route = "/:what"
function = "f"
TOML
  deploy "$1"
}
hosts='"https://good.test:'${port[nginx]}'", "GET,POST http://good.test:'${port[http]}'", "GET,POST http://*.other.test:'${port[http]}'", "http://169.254.169.254", "http://none.invalid"'
for name in wrong expired early alone old; do hosts+=", \"https://$name.test:${port[$name]}\""; done
asking app "$hosts" && pass "deploy" || fail "deploy"
http=http://good.test:${port[http]}
ask() { timeout 90 curl -sk --data-binary "$3" "$url/a/$1/$2"; }
get() { ask app fetch "GET $1"; }

if [ -n "$nginx_pid" ]; then
  nginx=https://good.test:${port[nginx]}
  is "nginx: an answer, read by the SDK" "$(ask app read "GET $nginx/price.json")" "200 $nginx/price.json application/json {\"price\": 12.5}"
  is "nginx: after a redirect" "$(ask app read "GET $nginx/go")" "200 $nginx/price.json application/json {\"price\": 12.5}"
  has "nginx: a redirect for the function itself" "$(ask app fetch "GET $nginx/go"$'\n'"s3n-redirect: manual")" "302 $nginx/go"
  has "nginx: never from https to http" "$(get "$nginx/down")" "redirect from https to http"
  has "nginx: TLS, host and no other name" "$(get "$nginx/protocol")" "TLSv1.3 GET good.test:${port[nginx]} "
  answer=$(get "$nginx/numbers.txt")
  has "nginx: compressed on the way, whole for the function" "$answer" $'\n19999\n20000'
  [[ $answer == *content-encoding* ]] && fail "nginx: no mark of it" || pass "nginx: no mark of it"
  is "nginx: HEAD" "$(ask app read "HEAD $nginx/price.json")" "200 $nginx/price.json application/json "
else
  skip "nginx" "nginx is not installed (nginx-light)"
fi

# --- who the server is
has "TLS: another host's certificate" "$(get "https://wrong.test:${port[wrong]}/echo")" "-10 https://wrong.test:${port[wrong]}: SSL: no alternative certificate subject name"
has "TLS: an expired one" "$(get "https://expired.test:${port[expired]}/echo")" "certificate has expired"
has "TLS: one of tomorrow" "$(get "https://early.test:${port[early]}/echo")" "not yet valid"
has "TLS: one that nobody vouches for" "$(get "https://alone.test:${port[alone]}/echo")" "self-signed certificate"
has "TLS: an old version" "$(get "https://old.test:${port[old]}/echo")" "-10 https://old.test"

# --- what is permitted
has "another host" "$(get "https://other.example/")" '-3 no permission for this address: add `permissions.http = ["https://other.example"]` to [function.f] in s3n.toml'
has "another method" "$(ask app fetch "PUT $http/echo")" "[\"PUT $http\"]"
has "metadata services" "$(get http://169.254.169.254/latest/meta-data/)" "-3 169.254.169.254 is a machine's metadata service"
has "a name of theirs" "$(get "http://metadata.other.test:${port[http]}/")" "a machine's metadata service"
has "a redirect to theirs" "$(get "$http/metadata")" "-3 http://169.254.169.254: 169.254.169.254 is a machine's metadata service"
has "a private address" "$(get "http://private.other.test:${port[http]}/")" "10.0.0.1 is a private address"
has "a name that turns between two looks: one look" "$(get "http://turns.other.test:${port[http]}/echo")" "GET - - "
has "a name that turned" "$(get "http://turns.other.test:${port[http]}/echo")" "metadata service"
has "a name further below" "$(get "http://a.deep.other.test:${port[http]}/echo")" "GET - - "
has "no such name" "$(get http://none.invalid/)" "-10 http://none.invalid: there is no address of"
has "a header that is not a function's" "$(ask app fetch "GET $http/echo"$'\n'"Host: other.test")" "-1 the header field host is not a function's to set"
secret=$'Authorization: Bearer sesame\nX-Api-Key: sesame'
has "credentials at home" "$(ask app fetch "POST $http/to//echo"$'\n'"$secret"$'\n\n'body)" "POST Bearer sesame sesame body"
has "credentials stay there" "$(ask app fetch "POST $http/to/http://else.other.test:${port[http]}/echo"$'\n'"$secret"$'\n\n'body)" "POST - - body"

# --- a name server that lies: nothing is asked of what it names
outbound=$(pgrep -P "$node" -f s3n-outbound | head -n 1)
memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
before=$(memory "$outbound")
lie() { ask app fetch "GET http://$1.lies.other.test:${port[http]}/echo"$'\n'"s3n-timeout-ms: ${2:-3000}"; }
for label in $(python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import outbound_lies as lies; print(*lies.BY_LABEL)' "$here"); do
  answer=$(lie "$label")
  [[ $answer == "-3 "* ]] && pass "an address that is refused: $label" || fail "an address that is refused: $label" "$answer"
done
for label in two two-last alias-away cut-bad; do
  answer=$(lie $label)
  [[ $answer == "-3 "* ]] && pass "one address of several: $label" || fail "one address of several: $label" "$answer"
done
for label in other-name root alias-loop alias-self alias-chain alias-none pointer pointer-self short long beyond half none more-said chaos text wide nothing servfail cut-half cut-huge; do
  answer=$(lie $label)
  [[ $answer == "-10 "* || $answer == "-8 "* ]] && pass "no answer to the question: $label" || fail "no answer to the question: $label" "$answer"
done
for label in id query question empty bytes many; do has "what nobody asked for is waited past: $label" "$(lie $label 200)" "-8 http://$label.lies.other.test:"; done
has "the rest by TCP" "$(lie cut)" "GET - - "
is "and no process ended of it" "$(pgrep -P "$node" -f s3n-outbound | head -n 1)" "$outbound"
[ $(($(memory "$outbound") - before)) -lt 32768 ] && pass "nor grew" || fail "nor grew" "from $before KiB to $(memory "$outbound") KiB"
asking written "\"http://127.0.0.1:${port[http]}\", \"http://*.other.test:${port[http]}\""
has "an address as it is written" "$(ask written fetch "GET http://127.0.0.1:${port[http]}/echo")" "GET - - "
for host in 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.1 127.0.1 127.0.0.01 '127.0.0.1.' '127。0。0。1' '①27.0.0.1' '[::ffff:127.0.0.1]' '[::127.0.0.1]' '[::1]' '[::ffff:7f00:1]' \
  '[64:ff9b::7f00:1]' '[2002:7f00:1::]' '[fe80::1%25lo]' 0 0.0.0.0 localhost localhost. '127.0.0.1%00.other.test' 'a.other.test@127.0.0.1' 'a.other.test:80@127.0.0.1' '127.0.0.1#a.other.test' '127.0.0.1\a.other.test' \
  '169.254.169.254.' 2852039166 0xa9fea9fe '[::ffff:169.254.169.254]'; do
  answer=$(ask written fetch "GET http://$host:${port[http]}/echo")
  [[ $answer == "-1 "* || $answer == "-3 "* || $answer == "-10 "* ]] && pass "a host that is written: $host" || fail "a host that is written: $host" "$answer"
done

# --- too much
is "a large answer, more than the buffer has" "$(ask app size "GET $http/large")" "$((2500000 + $(printf '200 %s/large\n\n' "$http" | wc -c)))"
has "too large an answer" "$(get "$http/too-large")" "-5 $http: the answer has more than 3145728 bytes"
has "a gzip bomb" "$(get "$http/gzip")" "-5 $http: the answer has more than 3145728 bytes"
has "a deflate bomb" "$(get "$http/deflate")" "-5 $http: the answer has more than 3145728 bytes"
has "a bomb in two layers" "$(get "$http/layers")" "-5 $http: the answer has more than 3145728 bytes"
has "forty layers" "$(get "$http/many-layers")" "-10 $http: "
has "a server that drips" "$(ask app fetch "GET $http/drip"$'\n'"s3n-timeout-ms: 300")" "-8 $http: no complete answer in time"
has "a brotli bomb" "$(get "$http/brotli")" "-5 $http: the answer has more than 3145728 bytes"
has "endless fields" "$(get "$http/endless")" "-5 $http: the answer's head has more than"
is "seventeen requests of one invocation" "$(ask app many "GET $http/echo")" "0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;0;-1;-1;"
has "a time limit of the function's own" "$(ask app fetch "GET $http/hang"$'\n'"s3n-timeout-ms: 300")" "-8 $http: no complete answer in time"

# --- nobody waits for another
asked() { while read -r -t 60 _ path <&"${servers[0]}" && [ "$path" != "$1" ]; do :; done; }
ask app fetch "GET $http/hang/first" >"$scratch/hang.out" &
hang=$!
asked /hang/first
for i in $(seq 12); do ask app fetch "GET $http/slow" >"$scratch/slow.$i" & slow[i]=$!; done
is "another request meanwhile" "$(ask app read "GET $http/slow")" "200 $http/slow  slow"
for i in $(seq 12); do wait "${slow[i]}"; done
is "twelve at once, four at a time" "$(grep -l slow "$scratch"/slow.* | wc -l)" 12
most=$(ask app read "GET $http/most")
[[ $most == *"/most  "[23] ]] && pass "and no more than four, with the one that hangs" || fail "and no more than four, with the one that hangs" "$most"
wait "$hang"
grep -q -e '"code":"timeout"' -e '^-8 ' "$scratch/hang.out" && pass "the invocation's own limit ends it" ||
  fail "the invocation's own limit ends it" "$(cat "$scratch/hang.out")" # whoever looks at the clock first

# --- a native function, through the same SDK
if [ -w /dev/kvm ] && [ "${S3N_BACKEND:-kvm}" = kvm ] && command -v cc >/dev/null; then
  sdk=$S3N_SOURCE/sdk/c
  cc -O2 -ffreestanding -fPIE -fno-stack-protector -fcf-protection=none -static -nostdlib -no-pie -Wl,-T,"$sdk/native.ld" -Wl,--build-id=none \
    -Wl,--gc-sections -Wall -Wextra -Werror -I "$sdk" "$sdk/s3n.c" "$sdk/s3n_calls.c" "$modules/fetch.c" -o "$scratch/fetch.elf" || fail "build an ELF"
  asking native '"GET,POST '"$http"'"' 'kind = "native"' "$scratch/fetch.elf" || fail "deploy an ELF"
  is "native: an answer" "$(ask native read "POST $http/echo"$'\n\n'body)" "200 $http/echo text/plain POST - - body"
  is "each application has its own process" "$(pgrep -P "$node" -f s3n-outbound | wc -l)" 3
else
  skip native "needs /dev/kvm and a C compiler"
fi

# --- the process
outbound=$(pgrep -P "$node" -f s3n-outbound | head -n 1) # the first application's
[ -n "$outbound" ] && pass "one process for the application" || fail "one process for the application"
is "its filter" "$(sed -n 's/^Seccomp:\t//p' "/proc/$outbound/status")" 2
is "no capabilities" "$(sed -n 's/^CapEff:\t//p' "/proc/$outbound/status")" 0000000000000000
is "an empty root" "$(ls "/proc/$outbound/root/" | wc -l)" 0
ask app fetch "GET $http/hang/killed" >"$scratch/killed.out" &
waiting=$!
asked /hang/killed
kill -9 "$outbound"
wait "$waiting"
has "a process that dies under a request" "$(cat "$scratch/killed.out")" "-7 the process for outbound requests ended"
has "another one serves the next" "$(get "$http/echo")" "GET - - "
limit_ms=60000 asking patient "\"$http\"" || fail "deploy patient" # what hangs shows three seconds after the request's time
has "one more process" "$(ask patient fetch "GET $http/echo")" "GET - - "
kill -STOP $(pgrep -P "$node" -f s3n-outbound)
has "a process that hangs is replaced" "$(ask patient fetch "GET $http/echo"$'\n'"s3n-timeout-ms: 500")" "-7 the process for outbound requests did not answer"
has "and the next is served" "$(ask patient fetch "GET $http/echo")" "GET - - "
kill -CONT $(pgrep -P "$node" -f s3n-outbound)
is "the node is ready" "$(curl -sS --max-time 60 "$admin/readyz")" ready

# --- what is counted
asking counted '"GET,POST '"$http"'", "http://169.254.169.254"' || fail "deploy counted"
for what in "POST $http/echo"$'\n\n'"four" "GET $http/echo" "GET $http/metadata" "GET $http/to/http://other.example/" "PUT $http/echo" "GET $http/too-large" \
  "GET $http/hang"$'\n'"s3n-timeout-ms: 200" "GET http://none.invalid/" "nonsense"; do
  ask counted fetch "$what" >/dev/null
done
ask counted read "GET $http/no-such-page" >"$scratch/absent"
page() { curl -sS --max-time 60 "$admin/metrics"; }
counts() { page | sed -n 's|^s3n_outbound_requests_total{function="counted/f",outcome="\(.*\)"} |\1 |p' | sort | tr '\n' ';'; }
is "requests by outcome" "$(counts)" "2xx 2;4xx 1;limit 1;refused-address 1;refused-redirect 1;refused-rule 2;timeout 1;"
is "each that was asked has a duration" "$(page | sed -n 's|^s3n_outbound_request_duration_seconds_count{function="counted/f"} ||p')" 7
is "bytes that were sent" "$(page | sed -n 's|^s3n_outbound_sent_bytes_total{function="counted/f"} ||p')" 4
if command -v promtool >/dev/null; then
  output=$(page | promtool check metrics 2>&1)
  is "promtool has nothing to say: $output" $? 0
else
  skip "promtool" "it is not installed"
fi
python3 "$here/sign.py" "$XDG_CONFIG_HOME/s3n/owner.key" GET "$url/v1/applications/counted/metrics" >"$scratch/headers"
fetch -H @"$scratch/headers" "$url/v1/applications/counted/metrics" >"$scratch/own"
has "their owner sees them" "$(cat "$scratch/own")" 's3n_outbound_requests_total{function="counted/f",outcome="2xx"} 2'
is "and nobody else's" "$(grep -v '^#' "$scratch/own" | grep -vc 'function="counted/f"')" 0

# --- the receipt proves what it was told
printf 'POST %s/echo?key=k\nX-Api-Key: k\n\nthe body' "$http" >"$scratch/request"
timeout 60 s3n -q invoke app/f --data @"$scratch/request" --receipt "$scratch/receipt" >"$scratch/told" 2>"$scratch/err" || fail "invoke" "$(cat "$scratch/err")"
sum() { sha256sum | cut -d' ' -f1; }
asked_digest=$(printf 'S3N-HTTP-Request-1\nPOST %s/echo?key=k\n%s\n%s\n' "$http" "$(printf 'x-api-key: k\n' | sum)" "$(printf 'the body' | sum)" | sum)
answer_digest=$(printf 'S3N-HTTP-Response-1\n200 %s/echo?key=k\n%s\n%s\n' "$http" "$(printf 'content-type: text/plain\n' | sum)" \
  "$(printf 'POST - k the body' | sum)" | sum)
has "what it was told" "$(cat "$scratch/told")" "POST - k the body"
report=$(timeout 90 s3n verify "$scratch/receipt" --trust-simulated 2>&1)
has "s3n verify: the request" "$report" "$asked_digest"
has "s3n verify: the answer" "$report" "$answer_digest"
has "s3n verify: who was asked" "$report" "POST:$http"
[[ $report == *key=k* ]] && fail "s3n verify: no query" || pass "s3n verify: no query"

# --- without a node
alone() { printf '%s' "$1" | timeout 90 s3n run --path /fetch "${@:2}" "$modules/fetch.wasm" 2>&1; }
loopback=http://127.0.0.1:${port[http]}
has "s3n run: without a rule" "$(alone "GET $loopback/echo")" '-7 http_fetch is not available in `s3n run`: start it with --http URL'
has "s3n run: asks" "$(alone "$(printf 'POST %s/echo\n\nthe body' "$loopback")" --http "POST $loopback" --allow-private 127.0.0.1/32)" "POST - - the body"
has "s3n run: not public" "$(alone "GET $loopback/echo" --http "$loopback")" "-3 127.0.0.1 is a loopback address"
has "s3n run: another rule" "$(alone "GET $loopback/echo" --http "POST $loopback")" '"]` to [function.run] in s3n.toml; `s3n run`: start it with --http URL'
has "s3n run: no rule" "$(alone "GET $loopback/echo" --http ftp://a)" "--http"
is "s3n run: the time limit" "$(alone "GET $loopback/hang" --timeout-ms 300 --http "$loopback" --allow-private 127.0.0.1/32 >/dev/null; echo $?)" 8

# --- without permission of the operator
node_stop
node_start || fail "start without [outbound]"
login
has "the system's name servers do not know it" "$(get "$http/echo")" "-10 $http: "
asking plain '"http://127.0.0.1:'"${port[http]}"'", "http://localhost:'"${port[http]}"'"'
has "loopback, by address" "$(ask plain fetch "GET http://127.0.0.1:${port[http]}/echo")" "-3 127.0.0.1 is a loopback address, which the node's operator does not allow"
has "loopback, by name" "$(ask plain fetch "GET http://localhost:${port[http]}/echo")" "is a loopback address"

mapfile -t outbound < <(pgrep -P "$node" -f s3n-outbound)
is "applications have their processes" "${#outbound[@]}" 2
node_stop && pass "stop" || fail "stop"
is "no process is left" "$(ps -o stat= -p "$(IFS=,; echo "${outbound[*]}")" | grep -vc '^Z')" 0
[ -z "$nginx_pid" ] || { kill "$nginx_pid"; wait "$nginx_pid" 2>/dev/null; }
eval "exec ${servers[1]}>&-" # they end with it
wait "$servers_PID" 2>/dev/null
finish
