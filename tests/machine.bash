#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests that want a machine of their own: a kernel that offers control groups of version 2 with all controllers, to
# root, whatever this machine has.  User-mode Linux runs it as an ordinary program on this machine's files, read-only.
# It has no /dev/kvm, one core, and no clock but by system calls, so it is a good place for the process backend too.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
. "$S3N_SOURCE/tests/cases.bash"
command -v linux.uml >/dev/null || skip_all machine "no user-mode-linux"
[ -x "$S3N_BUILD/test-base-cgroup" ] || skip_all machine "the tests are not built"
! nm -D "$S3N_BUILD/bin/slipstream" | grep -q __asan_ || skip_all machine "sanitizers want more memory"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/s3n-machine.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# Everything it writes is in its memory.
cat >"$scratch/init" <<INIT
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run
export S3N_SOURCE=$(printf %q "$S3N_SOURCE") S3N_BUILD=$(printf %q "$S3N_BUILD") S3N_BACKEND=process
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=1777 tmp /run
mount -t devtmpfs dev /dev
ln -s /proc/self/fd /dev/fd
mount -t cgroup2 groups /sys/fs/cgroup
ip link set lo up
groups=/sys/fs/cgroup
echo '+memory +pids +cpu' >\$groups/cgroup.subtree_control
mkdir \$groups/unit && echo '+memory +pids +cpu' >\$groups/unit/cgroup.subtree_control
mkdir \$groups/unit/test
cd "\$S3N_SOURCE"
echo 'machine: unit'
sh -c "echo 0 >\$groups/unit/test/cgroup.procs && exec \$S3N_BUILD/test-base-cgroup"
echo "machine: exit \$?"
echo 'machine: node'
tests/e2e/cgroup.bash
echo "machine: exit \$?"
# An ordinary user, below whose reach lies all that a 32-bit address could name at first.
echo $((64 << 20)) >/proc/sys/vm/mmap_min_addr
[ "\$(cat /proc/sys/vm/mmap_min_addr)" = $((64 << 20)) ] && echo 'machine: user'
tests/e2e/user.bash
echo "machine: exit \$?"
echo o >/proc/sysrq-trigger
sleep 10
INIT
chmod 755 "$scratch" "$scratch/init"
timeout 340 linux.uml mem=1G quiet rootfstype=hostfs rootflags=/ ro init="$scratch/init" uml_dir="$scratch/" \
  con=null con0=fd:0,fd:1 </dev/null >"$scratch/output" 2>&1
for part in unit node user; do
  sed -n "/^machine: $part/,/^machine: exit/p" "$scratch/output" | tr -d '\r' >"$scratch/$part"
  grep -E '^ok |^FAIL|^SKIP|skipped: ' "$scratch/$part"
  # Nothing is missing there, so nothing may be skipped.
  closing=$(grep -E '^[0-9]+ passed, ' "$scratch/$part")
  if [[ $(tail -n 1 "$scratch/$part") == "machine: exit 0" && $closing == *", 0 failed, 0 skipped" ]]; then
    pass "$part ($closing)"
  else
    fail "$part" "$closing"
    tail -n 40 "$scratch/output"
  fi
done
finish
