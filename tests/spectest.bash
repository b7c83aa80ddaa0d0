#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The official WebAssembly suite through decoder, validator, compiler and a micro-VM.
# spectest.bash [NAME...]: only these files, by name without ".wast".
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
S3N_SUITES=${S3N_SUITES:-$S3N_SOURCE/../shared}
suite=$S3N_SUITES/spec-tests/core

skip_all() {
  echo "skip  spectest: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
[ -d "$suite" ] || skip_all "no official suite: neither \$S3N_SUITES nor ../shared/spec-tests"
command -v wast2json >/dev/null || skip_all "no wast2json (package wabt)"
backend=${S3N_BACKEND:-kvm}
[ "$backend" != kvm ] || [ -w /dev/kvm ] || skip_all "/dev/kvm can't be opened here"
[ -x "$S3N_BUILD/bin/spectest" ] || skip_all "spectest is not built"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ $# -gt 0 ] || set -- $(cd "$suite" && ls ./*.wast | sed 's|^\./||; s|\.wast$||')
files=()
for name in "$@"; do
  wast2json "$suite/$name.wast" -o "$scratch/$name.json" || { echo "FAIL  $name: wast2json"; exit 1; }
  files+=("$name.json")
done
cd "$scratch" && "$S3N_BUILD/bin/spectest" --backend "$backend" "${files[@]}"
