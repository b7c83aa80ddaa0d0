# SPDX-License-Identifier: Apache-2.0
# What the scripts that test share: a line per case, and the closing line.  Sourced.

passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); echo "ok    $1"; }
fail() { failed=$((failed + 1)); echo "FAIL  $1${2:+: $2}"; }
skip() { skipped=$((skipped + 1)); echo "SKIP: $1: $2"; }

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
  exit
}

# Whether the backend under test ($S3N_BACKEND, or kvm) can be used here.
has_backend() {
  [ "${S3N_BACKEND:-kvm}" != kvm ] || [ -w /dev/kvm ]
}

# Leaves with one skip when a thing that every case needs is missing.
skip_all() {
  skip "$1" "$2"
  finish
}
