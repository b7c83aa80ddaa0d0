#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node of an ordinary user: children are separated by namespaces and system-call filters alone.
set -u
. "$(dirname "$0")/node.bash"
require_node user
if [ "$(id -u)" != 0 ]; then
  skip_all user "needs root to become another user; the other tests run as an ordinary user already"
fi
command -v setpriv >/dev/null || skip_all user "setpriv is not there"
RUN_AS=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
# The build folder may stand where another user can't go.
mkdir "$scratch/bin"
cp "$S3N_BUILD"/bin/{s3n,s3nd,s3n-keeper,s3n-compile,slipstream} "$scratch/bin"
PATH=$scratch/bin:$PATH
"${RUN_AS[@]}" unshare --user true 2>/dev/null || skip_all user "this kernel refuses user namespaces to ordinary users"
# Where only root may open /dev/kvm, the node gets one of its own that anybody may open, in a mount namespace.
if ! "${RUN_AS[@]}" test -w /dev/kvm && mknod -m 666 "$scratch/kvm" c 10 232 2>/dev/null &&
  unshare --mount sh -c 'mount --bind "$0" /dev/kvm && exec "$@"' "$scratch/kvm" "${RUN_AS[@]}" test -w /dev/kvm 2>/dev/null; then
  RUN_AS=(unshare --mount sh -c 'mount --bind "$0" /dev/kvm && exec "$@"' "$scratch/kvm" "${RUN_AS[@]}")
fi
mkdir -p "$data"
chown 65534:65534 "$data"
node_start || { fail "start"; finish; }
pass "start"
is "claim" "$(claim; echo $?)" 0
is "the claim code is the user's" "$(stat -c %u "$data")" 65534
application echo echo
deploy echo
is "deploy (a jailed compiler ran)" $? 0
if "${RUN_AS[@]}" test -w /dev/kvm; then
  is "invoke" "$(invoke echo --data hello)" hello
else
  output=$(invoke echo --data hello 2>&1)
  is "invoke without /dev/kvm: exit code" $? 7
  skip "invoke" "user 65534 may not open /dev/kvm"
fi
for kind in server keeper slipstream; do
  pid=$(pid_of "$kind")
  is "$kind: no new privileges" "$(sed -n 's/^NoNewPrivs:\t//p' "/proc/$pid/status")" 1
  is "$kind: system-call filter" "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" 2
  [ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] && pass "$kind: its own files" || fail "$kind: its own files"
done
node_stop
is "stop" $? 0
finish
