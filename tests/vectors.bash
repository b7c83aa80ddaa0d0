#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every vector instruction with edge values from everywhere an operand may be, and every access around the end of memory:
# what micro-VMs answer against what Node's engine answers.
# vectors.bash [SEED]; S3N_BACKEND and S3N_TIER say where.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}

skip_all() {
  echo "skip  vectors: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
command -v node >/dev/null || skip_all "no node"
backend=${S3N_BACKEND:-kvm}
[ "$backend" != kvm ] || [ -w /dev/kvm ] || skip_all "/dev/kvm can't be opened here"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
node "$S3N_SOURCE/tests/differential/vectors.mjs" "$scratch" "${1:-1}" || exit 1
cd "$scratch" && "$S3N_BUILD/bin/spectest" --backend "$backend" --tier "${S3N_TIER:-baseline}" vectors.json
