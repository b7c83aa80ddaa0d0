# SPDX-License-Identifier: Apache-2.0
# What the end-to-end tests share: a node of their own on free loopback ports, an owner, applications made of
# tests/data/functions, one line per case and the closing line.  Sourced.  Everything started is stopped by pid.

S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
here=$S3N_SOURCE/tests/e2e
modules=$S3N_SOURCE/tests/data/functions
scratch=$(mktemp -d "${TMPDIR:-/tmp}/s3n-e2e.XXXXXX")
chmod 755 "$scratch"
export XDG_CONFIG_HOME=$scratch/config # a profile of its own
unset S3N_CONFIG S3N_DATA_DIR S3N_LOG S3N_ENDPOINT "${!OTEL_@}"
export S3N_TEE=sim # there is no TEE where tests run, and none is simulated by itself
PATH=$S3N_BUILD/bin:$PATH
data=$scratch/data
node='' url='' admin=''
. "$S3N_SOURCE/tests/cases.bash"

# is NAME ACTUAL WANTED
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got «$2», want «$3»"; fi; }
# has NAME TEXT PART
has() { if [[ $2 == *"$3"* ]]; then pass "$1"; else fail "$1" "«$3» is not in «${2:0:600}»"; fi; }

node_stop() {
  local status=0
  [ -n "$node" ] || return 0
  kill -TERM "$node" 2>/dev/null
  wait "$node" || status=$?
  node=
  return $status
}

clean_up() {
  local pid
  show_log
  [ -z "$node" ] || { kill -KILL "$node"; wait "$node"; } 2>/dev/null
  for pid in $(jobs -p); do kill -KILL "$pid" 2>/dev/null; done
  ! mountpoint -q "$data" || umount "$data"
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

show_log() {
  if [ "$failed" != 0 ] && [ -s "$scratch/node.log" ]; then
    echo "last lines of the node's log:" >&2
    tail -n 25 "$scratch/node.log" >&2
  fi
}
require_node() {
  local program
  for program in s3nd s3n s3n-keeper s3n-compile slipstream; do
    [ -x "$S3N_BUILD/bin/$program" ] || skip_all "$1" "$program is not built"
  done
  has_backend || skip_all "$1" "/dev/kvm can't be opened here"
}

# node_start [ARGUMENTS...]: sets node, url, admin.  RUN_AS is a prefix for the command.
RUN_AS=()
node_start() {
  local ready line
  ready=$scratch/ready
  rm -f "$ready"
  mkfifo "$ready"
  "${RUN_AS[@]}" s3nd --data-dir "$data" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}" "$@" >"$ready" 2>>"$scratch/node.log" &
  node=$!
  exec 9<"$ready"
  line=
  # A node that ends closes it: who waits in vain, waits not so long.
  read -r -t 100 line <&9
  exec 9<&-
  url=${line#ready url=}
  url=${url%% *}
  admin=${line##*admin=}
  [[ $url == https://* ]] && return 0
  echo "the node did not become ready: «$line»" >&2
  return 1
}
# The ports that a restarted node shall have again.
node_again() {
  node_start --listen "${url#https://}" --admin "${admin#http://}" "$@"
}
login() { timeout 90 s3n -q login "$url" --trust-simulated "$@"; }
claim() { login --claim "$(cat "$data/claim-code")"; }

# pid_of PART: a child of the node whose command line has PART.
pid_of() { pgrep -P "$node" -f -- "$1" | head -n 1; }

# application NAME MODULE [LINES of the function's table]: makes $scratch/NAME with a manifest.
application() {
  mkdir -p "$scratch/$1"
  cp "$modules/$2.wasm" "$scratch/$1/module.wasm"
  cat >"$scratch/$1/s3n.toml" <<TOML
s3n_manifest_version = 1
compatibility_date = "2026-11-01"
[application]
name = "$1"
version = "1.0.0"
[function.f]
source = "module.wasm"
${3:-}
[[trigger.http]]
route = "/run"
function = "f"
TOML
}
deploy() { timeout 60 s3n -q deploy "$scratch/$1"; }
# invoke APP [ARGUMENTS...]
invoke() {
  local name=$1
  shift
  timeout 60 s3n invoke "$name/f" "$@"
}
fetch() { curl -sS --max-time 60 --cacert "$data/tls.crt" "$@"; }
# until_true SECONDS COMMAND...: waits no longer than it takes, and a minute at least before it gives up: the machine
# may do much else.
until_true() {
  local deadline=$((SECONDS + ($1 < 60 ? 60 : $1)))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.05
  done
}
json_field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }
