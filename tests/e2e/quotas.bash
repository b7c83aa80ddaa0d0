#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What one owner may have and use: each limit to its edge, by name, and nobody else's.
set -u
. "$(dirname "$0")/node.bash"
require_node quotas
printf '[quotas]\napplications = 2\nversions = 4\nmib = 1\ninvocations_per_hour = 6\n' >"$scratch/s3nd.toml"
node_start --config "$scratch/s3nd.toml" || { fail "start"; finish; }
claim || fail "claim"
code() { "$@" >"$scratch/out" 2>"$scratch/err"; echo $?; }
as_eve() { timeout 60 s3n --config "$scratch/eve" -q "$@"; }
says() { has "$1" "$(cat "$scratch/err" "$scratch/out")" "$2"; }
# colour NAME COLOUR: another version of it
colour() { application "$1" environment "environment = { COLOUR = \"$2\" }"; }
# large NAME BYTES: a module of so many bytes more, which nothing compresses
large() {
  python3 - "$scratch/$1/module.wasm" "$2" <<'PY'
import os, sys
rest = b"\x01p" + os.urandom(int(sys.argv[2]))
size, length = len(rest), b""
while size >= 128:
    length, size = length + bytes([size & 127 | 128]), size >> 7
with open(sys.argv[1], "ab") as file:
    file.write(b"\0" + length + bytes([size]) + rest)
PY
}

# --- applications and versions
colour one red && colour two red && colour three red
is "two applications" "$(code deploy one)$(code deploy two)" 00
is "a third one" "$(code deploy three)" 9
says "its limit" "quotas.applications"
colour one blue && deploy one && colour one green
is "four versions of all" "$(code deploy one)" 0
colour two blue
is "a fifth one" "$(code deploy two)" 9
says "its limit too" "quotas.versions"
is "the same once more is none" "$(code deploy one)" 0
timeout 60 s3n -q versions rm one 1
is "a deleted one still has its place" "$(code deploy two)" 9

# --- bytes
timeout 60 s3n -q rm two --purge
application big echo && large big 1100000
is "more than a MiB" "$(code deploy big)" 9
says "the limit of bytes" "quotas.mib"
application big echo && large big 900000
is "less than a MiB" "$(code deploy big)" 0

# --- invocations, however they come; should an hour have ended meanwhile, once more
request() { fetch -o "$scratch/out" -w '%{http_code} ' --data-binary x "$@"; }
spend() {
  request "$url/a/big/run"
  request "$url/v1/applications/big/functions/f/invoke"
  invoke big --seal -d x
  for _ in 1 2 3 4; do request "$url/a/one/run"; done
  cp "$scratch/out" "$scratch/fourth"
  request "$url/a/big/run"
  code invoke big --seal -d x
  node_stop
  node_again --config "$scratch/s3nd.toml" || fail "start again"
  request "$url/a/one/run"
}
hour() { echo $(($(date +%s) / 3600)); }
until began=$(hour) && spend >"$scratch/spent" && [ "$(hour)" = "$began" ]; do :; done
is "six by route, name and seal, of both applications, and none more, after a restart neither" "$(tr -d '\n' <"$scratch/spent")" "200 200 x200 200 200 413 413 9413 "
has "its limit by the hour" "$(cat "$scratch/fourth")" "quotas.invocations_per_hour"

# --- nobody else's
eve=$(timeout 60 s3n --config "$scratch/eve" login "$url" --trust-simulated --json 2>/dev/null | json_field public_key)
node_stop
sed -i "1i owners = [\"$eve\"]" "$scratch/s3nd.toml"
node_again --config "$scratch/s3nd.toml" || fail "start with another owner"
is "another owner deploys" "$(code as_eve login "$url" --trust-simulated)$(code as_eve deploy "$scratch/three")" 00
is "and is answered" "$(request "$url/a/three/run")" "200 "
finish
