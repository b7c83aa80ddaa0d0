#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every verb of `s3n node` with what it can't do: wrong arguments, a configuration that is missing or not one, a user
# who may not, an address that is taken, a folder that can't be written.  Each says why, by its exit code too.
set -u
. "$(dirname "$0")/node.bash"
require_node verbs
export HOME=$scratch
# refused NAME CODE TEXT COMMAND...
refused() {
  local name=$1 code=$2 text=$3
  shift 3
  timeout 60 "$@" >"$scratch/out" 2>"$scratch/err" 9<&-
  is "$name" $? "$code"
  has "$name: says so" "$(cat "$scratch/err")" "$text"
}
s3n -q node init --data-dir "$data" --listen 127.0.0.1:0 --backend "${S3N_BACKEND:-kvm}" || fail "init"

# --- wrong arguments
verbs="init run status backup restore check accept upgrade"
for verb in $verbs; do
  refused "$verb: an option of no verb" 2 "unknown option --nonsense" s3n node "$verb" --data-dir "$data" --nonsense
  refused "$verb: too many arguments" 2 "unexpected argument" s3n node "$verb" --data-dir "$data" one two
  refused "$verb: an option without its value" 2 "--data-dir wants a value" s3n node "$verb" --data-dir
done
for verb in backup restore; do refused "$verb: without FILE" 2 "argument missing" s3n node $verb --data-dir "$data"; done
refused "no verb" 2 "node what?" s3n node
refused "no such verb" 2 "fly" s3n node fly
refused "init: no such platform" 3 "tee nonsense" s3n node init --data-dir "$scratch/none" --tee nonsense
refused "init: no address" 3 "not an address" s3n node init --data-dir "$scratch/none" --listen nonsense
refused "init: an open address for the operator's port" 3 "loopback" s3n node init --data-dir "$scratch/none" --admin 0.0.0.0:1
is "init: what is refused makes nothing" "$(ls "$scratch/none" 2>/dev/null)" ""

# --- configuration
echo 'nonsense = 1' >"$scratch/unknown.toml"
echo 'listen = ' >"$scratch/broken.toml"
: >"$scratch/file"
for verb in run status "backup $scratch/b" "restore $scratch/file" check accept upgrade; do
  # shellcheck disable=SC2086 # a verb and its file
  refused "${verb%% *}: no configuration" 5 "open $scratch/absent.toml" s3n node $verb --data-dir "$data" --settings "$scratch/absent.toml"
  # shellcheck disable=SC2086
  refused "${verb%% *}: a key that there is not" 3 'no key "nonsense"' s3n node $verb --data-dir "$data" --settings "$scratch/unknown.toml"
  # shellcheck disable=SC2086
  refused "${verb%% *}: not a configuration" 3 "broken.toml:1" s3n node $verb --data-dir "$data" --settings "$scratch/broken.toml"
done
is "no backup was begun" "$(ls "$scratch"/b* 2>/dev/null | grep -v broken)" ""

# --- a node runs there, and another user asks
node_start --config "$data/s3nd.toml" || { fail "start"; finish; }
refused "run: a node runs there" 9 "another process runs a node" s3n node run --data-dir "$data"
s3n -q node init --data-dir "$scratch/second" --listen "${url#https://}" || fail "init of a second"
refused "run: the address is taken" 7 "Address already in use" s3n node run --data-dir "$scratch/second"
user=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
if [ "$(id -u)" = 0 ] && "${user[@]}" true 2>/dev/null; then
  for verb in run status "backup $scratch/b" "restore $scratch/file" check accept upgrade; do
    # shellcheck disable=SC2086
    refused "${verb%% *}: another user" 4 "Permission denied" "${user[@]}" "$S3N_BUILD/bin/s3n" node $verb --data-dir "$data"
  done
  is "the node goes on" "$(fetch -o /dev/null -w '%{http_code}' "$url/.well-known/s3n/health")" 200
else
  skip "another user" "needs root"
fi
node_stop
is "stop" $? 0

# --- a file system that can't be written
mkdir "$scratch/fixed"
cp -a "$data" "$scratch/fixed/data"
if mount --bind "$scratch/fixed" "$scratch/fixed" 2>/dev/null && mount -o remount,bind,ro "$scratch/fixed"; then
  for verb in run "backup $scratch/b" "restore $scratch/file" check; do
    # shellcheck disable=SC2086
    refused "${verb%% *}: read-only" 4 "Read-only file system" s3n node $verb --data-dir "$scratch/fixed/data"
  done
  refused "init: read-only" 4 "Read-only file system" s3n node init --data-dir "$scratch/fixed/new"
  refused "backup: to a read-only place" 4 "Read-only file system" s3n node backup --data-dir "$data" "$scratch/fixed/b"
  for verb in status upgrade; do refused "$verb: no node runs there" 7 "no node runs" s3n node $verb --data-dir "$scratch/fixed/data"; done
  umount "$scratch/fixed"
else
  ! mountpoint -q "$scratch/fixed" || umount "$scratch/fixed"
  skip "read-only" "nothing can be mounted here"
fi
finish
