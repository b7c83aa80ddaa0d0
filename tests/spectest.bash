#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The official WebAssembly suite (all of core, the proposals tail-call and extended-const) and our own
# files of tests/spec, through decoder, validator, compiler, image and a micro-VM.
#
# spectest.bash [--backend NAME] [--tier NAME] [--linked] [--compare] [NAME...]
#   NAME       only these files, by name without ".wast"
#   --linked   every module of a file in one micro-VM
#   --compare  with spectest-interp's counts, file by file
# Without options: $S3N_BACKEND or kvm, $S3N_TIER or baseline.
set -u
S3N_SOURCE=${S3N_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
S3N_BUILD=${S3N_BUILD:-$S3N_SOURCE/build}
S3N_SUITES=${S3N_SUITES:-$S3N_SOURCE/../shared}
suites=$(cd "$S3N_SUITES" 2>/dev/null && pwd)/spec-tests
backend=${S3N_BACKEND:-kvm}
tier=${S3N_TIER:-baseline}
linked=()
compare=
at_once=4 # micro-VMs are waited for more than they compute

skip_all() {
  echo "skip  spectest: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
while [ $# -gt 0 ]; do
  case $1 in
  --backend) backend=$2; shift 2 ;;
  --tier) tier=$2; shift 2 ;;
  --linked) linked=(--linked); shift ;;
  --compare) compare=1; shift ;;
  -*) echo "spectest.bash: unknown option $1" >&2; exit 2 ;;
  *) break ;;
  esac
done
[ -d "$suites/core" ] || skip_all "no official suite: neither \$S3N_SUITES nor ../shared/spec-tests"
command -v wast2json >/dev/null || skip_all "no wast2json (package wabt)"
[ "$backend" != kvm ] || [ -w /dev/kvm ] || skip_all "/dev/kvm can't be opened here"
[ -x "$S3N_BUILD/bin/spectest" ] || skip_all "spectest is not built"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# convert FOLDER PREFIX FLAG...: its files as JSON, those that are asked for.
convert() {
  local folder=$1 prefix=$2 path name
  shift 2
  for path in "$folder"/*.wast; do
    name=$(basename "$path" .wast)
    [ "${#names[@]}" -eq 0 ] || [[ " ${names[*]} " == *" $name "* ]] || continue
    wast2json "$@" "$path" -o "$scratch/$prefix$name.json" 2>"$scratch/errors" ||
      { cat "$scratch/errors"; echo "FAIL  $prefix$name: wast2json"; exit 1; }
  done
}
names=("$@")
convert "$suites/core" ""
convert "$suites/proposals/tail-call" tail-call. --enable-tail-call
convert "$suites/proposals/extended-const" extended-const. --enable-extended-const
convert "$S3N_SOURCE/tests/spec" own. --enable-tail-call --no-check

cd "$scratch" || exit 1
set -- *.json
[ -e "$1" ] || { echo "spectest.bash: no file of this name" >&2; exit 2; }
# Files in turn to several runners; what each prints stays together.
for ((i = 0; i < at_once; i++)); do
  files=()
  for ((j = i + 1; j <= $#; j += at_once)); do files+=("${!j}"); done
  [ "${#files[@]}" -eq 0 ] || timeout 540 "$S3N_BUILD/bin/spectest" --backend "$backend" --tier "$tier" \
    "${linked[@]}" "${files[@]}" >"part.$i" 2>&1 &
done
wait
# A runner that ended early has no last line: that is a failure too.
for part in part.*; do
  tail -n 1 "$part" | grep -qE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' ||
    echo "FAIL  a runner ended early: $(tail -n 1 "$part")" >>"early"
done
grep -hvE '^[0-9]+ passed|^optimised |^[^ ]+: [0-9]+ passed, 0 failed' part.*
# The tier must be what ran, not what everything fell back from.
if [ "$tier" = optimised ]; then
  grep -h '^optimised ' part.* | awk '{ o += $2; f += $4 } END { printf "optimised: %d of %d functions\n", o, f; exit o < f / 2 }' ||
    echo "FAIL  most functions were not optimised" >>early
fi
cat early 2>/dev/null

# sum PATTERN: totals of the files whose name fits, as one line.
sum() {
  grep -hE "^($1)\.json: [0-9]+ passed" part.* |
    awk '{ p += $2; f += $4; s += $6 } END { printf "%d passed, %d failed, %d skipped\n", p, f, s }'
}
if [ -n "$compare" ]; then
  # Its count is of everything but `register`, text forms included: ours and what we skip.
  for file in "$@"; do
    # It can't read the first, has no stack for the second, and fills 4 GiB for the third.
    case $file in own.linking_references.json | own.linking_tail_call.json | own.linking_large.json) continue ;; esac
    theirs=$(spectest-interp --enable-tail-call --enable-extended-const "$file" 2>/dev/null |
      sed -nE 's|^([0-9]+)/([0-9]+) tests passed\.$|\1 \2|p' | tail -n 1)
    ours=$(sed -nE "s/^$file: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped.*/\1 \2 \3/p" part.*)
    read -r passed failed skipped <<<"$ours"
    [ "$theirs" = "$((passed + skipped)) $((passed + failed + skipped))" ] ||
      echo "FAIL  $file: $ours here, $theirs in spectest-interp" >>differences
  done
  cat differences 2>/dev/null
fi
echo "core: $(sum '[^.]*')"
echo "proposals: $(sum '(tail-call|extended-const)\.[^.]*')"
echo "own: $(sum 'own\.[^.]*')"
extra=$(cat early differences 2>/dev/null | grep -c FAIL)
sum '.*' | awk -v extra="$extra" '{ printf "%d passed, %d failed, %d skipped\n", $1, $3 + extra, $5; exit $3 + extra > 0 }'
