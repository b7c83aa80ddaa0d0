#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ten thousand random changes of real programs: each is refused, or compiles and runs to some end in a micro-VM.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
backend=${S3N_BACKEND:-kvm}
if [ "$backend" = kvm ] && [ ! -w /dev/kvm ]; then
  echo "skip  mutations: /dev/kvm can't be opened here"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
exec "$S3N_BUILD/bin/spectest" --backend "$backend" --mutate "${1:-5000}" "$S3N_SOURCE"/tests/data/wasm/*.wasm
