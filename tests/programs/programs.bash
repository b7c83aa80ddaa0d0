# SPDX-License-Identifier: Apache-2.0
# What the tests of real programs share: one line per case, the closing line, and a way to run a module.
# Sourced.  $S3N_SOURCE and $S3N_BUILD say where the tree and the build are.

S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
S3N_SUITES=${S3N_SUITES:-$S3N_SOURCE/../shared}
. "$S3N_SOURCE/tests/programs/build.bash"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. "$S3N_SOURCE/tests/cases.bash"

# $S3N_BACKEND: kvm (when empty) or process.
runner=("$S3N_BUILD/bin/slipstream" --run --backend "${S3N_BACKEND:-kvm}")

require_runner() {
  has_backend || skip_all "$1" "/dev/kvm can't be opened here"
  [ -x "$S3N_BUILD/bin/slipstream" ] && [ -x "$S3N_BUILD/bin/s3n-compile" ] ||
    skip_all "$1" "slipstream or s3n-compile is not built"
}

# require_program NAME BUILD: builds it, or ends here with the reason.
require_program() {
  local status=0
  "$2" || status=$?
  [ $status != 1 ] || skip_all "$1" "$why"
  [ $status != 2 ] || { fail "build of $1" "$why"; finish; }
}

# compile MODULE: writes MODULE.image.
compile() {
  timeout 120 "$S3N_BUILD/bin/s3n-compile" <"$1" >"$1.image"
}

# run_image IMAGE ARGUMENTS...: its streams and exit status are the program's; ENVIRONMENT is an array of NAME=value.
ENVIRONMENT=()
run_image() {
  local image=$1 options=() pair
  shift
  for pair in "${ENVIRONMENT[@]}"; do options+=(--env "$pair"); done
  timeout 60 "${runner[@]}" --image-fd 3 "${options[@]}" -- program "$@" 3<"$image"
}

# compare NAME: the streams and the exit status in $scratch/{ours,theirs}.{out,err,status} are the same.
compare() {
  local part
  for part in status out err; do
    cmp -s "$scratch/ours.$part" "$scratch/theirs.$part" && continue
    fail "$1" "$part differs"
    diff "$scratch/theirs.$part" "$scratch/ours.$part" | head -8
    return 1
  done
  pass "$1"
}

# record WHO INPUT COMMAND...: runs it with INPUT (a file) and keeps streams and status for compare.
record() {
  local who=$1 input=$2 status=0
  shift 2
  "$@" <"$input" >"$scratch/$who.out" 2>"$scratch/$who.err" || status=$?
  echo "$status" >"$scratch/$who.status"
}
