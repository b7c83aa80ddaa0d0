#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random modules: what they answer in micro-VMs against what Node's engine answers; each alone, all in one
# micro-VM, and groups that are linked with each other (a tenth as many).
# differential.bash [SEED [COUNT]], at most 500; S3N_BACKEND and S3N_TIER say where
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}

skip_all() {
  echo "skip  differential: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
tier=${S3N_TIER:-baseline}
count=${2:-$([ "$tier" = baseline ] && echo 200 || echo 40)} # LLVM takes its time
[ "$count" -le 500 ] || { echo "differential.bash: at most 500 modules" >&2; exit 2; }
command -v node >/dev/null || skip_all "no node"
backend=${S3N_BACKEND:-kvm}
[ "$backend" != kvm ] || [ -w /dev/kvm ] || skip_all "/dev/kvm can't be opened here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
node "$S3N_SOURCE/tests/differential/generate.mjs" "$scratch" "${1:-1}" "$count" || exit 1
groups=$(((count + 9) / 10))
node "$S3N_SOURCE/tests/differential/linked.mjs" "$scratch" "${1:-1}" "$groups" || exit 1
cd "$scratch" || exit 1
"$S3N_BUILD/bin/spectest" --backend "$backend" --tier "$tier" random.json linked.*.json >alone
"$S3N_BUILD/bin/spectest" --backend "$backend" --tier "$tier" --linked random.json >together
grep -hvE '^[0-9]+ passed|: [0-9]+ passed, 0 failed' alone together
# A runner that ended early has no last line, which fails the sum.
tail -qn 1 alone together |
  awk '/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5; n++ }
    END { printf "%d passed, %d failed, %d skipped\n", p, f + 2 - n, s; exit f + 2 - n > 0 }'
